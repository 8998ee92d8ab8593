"""What the made-up operator sells. Families and characteristics are those that retention reads features from."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the price list: `cents` a month; `identifier` is the kind of number or device that comes with it."""

    family: str
    name: str
    cents: int
    characteristics: tuple[tuple[str, str], ...] = ()
    identifier: str = ""

    def times(self, lines: int) -> "Offer":
        """The same for several lines, a tenth cheaper each."""
        cents = self.cents * lines * 9 // 10
        return Offer(
            self.family, f"{self.name} x{lines}", cents, (*self.characteristics, ("lines", str(lines))), self.identifier
        )


VOICE: Final = Offer("voice", "Home Voice", 1995, (("multiple_lines", "no"),), "landline")
VOICE_TWO_LINES: Final = Offer("voice", "Home Voice Duo", 2495, (("multiple_lines", "yes"),), "landline")
DSL: Final = Offer("internet", "Home DSL 50", 2495, (("technology", "dsl"), ("speed_mbps", "50")), "circuit")
FIBER: Final = Offer("internet", "Home Fibre 500", 4995, (("technology", "fiber"), ("speed_mbps", "500")), "circuit")
ADDONS: Final = {
    "online_security": Offer("online_security", "Online Security", 495),
    "online_backup": Offer("online_backup", "Online Backup 1 TB", 495),
    "device_protection": Offer("device_protection", "Device Protection", 595),
    "tech_support": Offer("tech_support", "Premium Support", 495),
    "streaming_tv": Offer("streaming_tv", "TV Stream", 995),
    "streaming_movies": Offer("streaming_movies", "Movie Stream", 995),
}
MOBILE: Final = (
    Offer("mobile", "Mobile S", 999, (("data_gb", "5"),), "msisdn"),
    Offer("mobile", "Mobile M", 1999, (("data_gb", "20"),), "msisdn"),
    Offer("mobile", "Mobile L", 2999, (("data_gb", "80"),), "msisdn"),
)
PHONE: Final = Offer("device", "Smartphone instalment", 1250, (("instalments", "24"),), "imei")

BUSINESS_FIBER: Final = Offer(
    "internet", "Business Fibre 1000", 19900, (("technology", "fiber"), ("speed_mbps", "1000")), "circuit"
)
BUSINESS_DSL: Final = Offer(
    "internet", "Business DSL 100", 4900, (("technology", "dsl"), ("speed_mbps", "100")), "circuit"
)
BUSINESS_VOICE: Final = Offer("voice", "Business Voice", 1490, (("multiple_lines", "yes"),), "landline")
BUSINESS_MOBILE: Final = Offer("mobile", "Business Mobile", 1690, (("data_gb", "40"),), "msisdn")
BUSINESS_EXTRAS: Final = (
    Offer("conferencing", "Conferencing", 5900),
    Offer("fax_to_email", "Fax to Email", 990, (), "landline"),
    Offer("messaging", "Team Messaging", 3900),
    Offer("presence", "Presence", 1900),
    Offer("calendar", "Shared Calendar", 1900),
    Offer("fixed_mobile_convergence", "One Number", 2900),
    Offer("online_security", "Managed Firewall", 4900),
    Offer("tech_support", "On-site Support", 7900),
)
