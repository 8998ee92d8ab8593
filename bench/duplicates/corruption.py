"""What goes wrong between one record of a customer and the next."""

# ruff: noqa: ARG001, ARG005 - every corruption is called alike, those that draw nothing too

from dataclasses import replace
from typing import Final

from bench.duplicates.records import Corruption, Record, Town
from bench.name_search.queries import UMLAUTS, slip
from services.customer_info.names.nicknames_rules import FULL_NAMES
from services.customer_info.names.rules import folded, parsed


def _slip(text: str, town: Town) -> str:
    """A slip in a word of three letters or more, which keeps its capital."""
    words = text.split()
    long = [n for n, w in enumerate(words) if len(w) > 2]
    if not long:
        return text
    n = town.rng.choice(long)
    words[n] = slip(words[n].lower(), town.rng).capitalize()
    return " ".join(words)


def _digit(number: str, town: Town) -> str:
    """A digit wrong, or two changed with each other, beyond the country code."""
    at = town.rng.randrange(4, len(number) - 1)
    if town.rng.random() < 0.4:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + str(town.rng.randrange(10)) + number[at + 1 :]


def _nickname(r: Record, town: Town) -> Record:
    """A short form of the given name; an initial where there is none."""
    full = folded(r.given).split()[0]
    short = sorted(name for name, fulls in FULL_NAMES.items() if full in fulls and name != full)
    return replace(r, given=town.rng.choice(short).capitalize()) if short else r


def _initial(r: Record, town: Town) -> Record:
    return replace(r, given=f"{r.given[0]}.")


def _second_given(r: Record, town: Town) -> Record:
    """A second given name left out, or told where it was not."""
    names = r.given.split()
    return replace(r, given=names[0] if len(names) > 1 else f"{r.given} {town.population.given()}")


def _married(r: Record, town: Town) -> Record:
    """Another family name, or both in one."""
    new = town.population.family()
    return replace(r, family=f"{r.family}-{new}" if town.rng.random() < 0.3 else new)


def _moved(r: Record, town: Town) -> Record:
    return replace(r, posts=(town.address(),))


def _address_written(r: Record, town: Town) -> Record:
    """The same address, as somebody else writes it."""

    def other(post: str) -> str:
        way = town.rng.randrange(3)
        if way == 0:
            return post.replace("straße", "str.")
        if way == 1:
            return ", ".join(reversed(post.split(", "))).translate(UMLAUTS)
        street, place = post.split(", ")
        return f"{_slip(street, town)}, {place}"

    return replace(r, posts=tuple(map(other, r.posts)))


def _new_email(r: Record, town: Town) -> Record:
    return replace(r, emails=(town.email(r.given or r.name, r.family or r.name),)) if r.emails else r


def _new_phone(r: Record, town: Town) -> Record:
    """Another mobile number; some keep the line at home."""
    return replace(r, phones=(town.mobile(), *(r.phones[1:] if town.rng.random() < 0.5 else ())))


def _email_slip(r: Record, town: Town) -> Record:
    def other(email: str) -> str:
        local, _, domain = email.partition("@")
        return f"{slip(local, town.rng)}@{domain}"

    return replace(r, emails=tuple(map(other, r.emails)))


def _other_form(r: Record, town: Town) -> Record:
    """The name without its legal form."""
    words = r.name.split()
    while len(words) > 1 and parsed(" ".join(words[:-1])).core == parsed(r.name).core:
        words.pop()
    return replace(r, name=" ".join(words))


def _abbreviated(r: Record, town: Town) -> Record:
    """The longest word of the name cut short."""
    longest = max(r.name.split(), key=len)
    return replace(r, name=r.name.replace(longest, f"{longest[: max(4, len(longest) // 2)]}."))


PERSON: Final[dict[str, tuple[float, Corruption]]] = {
    "slip in given name": (12, lambda r, t: replace(r, given=_slip(r.given, t))),
    "slip in family name": (14, lambda r, t: replace(r, family=_slip(r.family, t))),
    "names swapped": (5, lambda r, t: replace(r, given=r.family, family=r.given)),
    "umlauts transcribed": (
        6,
        lambda r, t: replace(r, given=r.given.translate(UMLAUTS), family=r.family.translate(UMLAUTS)),
    ),
    "nickname": (6, _nickname),
    "initial": (3, _initial),
    "second given name": (5, _second_given),
    "married": (6, _married),
    "moved": (14, _moved),
    "address written otherwise": (10, _address_written),
    "new email": (10, _new_email),
    "slip in email": (5, _email_slip),
    "new phone": (9, _new_phone),
    "slip in phone": (5, lambda r, t: replace(r, phones=tuple(_digit(p, t) for p in r.phones))),
    "no email": (8, lambda r, t: replace(r, emails=())),
    "no phone": (7, lambda r, t: replace(r, phones=())),
    "no address": (8, lambda r, t: replace(r, posts=())),
}
"""Of a person; each with how often it happens beside the others."""
COMPANY: Final[dict[str, tuple[float, Corruption]]] = {
    "slip in name": (14, lambda r, t: replace(r, name=_slip(r.name, t))),
    "legal form left out": (16, _other_form),
    "name abbreviated": (6, _abbreviated),
    "name reordered": (5, lambda r, t: replace(r, name=" ".join(reversed(parsed(r.name).core)))),
    "no registration number": (14, lambda r, t: replace(r, registration="")),
    "slip in registration number": (
        3,
        lambda r, t: replace(r, registration=_digit(r.registration, t)) if r.registration else r,
    ),
    "moved": (8, _moved),
    "address written otherwise": (10, _address_written),
    "new phone": (8, lambda r, t: replace(r, phones=(t.landline(),))),
    "slip in phone": (4, lambda r, t: replace(r, phones=tuple(_digit(p, t) for p in r.phones))),
    "no email": (10, lambda r, t: replace(r, emails=())),
    "no phone": (8, lambda r, t: replace(r, phones=())),
    "no address": (8, lambda r, t: replace(r, posts=())),
}
"""Of a company."""
HOW_MANY: Final = ((0, 1, 2, 3, 4), (6, 40, 34, 15, 5))
"""Things that go wrong with one record, and in how many of a hundred."""


def corrupted(record: Record, town: Town) -> tuple[Record, tuple[str, ...]]:
    """The same customer recorded once more, and what went wrong."""
    kinds = COMPANY if record.name else PERSON
    count = town.rng.choices(*HOW_MANY)[0]
    chosen: list[str] = []
    while len(chosen) < count:
        kind = town.rng.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
        if kind not in chosen:
            chosen.append(kind)
    # A second record gets an account of its own.
    copy = replace(
        record, issued=f"B{town.rng.randrange(10**8):08}" if record.issued and town.rng.random() < 0.5 else ""
    )
    done = []
    for kind in chosen:
        after = kinds[kind][1](copy, town)
        if after != copy:
            done.append(kind)
        copy = after
    return copy, tuple(done)
