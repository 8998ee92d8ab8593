"""Joint keys: what holds the data of several people is sealed with a key that only all of theirs make together.

A record that others were merged into holds their data as well as its own. Whoever of them is erased, be it after they
were parted again, takes with their key all versions that held theirs, wherever a copy of these lies.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from chassis.vault.sealing import DataKey

# The field of a document that names those whose data it holds beside its owner's.
SEALED_WITH: Final = "sealed_with"


def owners(owner: str, document: Mapping[str, Any]) -> tuple[str, ...]:
    """All whose keys it takes to open the document of `owner`, its owner first."""
    return (owner, *document.get(SEALED_WITH, ()))


def key_of(owner: str, document: Mapping[str, Any], keys: Mapping[str, DataKey]) -> DataKey | None:
    """The key that opens the document of `owner`; None where `keys` lacks one of those that it takes."""
    return joint(owners(owner, document), keys)


def joint(whose: Iterable[str], keys: Mapping[str, DataKey]) -> DataKey | None:
    """The key that the keys of these people make together, in this order; None where `keys` lacks one of them."""
    needed = [keys.get(one) for one in whose]
    found = [key for key in needed if key is not None]
    if len(found) < len(needed):
        return None
    return found[0] if len(found) == 1 else DataKey.of(found)
