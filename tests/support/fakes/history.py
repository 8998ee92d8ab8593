"""`History` and `Records` in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.customer_info.history.rules import Place, Version, latest
from services.customer_info.history.store import PERSONAL, PRESENT_ONLY, SEALED

Document = dict[str, Any]


class FakeHistory:
    """Behaves as `History` does."""

    def __init__(self) -> None:
        self.entries: dict[str, Version] = {}

    async def keep(self, transaction: Any, kind: str, befores: Sequence[Mapping[str, Any]]) -> None:
        for before in befores:
            kept = version(kind, before.get("customer_id", before["_id"]), before)
            self.entries[kept.key] = kept

    async def as_of(self, kind: str, subject: str, at: datetime) -> Document | None:
        mine = (e for e in self.entries.values() if (e.kind, e.record_id) == (kind, subject))
        found = latest((e for e in mine if e.time <= at), 1)
        return dict(found[0].document) if found else None

    async def versions(self, keys: Sequence[str]) -> dict[str, Document]:
        return {key: dict(self.entries[key].document) for key in keys if key in self.entries}

    async def page(
        self, customer_ids: Sequence[str], kinds: Sequence[str], before: Place | None, most: int
    ) -> list[Version]:
        mine = [e for e in self.entries.values() if e.customer_id in customer_ids and e.kind in kinds]
        return latest((e for e in mine if before is None or e.place < before), most)

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        for entry in self.entries.values():
            if entry.customer_id in customer_ids:
                assert isinstance(entry.document, dict)
                for name in PERSONAL.get(entry.kind, SEALED):
                    entry.document.pop(name, None)


class FakeRecords:
    """Behaves as `Records` does; `owners` says for each kind which field names the customer."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        self._owners = owners
        self.kept: dict[str, dict[str, Document]] = {kind: {} for kind in owners}

    def put(self, kind: str, document: Document) -> None:
        """Puts a record in place of what it was."""
        self.kept[kind][document["_id"]] = document

    async def page(self, kind: str, customer_ids: Sequence[str], before: Place | None, most: int) -> list[Version]:
        owner = self._owners[kind]
        found = [version(kind, d[owner], d) for d in self.kept[kind].values() if d[owner] in customer_ids]
        return latest((v for v in found if before is None or v.place < before), most)

    async def one(self, kind: str, record_id: str) -> Version | None:
        found = self.kept[kind].get(record_id)
        return None if found is None else version(kind, found[self._owners[kind]], found)


def version(kind: str, customer_id: str, document: Mapping[str, Any]) -> Version:
    """A version as the stores tell of it."""
    shown = {k: v for k, v in document.items() if k not in PRESENT_ONLY}
    return Version(
        kind,
        document["_id"],
        customer_id,
        document["version"],
        document["update_time"],
        document.get("by", ""),
        document.get("channel", ""),
        shown,
    )
