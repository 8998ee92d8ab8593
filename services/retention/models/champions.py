"""The champion, held in memory: a score asks nobody for it."""

import asyncio
from typing import Any, Protocol

from chassis.log import logger
from chassis.rules import Refusal
from services.retention.models.keys import Signer
from services.retention.models.registry import Entry
from services.retention.scores.assessment_rules import Champion, champion

POLL_SECONDS = 0.5
"""How long a replica may go on with the champion of before: a change stream costs a connection for what a half-second
poll of one indexed id does."""
MOST_OPEN = 16
_log = logger("champions")


class Registry(Protocol):
    """What is asked of a store."""

    async def get(self, transaction: Any, model_id: str) -> Entry | None: ...

    async def champion_id(self, transaction: Any) -> str: ...


class Champions:
    """The models that scores are made with: opened, verified, each once."""

    def __init__(self, store: Registry, signer: Signer) -> None:
        self._store = store
        self._signer = signer
        self._open: dict[str, Champion] = {}
        self._refused: set[str] = set()
        self._current: Champion | None = None

    def current(self) -> Champion | None:
        """The champion, at most a second old; None: there is none, or none that can be trusted."""
        return self._current

    async def of(self, transaction: Any) -> Champion | None:
        """The champion as the transaction sees it."""
        model_id = await self._store.champion_id(transaction)
        if not model_id:
            return None
        if self._current is not None and self._current.id == model_id:
            return self._current
        return await self.model(model_id)

    async def model(self, model_id: str) -> Champion | None:
        """A model by its id; None where it is not there, or cannot be trusted. A model never changes."""
        known = self._open.get(model_id)
        if known is not None:
            return known
        entry = await self._store.get(None, model_id)
        model = None if entry is None else self._opened(entry)
        if model is not None:
            if len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[model_id] = model
        return model

    async def refresh(self) -> None:
        """Takes up the champion of now."""
        before, self._current = self._current, await self.of(None)
        if self._current is not None and self._current is not before:
            _log.info("champion", model=self._current.id)

    async def follow(self) -> None:
        """Keeps up with the champion, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(POLL_SECONDS)

    def _opened(self, entry: Entry) -> Champion | None:
        try:
            return champion(entry.id, self._signer.open(entry))
        except Refusal as refusal:
            if entry.id not in self._refused:
                self._refused.add(entry.id)
                _log.error("model_refused", model=entry.id, reason=refusal.message)
            return None
