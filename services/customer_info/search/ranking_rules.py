"""How well names answer a query. Pure."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rapidfuzz.distance import OSA

from services.customer_info.names.rules import parsed, sound

Id = TypeVar("Id", bound=Hashable)

FLOOR: Final = 0.5
"""What scores less is no answer."""
FOUND: Final = 0.9
"""From here on every word stands there as typed, or is the last, of two letters or more, and begins one; a title,
particle or legal form may be another. What scores less has a word that does not."""
NEARLY_FOUND: Final = 0.82
"""From here on most of what was typed stands there so."""
GOOD: Final = 0.7
"""From here on what was typed has its counterpart, if mistyped: all but a short word beside long ones."""

# The degrees never overlap, so that exact comes before begun, and begun before mistyped.
_EXACT, _BEGUN, _ALIKE, _SHORTENED, _ONE_SLIP, _TWO_SLIPS, _INITIAL = 1.0, 0.935, 0.87, 0.77, 0.75, 0.62, 0.6
_BEGUN_ALIKE, _SHORTENED_ALIKE = 0.78, 0.66
_ONE_IN: Final = 4
"""A slip is forgiven in a word of so many letters, a second in one of twice as many but two."""
_LENGTH: Final = 0.03
"""What a beginning gains at most by how much of the word it is."""
_UNASKED: Final = 0.035
"""What a name loses at most for words that nobody asked for: less than lies between two degrees."""
_MARGINAL: Final = 0.5
"""The weight of a title, particle or legal form; another word weighs as much as it has letters."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A word of a query; the last may be half-typed."""

    text: str
    sound: str
    weight: float
    last: bool


@dataclass(frozen=True, slots=True)
class _Query:
    """The words of a query, the weightiest first, and those that say who it is in one."""

    words: tuple[_Asked, ...]
    weight: float
    joined: str


def ranked(query: str, candidates: Iterable[tuple[Id, Sequence[str]]]) -> list[tuple[Id, float]]:
    """Those of `candidates` (id and names) that answer the query, the best first, each with a score from `FLOOR` to 1.

    A word found as typed counts more than one that only begins so, that more than one with the same sound, that more
    than one whose sound begins so, that more than one with a slip in it. The order of words does not count; words that
    nobody asked for count a little against a name. Equal scores keep the order of the names themselves, then that of
    the candidates.
    """
    asked = _asked(query)
    if not asked.words:
        return []
    scored = [
        (score, " ".join(names), which) for which, names in candidates if (score := _score(asked, names)) >= FLOOR
    ]
    scored.sort(key=lambda s: (-s[0], s[1]))
    return [(which, score) for score, _, which in scored]


def likeness(query: str, names: Sequence[str]) -> float:
    """How well `names` answer the query, 0 to 1."""
    asked = _asked(query)
    return _score(asked, names) if asked.words else 0.0


def _asked(query: str) -> _Query:
    parts = parsed(query)
    last = len(parts.tokens) - 1
    words = [
        _Asked(t, sound(t), float(len(t)) if t in parts.core else _MARGINAL, n == last)
        for n, t in enumerate(parts.tokens)
    ]
    words.sort(key=lambda w: -w.weight)
    return _Query(tuple(words), sum(w.weight for w in words), "".join(t for t in parts.tokens if t in parts.core))


def _score(query: _Query, names: Sequence[str]) -> float:
    parts = [parsed(name) for name in names]
    core = [t for part in parts for t in part.core]
    free = [t for part in parts for t in (*part.tokens, *part.joined)]
    gained, as_typed = 0.0, True
    for word in query.words:
        best, which = 0.0, -1
        for n, token in enumerate(free):
            if (score := _word(word, token)) > best:
                best, which = score, n
        as_typed = as_typed and (best >= _BEGUN or word.weight == _MARGINAL)
        if best:
            del free[which]
            gained += best * word.weight
    letters = sum(map(len, core))
    unasked = sum(len(t) for t in free if t in core) / letters if letters else 0.0
    score = gained / query.weight - _UNASKED * unasked
    if score < _ONE_SLIP and query.joined and query.joined == "".join(core):
        score = _ALIKE
    elif not as_typed and score > GOOD:
        # One long word as typed does not make up for a short one that is not.
        score = GOOD + (score - GOOD) * (_ALIKE - GOOD) / (1 - GOOD)
    return round(max(score, 0.0), 4)


def _word(word: _Asked, other: str) -> float:
    """How well `other` answers one word of the query."""
    text = word.text
    if text == other:
        return _EXACT
    if len(text) > 1 and other.startswith(text):
        return (_BEGUN if word.last else _SHORTENED) + _LENGTH * len(text) / len(other)
    if len(text) == 1 or len(other) == 1:
        return _INITIAL if text[0] == other[0] else 0.0
    heard = sound(other)
    if word.sound == heard:
        return _ALIKE
    begun = 0.0
    if len(word.sound) > 1 and heard.startswith(word.sound):
        begun = (_BEGUN_ALIKE if word.last else _SHORTENED_ALIKE) + _LENGTH * len(word.sound) / len(heard)
    return max(begun, _slipped(text, other), _slipped(text, other[: len(text)]) - 0.1 if word.last else 0.0)


def _slipped(word: str, other: str) -> float:
    allowed = 2 if len(word) >= 2 * _ONE_IN - 2 else 1 if len(word) >= _ONE_IN else 0
    distance = OSA.distance(word, other, score_cutoff=allowed)
    if distance == 0 or distance > allowed:
        return 0.0 if distance else _ALIKE
    return _ONE_SLIP if distance == 1 else _TWO_SLIPS
