"""At which level two values of a field agree. Pure; every function is symmetric."""

from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from services.customer_info.duplicates import weights_rules as weights
from services.customer_info.duplicates.profile_rules import Address
from services.customer_info.duplicates.weights_rules import Level
from services.customer_info.names.nicknames_rules import FULL_NAMES, may_be_one
from services.customer_info.names.rules import sound

CLOSE: Final = 0.93
"""Jaro-Winkler similarity of two spellings of a name."""
SHORTEST: Final = 4
"""Letters of a given name from which on a slip is told from another name."""
LONG_FORMS: Final = ("gmbh", "sarl", "limited", "incorporated", "corporation")
CLOSE_STREET: Final = 85.0

Names = tuple[str, ...]


def given_level(a: Names, b: Names) -> Level | None:
    """How two people's given names agree; nothing where either has none."""
    if not (a and b):
        return None
    first, other = a[0], b[0]
    if a == b:
        code = "same"
    elif min(len(first), len(other)) == 1:
        code = "initial" if first[0] == other[0] else "differs"
    elif "".join(map(sound, a)) == "".join(map(sound, b)):
        code = "alike"
    elif set(a) < set(b) or set(b) < set(a) or first == other:
        code = "part"
    else:
        code = _given_code(a, b)
    return weights.GIVEN[code]


def _given_code(a: Names, b: Names) -> str:
    """How given names agree of which no word is the same."""
    first, other = a[0], b[0]
    if may_be_one(first, other):
        return "nickname"
    if _two_names(first, other):
        return "similar"
    if slipped("".join(a), "".join(b)) or (len(a) + len(b) > 2 and slipped(first, other)):
        return "slip"
    return "similar" if _two_slips(first, other) else "differs"


def family_level(a: Names, b: Names) -> Level | None:
    """How two people's family names agree; nothing where either has none."""
    if not (a and b):
        return None
    levels = weights.FAMILY
    one, other = "".join(a), "".join(b)
    if one == other or sorted(a) == sorted(b):
        return levels["same"]
    if min(len(one), len(other)) == 1:
        return levels["initial" if one[0] == other[0] else "differs"]
    if sound(one) == sound(other):
        return levels["alike"]
    if set(a) & set(b):
        return levels["part"]
    return levels["slip" if slipped(one, other) else "differs"]


def name_level(a: Names, b: Names) -> Level | None:
    """How two companies' names agree, without their legal forms; nothing where either has none."""
    if not (a and b):
        return None
    levels = weights.NAME
    a, b = _without_slipped_form(a), _without_slipped_form(b)
    if sorted(a) == sorted(b) or "".join(a) == "".join(b):
        return levels["same"]
    if len(a) == len(b) and _all_alike(a, b):
        return levels["slip"]
    if len(a) != len(b) and slipped("".join(a), "".join(b)):
        return levels["slip"]
    if set(a) < set(b) or set(b) < set(a):
        return levels["part"]
    return levels["differs"]


def registration_level(a: str, b: str) -> Level | None:
    """How two registration numbers agree; nothing where either is missing."""
    if not (a and b):
        return None
    if a == b:
        return weights.REGISTRATION["same"]
    return weights.REGISTRATION["slip" if OSA.distance(a, b, score_cutoff=1) <= 1 else "differs"]


def email_level(a: str, b: str) -> Level:
    """How two mailboxes agree."""
    levels = weights.EMAIL
    if a == b:
        return levels["same"]
    if OSA.distance(a, b, score_cutoff=1) <= 1 and _digits(a) == _digits(b):
        return levels["slip"]
    local = a.rpartition("@")[0]
    return levels["mailbox" if len(local) >= 6 and local == b.rpartition("@")[0] else "differs"]


def phones_level(a: frozenset[str], b: frozenset[str]) -> Level | None:
    """How two people's telephone numbers agree; nothing where either has none."""
    if not (a and b):
        return None
    levels = weights.PHONE
    if a & b:
        return levels["shared" if a - b and b - a else "same"]
    return levels["slip" if any(OSA.distance(x, y, score_cutoff=1) <= 1 for x in a for y in b) else "differs"]


def address_level(a: Address, b: Address) -> Level:
    """How two postal addresses agree."""
    levels = weights.POST
    houses = a.house == b.house or not (a.house and b.house)
    codes = a.postcode == b.postcode or not (a.postcode and b.postcode)
    alike = fuzz.token_sort_ratio(" ".join(sorted(a.words)), " ".join(sorted(b.words))) >= CLOSE_STREET
    if a.house and houses and codes and (alike or a.words < b.words or b.words < a.words):
        return levels["same"]
    if a.house and houses and (alike or (a.postcode and codes)):
        return levels["near"]
    return levels["postcode" if a.postcode and codes else "differs"]


def slipped(a: str, b: str) -> bool:
    """Whether two spellings are a slip or two apart."""
    shorter = min(len(a), len(b))
    if shorter < 4 or abs(len(a) - len(b)) > 2:
        return False
    allowed = 1 if shorter < 8 else 2
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed or (
        shorter >= 6 and JaroWinkler.similarity(a, b) >= CLOSE and OSA.distance(a, b) <= 2
    )


def _two_names(a: str, b: str) -> bool:
    """Whether two given names are so near and so short, or so well known, that they are as often two people as a slip.

    Jan and Jon; Paul and Paula, Andrea and Andreas, Mario and Maria, where many languages put gender in the last
    letter; Christian and Christina.
    """
    if OSA.distance(a, b, score_cutoff=1) > 1:
        return False
    if min(len(a), len(b)) < SHORTEST or (a in FULL_NAMES and b in FULL_NAMES):
        return True
    short, long = sorted((a, b), key=len)
    if len(short) == len(long):
        return a[:-1] == b[:-1] and {a[-1], b[-1]} <= set("aeiouy")
    return long[:-1] == short and long[-1] in "aeinos"


def _two_slips(a: str, b: str) -> bool:
    """Whether two given names may be one with a slip in either, and are not each a name of its own."""
    if min(len(a), len(b)) <= SHORTEST or (a in FULL_NAMES and b in FULL_NAMES):
        return False
    return OSA.distance(a, b, score_cutoff=2) <= 2


def _all_alike(a: Names, b: Names) -> bool:
    """Whether each word of one name has its own among those of the other: the same, slipped or abbreviated."""
    free = list(b)
    for word in a:
        found = word if word in free else next((w for w in free if _alike(word, w)), None)
        if not found:
            return False
        free.remove(found)
    return True


def _alike(a: str, b: str) -> bool:
    abbreviated = min(len(a), len(b)) >= 3 and (a.startswith(b) or b.startswith(a))
    return abbreviated or sound(a) == sound(b) or slipped(a, b)


def _without_slipped_form(words: Names) -> Names:
    """A legal form with a slip in it is no word of the name."""
    last = words[-1] if len(words) > 1 else ""
    return words[:-1] if any(OSA.distance(last, form, score_cutoff=1) == 1 for form in LONG_FORMS) else words


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())
