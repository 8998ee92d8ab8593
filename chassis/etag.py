"""Etags: the version of a record as an opaque text; a mismatch is ABORTED and names the current one."""

from chassis.rules import Conflict


def etag(version: int) -> str:
    """The etag of `version`."""
    return f"v{version}"


def check(given: str, version: int) -> None:
    """Passes when `given` is empty or names `version`.

    Raises:
        Conflict: it names another.
    """
    current = etag(version)
    if given and given != current:
        raise Conflict("somebody changed it first: read it again, then retry", metadata={"etag": current})
