"""The spellings that a typed word may stand for: one slip of the finger away, or longer. Pure."""

from itertools import product
from typing import Final

from services.customer_info.names.rules import sound

_ALPHABETS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
)
# The letters that a sound has after its first: "h" is none of them.
_SOUNDS: Final = {a: "".join(dict.fromkeys(sound("x" + c)[1:] or "x" for c in a)) for a in _ALPHABETS}
LONGEST: Final = 24
"""Letters of a word that are taken apart; it bounds the work for a word that nobody types."""


def alphabet(word: str) -> str:
    """The letters of the alphabet that `word` is written in; none for digits and scripts without an alphabet."""
    return next((a for c in word for a in _ALPHABETS if c in a), "")


def slips(word: str) -> set[str]:
    """Every word one edit from `word`: a letter more, less, wrong, or changed with its neighbour (Damerau 1964).

    A folded word; letters that may be missing or wrong come from its own alphabet, digits and letters from all others
    are only left out or moved. Without `word` itself.
    """
    head, tail = word[:LONGEST], word[LONGEST:]
    letters = alphabet(head)
    cuts = [(head[:n], head[n:]) for n in range(len(head) + 1)]
    found = {a + b[1:] + tail for a, b in cuts if b}
    found |= {a + b[1] + b[0] + b[2:] + tail for a, b in cuts if len(b) > 1}
    for letter in letters:
        found |= {a + letter + b + tail for a, b in cuts}
        found |= {a + letter + b[1:] + tail for a, b in cuts if b}
    return found - {word, ""}


def continued(start: str, more: int) -> set[str]:
    """Every sound that begins with the sound `start` and has `more` letters more, of the same alphabet."""
    letters = _SOUNDS.get(alphabet(start), "")
    return {start + "".join(end) for end in product(letters, repeat=more)}
