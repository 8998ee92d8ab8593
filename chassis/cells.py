"""Cells of CSV files: safe to open in a spreadsheet, and read back as they were.

A spreadsheet takes a cell that begins with one of `= + - @`, a tab or a carriage return for a formula (CWE-1236), and a
telephone number for an amount. Such a cell is written with an apostrophe before it, which says "text" to spreadsheets;
so is one that begins with an apostrophe of its own. Reading takes the apostrophe away again.

Several values in one cell are parted by `;`, the name and the value of a pair by `:` or `=`. A backslash before one of
these, or before a backslash, makes it a letter like others.
"""

from collections.abc import Iterable, Iterator

GUARD = "'"
GUARDED = ("=", "+", "-", "@", "\t", "\r", GUARD)
SEPARATOR = ";"
ESCAPE = "\\"


def guarded(text: str) -> str:
    """`text` as it stands in a cell."""
    return GUARD + text if text.startswith(GUARDED) else text


def unguarded(cell: str) -> str:
    """The text that stands in a cell; one that nobody guarded is taken as it is."""
    return cell[1:] if cell.startswith(GUARD) and cell[1:].startswith(GUARDED) else cell


def joined(values: Iterable[str]) -> str:
    """Several values as one text."""
    return SEPARATOR.join(_escaped(value, SEPARATOR) for value in values)


def parted(text: str) -> list[str]:
    """The values that `joined` made a text of; none of an empty one."""
    return [_plain(part, SEPARATOR) for part in _split(text, SEPARATOR)] if text else []


def joined_pairs(pairs: Iterable[tuple[str, str]], sign: str) -> str:
    """Several pairs as one text, `sign` between the name and the value of each."""
    return SEPARATOR.join(
        f"{_escaped(name, SEPARATOR + sign)}{sign}{_escaped(value, SEPARATOR + sign)}" for name, value in pairs
    )


def parted_pairs(text: str, sign: str) -> list[tuple[str, str]]:
    """The pairs that `joined_pairs` made a text of.

    Raises:
        ValueError: a part has no `sign`; the sentence does not repeat it.
    """
    pairs = []
    for part in _split(text, SEPARATOR) if text else ():
        name, *value = _split(part, sign)
        if not value:
            raise ValueError(f"must be pairs such as name{sign}value, parted by {SEPARATOR}")
        # Whoever writes by hand need not know that a sign in a value could be escaped.
        pairs.append((_plain(name, SEPARATOR + sign), _plain(sign.join(value), SEPARATOR + sign)))
    return pairs


def _escaped(text: str, signs: str) -> str:
    for sign in ESCAPE + signs:
        text = text.replace(sign, ESCAPE + sign)
    return text


def _plain(text: str, signs: str) -> str:
    return "".join(sign for sign, _ in _letters(text, ESCAPE + signs))


def _split(text: str, sign: str) -> Iterator[str]:
    """The parts of `text` between its unescaped `sign`s, still escaped."""
    part = ""
    escaped = False
    for letter in text:
        if letter == sign and not escaped:
            yield part
            part = ""
        else:
            part += letter
        escaped = letter == ESCAPE and not escaped
    yield part


def _letters(text: str, signs: str) -> Iterator[tuple[str, bool]]:
    """The letters of `text`, and whether each was escaped; a backslash before anything else is one itself."""
    letters = iter(text)
    for letter in letters:
        if letter != ESCAPE:
            yield letter, False
            continue
        after = next(letters, "")
        if after and after in signs:
            yield after, True
        else:
            yield ESCAPE, False
            if after:
                yield after, False
