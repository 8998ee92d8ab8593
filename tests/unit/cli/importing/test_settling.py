"""How long it is waited."""

import pytest

from cli.importing import settling


class Bar:
    def __init__(self) -> None:
        self.seen: list[float] = []

    def done(self, completed: float, note: str = "") -> None:
        self.seen.append(completed)


async def test_it_waits_until_all_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PAUSE", 0.0)
    asked: list[int] = []

    async def settled(item: int) -> bool:
        asked.append(item)
        return asked.count(item) >= item

    bar = Bar()
    assert await settling.until([1, 2, 3], settled, bar) == 0
    assert bar.seen == [0, 1, 2, 3]


async def test_it_gives_up_when_nothing_moves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PAUSE", 0.0)
    monkeypatch.setattr(settling, "STALL", 0.0)

    async def settled(item: int) -> bool:
        return item == 1

    assert await settling.until([1, 2, 3], settled, Bar()) == 2
