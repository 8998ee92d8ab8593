"""Characteristics of customers: what they are called, and what events may tell of them. Pure."""

import re
from collections.abc import Iterable

from chassis.rules import Invalid

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# Those that the contract tells of. Any other name is free text, and events are kept beyond an erasure.
_TOLD = frozenset({"senior", "partner", "dependents"})
# A flag or a count names nobody. Free text could.
_HARMLESS = re.compile(r"yes|no|true|false|[0-9]{1,3}", re.ASCII)


def check(characteristics: Iterable[tuple[str, str]]) -> None:
    """Passes characteristics that each have a name of their own.

    Raises:
        Invalid: a name is not in snake case, or stands there twice.
    """
    seen = set()
    for n, (name, _) in enumerate(characteristics):
        field = f"customer.characteristics[{n}].name"
        if not _NAME.fullmatch(name):
            raise Invalid("must be in snake case, such as care_level", field=field)
        if name in seen:
            raise Invalid("the same characteristic stands there twice", field=field)
        seen.add(name)


def told(characteristics: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that events may tell of: of what the contract names, flags, and whole numbers of at most three digits."""
    return [(name, value) for name, value in characteristics if name in _TOLD and _HARMLESS.fullmatch(value)]
