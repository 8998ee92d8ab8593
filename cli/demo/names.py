"""Names, addresses and numbers of nobody."""

import random
from typing import Final

GIVEN: Final = (
    "Ada", "Adaeze", "Aiko", "Amara", "Anouk", "Arjun", "Ayla", "Bao", "Bruno", "Camille", "Chidi", "Dilan", "Dmitri",
    "Elif", "Emil", "Esra", "Fatou", "Femi", "Greta", "Hana", "Ines", "Ivo", "Jamal", "Jonas", "Juno", "Kaja", "Keiko",
    "Khalid", "Lale", "Leon", "Lucia", "Mads", "Malik", "Mei", "Mira", "Nadia", "Noor", "Odile", "Omar", "Pavel",
    "Priya", "Quentin", "Rafael", "Rosa", "Samira", "Sana", "Sven", "Tariq", "Thandi", "Uma", "Viktor", "Wanda",
    "Xenia", "Yara", "Yusuf", "Zeynep", "Zofia",
)  # fmt: skip
FAMILY: Final = (
    "Abendroth-Okoro", "Amberlake", "Balogunde", "Birkenstern", "Brightwater", "Cascadero", "Chandramani", "Dawnhill",
    "Delacolline", "Ekwuemeka", "Falkenbrise", "Farahnour", "Gaunerova", "Gonzalbo", "Halvorsund", "Ibramovna",
    "Ishikawara", "Jademond", "Kaltenquell", "Karadenizli", "Kowalczewska", "Lindqvistad", "Liangmei", "Lumbaro",
    "Marazul", "Meereslicht", "Mokoenani", "Montclairvoix", "Nakamorita", "Nguyenhoa", "Nordlichter", "Oyelarante",
    "Ostrowina", "Papadimos", "Patelwala", "Quintavalle", "Ravnskov", "Rosenquarz", "Sahinoglu", "Santorelli",
    "Silberfink", "Sundarajan", "Tanakura", "Tidewell", "Uhlenhain", "Valmonteiro", "Vinterberg", "Wachholderin",
    "Winterapfel", "Xochitlan", "Yilmazer", "Zamorandi", "Zinnkraut",
)  # fmt: skip
LANGUAGES: Final = (("de", 60.0), ("en", 15.0), ("tr", 7.0), ("fr", 5.0), ("pl", 5.0), ("es", 4.0), ("ar", 4.0))

COMPANY: Final = (
    "Alpenglow", "Amberline", "Aurora", "Bluefjord", "Brickmoor", "Cedarpoint", "Clearharbor", "Copperleaf",
    "Driftwood", "Eastmeadow", "Fernweh", "Foxglove", "Gletschertal", "Goldhafen", "Greenlantern", "Heron", "Inselwind",
    "Ironbridge", "Juniper", "Kranich", "Lavender", "Lighthouse", "Meridian", "Moorland", "Nordwind", "Oakhollow",
    "Osprey", "Pinecrest", "Quartz", "Redwood", "Riverstone", "Saffron", "Seagull", "Silverbirch", "Steinadler",
    "Thistle", "Umbra", "Violetta", "Westerly", "Yarrow",
)  # fmt: skip
TRADE: Final = (
    "Logistics", "Bakeries", "Clinics", "Engineering", "Hotels", "Insurance", "Robotics", "Textiles", "Foods",
    "Studios", "Schools", "Shipping",
)  # fmt: skip
DIVISION: Final = ("North", "South", "Services", "Retail", "Research", "Iberia", "Baltics", "Production")
DEPARTMENT: Final = ("Sales", "Warehouse", "Customer Service", "Finance", "Laboratory", "Field Team", "Human Resources")

# Kept for film and fiction by the German regulator (Bundesnetzagentur, "Drama-Rufnummern"): 1,000 numbers each.
LANDLINES: Final = ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
# In every North American area code 555-0100 to 555-0199 are kept for fiction (NANPA).
AREA_CODES: Final = tuple(code for code in range(201, 290) if code % 10 and code % 100 != 11)


def person(rng: random.Random) -> tuple[str, str]:
    """Given and family name."""
    return rng.choice(GIVEN), rng.choice(FAMILY)


def email(local: str, index: int) -> str:
    """An address of example.com, which RFC 2606 keeps for examples."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "." for letter in local.lower())
    return f"{plain}.{index}@example.com"


def landline(index: int) -> str:
    """The fictional number of a customer; empty where the ranges are used up."""
    block, number = divmod(index, 1000)
    return f"{LANDLINES[block]}{number:03}" if block < len(LANDLINES) else ""


def mobile(index: int) -> str:
    """The fictional number of a mobile line; they repeat after some 8,000."""
    block, number = divmod(index, 100)
    return f"+1{AREA_CODES[block % len(AREA_CODES)]}55501{number:02}"


def imei(number: int) -> str:
    """The identity of a device that nobody makes: reporting body 00, 12 digits, and their check digit.

    The check digit is that of the Luhn formula (3GPP TS 23.003, annex B).
    """
    digits = f"00{number:012}"
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(digits)]
    return f"{digits}{-sum(value // 10 + value % 10 for value in doubled) % 10}"


def company(index: int) -> str:
    """The trading name of an enterprise; a number where the combinations are used up."""
    turn, place = divmod(index, len(COMPANY) * len(TRADE))
    name = f"{COMPANY[place % len(COMPANY)]} {TRADE[(place + place // len(COMPANY)) % len(TRADE)]}"
    return f"{name} {turn + 1}" if turn else name
