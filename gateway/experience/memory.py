"""What the services last told, for when they do not answer: bounded in size and in age, and apart for each audience."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from gateway.experience.ports import Ask, Viewer
from gateway.experience.rules import Remembered, Section

C = TypeVar("C")


class _Key(NamedTuple):
    """Nobody is shown what was told to somebody with other roles, or to another customer or partner."""

    customer_id: str
    section: Section
    viewer: Viewer
    interactions: int


class Memory(Generic[C]):
    """Last good answers; when they weigh too much, those that were not used for longest are forgotten."""

    def __init__(self, weigh: Callable[[C], int], most: int, longest: timedelta) -> None:
        """Holds contents that together weigh `most`, as `weigh` says, each no older than `longest`."""
        self._weigh = weigh
        self._most = most
        self._longest = longest
        self._weight = 0
        self._held: OrderedDict[_Key, tuple[Remembered[C], int]] = OrderedDict()

    def keep(self, section: Section, ask: Ask, told: Remembered[C]) -> None:
        """Remembers `told` in place of what was told before."""
        self.drop(section, ask)
        weight = self._weigh(told.content)
        self._held[_key(section, ask)] = (told, weight)
        self._weight += weight
        while self._weight > self._most:
            self._weight -= self._held.popitem(last=False)[1][1]

    def recall(self, section: Section, ask: Ask, now: datetime) -> Remembered[C] | None:
        """What was last told in answer to `ask`; None if nothing, or nothing young enough at `now`."""
        key = _key(section, ask)
        held = self._held.get(key)
        if held is None:
            return None
        if now - held[0].time > self._longest:
            self.drop(section, ask)
            return None
        self._held.move_to_end(key)
        return held[0]

    def drop(self, section: Section, ask: Ask) -> None:
        """Forgets what was told in answer to `ask`."""
        held = self._held.pop(_key(section, ask), None)
        if held is not None:
            self._weight -= held[1]

    def forget(self, customer_id: str) -> None:
        """Forgets all that was told of a customer, to anybody."""
        for key in [key for key in self._held if key.customer_id == customer_id]:
            self._weight -= self._held.pop(key)[1]


def _key(section: Section, ask: Ask) -> _Key:
    return _Key(ask.customer_id, section, ask.viewer, ask.interactions if section is Section.INTERACTIONS else 0)
