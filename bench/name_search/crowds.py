"""Who is looked for among many who are called nearly so: more than a step of the search fetches."""

from dataclasses import dataclass
from typing import Final

from bench.name_search.index import Names

CROWD: Final = 500
"""People of a crowd: more than twice what a step fetches."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who are many, who is one of them nearly, and what is typed to find that one."""

    kind: str
    many: Names
    """Their names; `{n}` is another number for each, `{letters}` other letters."""
    one: Names
    typed: str

    def names(self) -> list[Names]:
        """The names of all, who is looked for in the middle."""
        others = [tuple(name.format(n=n, letters=_letters(n)) for name in self.many) for n in range(CROWD)]
        return [*others[: CROWD // 2], self.one, *others[CROWD // 2 :]]


# Each of names that no other crowd, and hardly anybody in the population, has.
CROWDS: Final = (
    Crowd("family name, other spelling", ("Given{letters}", "Veyer"), ("Ada", "Veier"), "Veier"),
    Crowd("family name, differs late", ("Given{letters}", "Rodrigvez"), ("Ada", "Rodrigves"), "Rodrigves"),
    Crowd("full name, other spelling", ("Anna", "Keyser"), ("Anna", "Keiser"), "Anna Keiser"),
    Crowd("full name, fewer given names", ("Ida {letters}", "Grunwaldt"), ("Ida", "Grunwaldt"), "Ida Grunwaldt"),
    Crowd("typing: 3 letters, other spelling", ("Given{letters}", "Xeinar"), ("Ada", "Xeynar"), "Xey"),
    Crowd("typing: 4 letters, other spelling", ("Given{letters}", "Zoinar"), ("Ada", "Zoynar"), "Zoyn"),
    Crowd("typing: 6 letters, a longer name", ("Given{letters}", "Qeyerz"), ("Ada", "Qeyerzhof"), "Qeyerzh"),
    Crowd("typing: 6 letters, other spelling", ("Given{letters}", "Yoffmann"), ("Ada", "Yofmann"), "Yofman"),
    Crowd("typing: given name, other spelling", ("Paula", "Teiler"), ("Paula", "Teyler"), "Paula Tey"),
    Crowd("typing: given name but for a letter", ("Anna", "Skreiber"), ("Annabel", "Skreiber"), "Annabe Skreiber"),
    Crowd("company, a word less", ("Bekker Bau {n} GmbH",), ("Bekker Bau GmbH",), "Bekker Bau GmbH"),
    Crowd("company, one word", ("Ulmenhof {letters} AG",), ("Ulmenhof AG",), "Ulmenhof"),
    Crowd("typing: company, its legal form", ("Kessel Rohr {n} GmbH",), ("Kessel Rohr GmbH",), "Kessel Rohr Gmb"),
    Crowd("typing: company, third word", ("Tannen Dach {n}",), ("Tannen Dach Nordstern",), "Tannen Dach Nordst"),
)


def _letters(n: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in f"{n:03d}")
