"""The spellings that a typed word may stand for: one slip of the finger away, of the same sound, or longer. Pure."""

from functools import lru_cache
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
_PAIRS: Final = ("ae", "oe", "ue", "ck", "ij", "sz")
"""Two letters that are heard as one."""
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


def lengthened(start: str, more: int) -> set[str]:
    """Every word that begins with `start` and has `more` letters more, of the same alphabet; see `continued`."""
    return {start + "".join(end) for end in product(alphabet(start), repeat=more)}


def beginnings(start: str, length: int) -> set[str]:
    """The first `length` letters of words whose sound begins with the sound `start`, as far as such words are written.

    Of `mul`: mul, but mue, too, for Mueller. None for scripts without an alphabet.
    """
    letters = alphabet(start)
    found = {""} if letters else set()
    for heard in start:
        found = {(begun + way)[:length] for begun in found for way in _ways(heard)}
    return {begun + "".join(end) for begun in found for end in product(letters, repeat=length - len(begun))}


@lru_cache(maxsize=256)
def _ways(heard: str) -> tuple[str, ...]:
    """How one letter of a sound is written: k as k, c, q, kk, cc, qq, ck, each with or without h after it."""
    single = [c for c in alphabet(heard) if sound(c) == heard] or [heard]
    ways = {*single, *(2 * c for c in single), *(pair for pair in _PAIRS if sound(pair) == heard)}
    return tuple(sorted(ways | {way + "h" for way in ways if sound(way + "h") == heard}))
