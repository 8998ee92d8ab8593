"""What the operator's catalogue calls things, and what the features call them. Total: every product has a kind."""

from collections.abc import Mapping
from typing import Final

from services.retention.features.rules import ADDONS

BROADBAND: Final = frozenset({"internet", "broadband", "fixed_broadband"})
TECHNOLOGIES: Final[Mapping[str, str]] = {
    "dsl": "broadband_dsl",
    "adsl": "broadband_dsl",
    "vdsl": "broadband_dsl",
    "fiber": "broadband_fiber",
    "fibre": "broadband_fiber",
    "ftth": "broadband_fiber",
}
FAMILIES: Final[Mapping[str, str]] = {
    "voice": "voice",
    "mobile": "mobile",
    "security": "online_security",
    **{addon: addon for addon in ADDONS},
}
MOST_LINES: Final = 100_000


def kind(family: str, characteristics: Mapping[str, str]) -> str:
    """The kind of a product of that family; "other" for a family that no feature tells apart."""
    if family in BROADBAND:
        return TECHNOLOGIES.get(characteristics.get("technology", "").lower(), "broadband_other")
    return FAMILIES.get(family, "other")


def lines(characteristics: Mapping[str, str]) -> int:
    """How many lines a product of voice or mobile has: what `lines` says; two or more with `multiple_lines`."""
    told = characteristics.get("lines", "")
    counted = min(int(told), MOST_LINES) if told.isascii() and told.isdecimal() else 1
    return max(counted, 2 if flag(characteristics.get("multiple_lines")) else 1)


def contract_type(months: int) -> str:
    """The contract type nearest to a commitment of so many months; 0 is from month to month."""
    if months <= 0:
        return "month_to_month"
    return "one_year" if months <= 18 else "two_year"


def flag(value: str | None) -> bool | None:
    """What a characteristic says that is yes or no; None where it says neither."""
    return {"yes": True, "true": True, "no": False, "false": False}.get((value or "").lower())
