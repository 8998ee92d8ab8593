"""What people type who look for somebody."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from services.customer_info.names.rules import folded, parsed

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
NEIGHBOURS: Final = {
    **dict(zip(LETTERS, "snvfrdhjokjkjnbilwesdizcxuzx", strict=False)),
    "a": "qs",
    "e": "wr",
    "i": "uo",
    "n": "bm",
    "r": "et",
    "s": "ad",
    "t": "rz",
    "m": "n",
    "l": "k",
}
"""Letters beside each other on a keyboard."""
UMLAUTS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ö": "Oe", "Ü": "Ue", "Ä": "Ae", "å": "aa", "ø": "oe"}
)


def slip(word: str, rng: random.Random) -> str:
    """`word` with a letter wrong, missing, doubled, too many, or changed with the next."""
    at = rng.randrange(len(word))
    kind = rng.choices(("wrong", "missing", "more", "swapped", "doubled"), (35, 25, 15, 15, 10))[0]
    near = rng.choice(NEIGHBOURS.get(word[at], "e"))
    if kind == "swapped" and len(word) > 1:
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    other = {"wrong": near, "missing": "", "more": word[at] + near, "doubled": word[at] * 2}.get(kind, near)
    return word[:at] + other + word[at + 1 :]


def _slipped(text: str, rng: random.Random, count: int = 1) -> str:
    """Slips in `count` words of four letters or more."""
    words = folded(text).split()
    long = [n for n, w in enumerate(words) if len(w) >= 4]
    for n in rng.sample(long, min(count, len(long))):
        words[n] = slip(words[n], rng)
    return " ".join(words)


def _both(names: Sequence[str]) -> str:
    return " ".join(names)


def _first(text: str) -> str:
    return parsed(text).core[0]


Query = Callable[[Sequence[str], random.Random], str]
# Of a person: given and family name.
PERSON: Final[dict[str, Query]] = {
    "full name": lambda n, _: _both(n),
    "reordered": lambda n, _: f"{n[1]} {n[0]}",
    "without accents": lambda n, _: folded(_both(n)),
    "umlauts transcribed": lambda n, _: _both(n).translate(UMLAUTS),
    "one slip": lambda n, r: _slipped(_both(n), r),
    "one slip, reordered": lambda n, r: _slipped(f"{n[1]} {n[0]}", r),
    "a slip in each of two words": lambda n, r: _slipped(_both(n), r, 2),
    "one of two family names": lambda n, r: f"{n[0].split()[0]} {r.choice(parsed(n[1]).core)}",
    "initial and family name": lambda n, _: f"{n[0][0]} {n[1]}",
    "family name alone": lambda n, _: n[1],
    "family name alone, a slip": lambda n, r: _slipped(n[1], r),
    "a word too many": lambda n, r: f"{n[0]} {r.choice(('Alexandra', 'Luise', 'Robert', 'M'))} {n[1]}",
    "family name in one word": lambda n, _: f"{n[0]} {folded(n[1]).replace(' ', '')}",
    "typing: 2 letters": lambda n, _: _first(n[1])[:2],
    "typing: 3 letters": lambda n, _: _first(n[1])[:3],
    "typing: 4 letters": lambda n, _: _first(n[1])[:4],
    "typing: 5 letters": lambda n, _: _first(n[1])[:5],
    "typing: 6 letters": lambda n, _: _first(n[1])[:6],
    "typing: 7 letters": lambda n, _: _first(n[1])[:7],
    "typing: given name, 1 letter": lambda n, _: f"{_first(n[0])} {_first(n[1])[:1]}",
    "typing: given name, 2 letters": lambda n, _: f"{_first(n[0])} {_first(n[1])[:2]}",
    "typing: given name, 4 letters": lambda n, _: f"{_first(n[0])} {_first(n[1])[:4]}",
    "typing: 3 letters of each": lambda n, _: f"{_first(n[0])[:3]} {_first(n[1])[:3]}",
    "typing: 4 letters of each": lambda n, _: f"{_first(n[1])[:4]} {_first(n[0])[:4]}",
    "typing: family name, 3 letters": lambda n, _: f"{_first(n[1])} {_first(n[0])[:3]}",
    "typing: slip in given name, 4 letters": lambda n, r: f"{_slipped(_first(n[0]), r)} {_first(n[1])[:4]}",
    "typing: given name, slip in 5 letters": lambda n, r: f"{_first(n[0])} {_slipped(_first(n[1])[:5], r)}",
}
# Of a company: its trading name.
COMPANY: Final[dict[str, Query]] = {
    "company": lambda n, _: n[0],
    "company without legal form": lambda n, _: " ".join(parsed(n[0]).core),
    "company, other legal form": lambda n, r: f"{' '.join(parsed(n[0]).core)} {r.choice(('GmbH', 'AG', 'Ltd', 'SA'))}",
    "company reordered": lambda n, _: " ".join(reversed(parsed(n[0]).core)),
    "company, one slip": lambda n, r: _slipped(" ".join(parsed(n[0]).core), r),
    "company, first word": lambda n, _: _first(n[0]),
    "company, first word, a slip": lambda n, r: _slipped(_first(n[0]), r),
    "typing: company, 2 letters of second word": lambda n, _: f"{_first(n[0])} {parsed(n[0]).core[-1][:2]}",
}
