"""One document of what several services tell, and no piece of it before all have begun."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

import pytest

from chassis.rules import NotFound, Unavailable
from gateway.privacy.usecases import PIECE_BYTES, SERVICES, Export, Part

LARGE = b'"' + b"x" * PIECE_BYTES + b'"'
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Told:
    """Services that tell what they are told to; a step is a part, an error, or a gate to wait at."""

    def __init__(self, **scripts: Sequence[Part | Exception | asyncio.Event]) -> None:
        self.scripts = {name: scripts.get(name, [Part("things", [])]) for name in SERVICES}
        self.closed: list[str] = []

    async def export(self, service: str, customer_id: str) -> AsyncGenerator[Part, None]:
        try:
            for step in self.scripts[service]:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed.append(service)


def exporting(told: Told, silence: float = 5.0) -> Export:
    return Export(told, silence, lambda: NOON)


async def pieces(told: Told) -> list[bytes]:
    return [piece async for piece in exporting(told).tell("ann")]


async def test_parts_of_one_kind_are_one_array() -> None:
    told = Told(
        interaction=[Part("a", [b"1", b"2"]), Part("a", []), Part("a", [b"3"]), Part("b", []), Part("c", [b"4"])]
    )
    document = json.loads(b"".join(await pieces(told)))
    nothing: dict[str, list[object]] = {"things": []}
    assert document == {
        "customer_id": "ann",
        "exported_at": "2026-03-02T12:00:00Z",
        "services": {
            "customer_info": nothing, "interaction": {"a": [1, 2, 3], "b": [], "c": [4]},
            "retention": nothing, "sla": nothing,
        },
    }  # fmt: skip
    assert sorted(told.closed) == sorted(SERVICES)


async def test_pieces_are_sent_as_they_fill_and_not_before_all_have_begun() -> None:
    gate = asyncio.Event()
    told = Told(customer_info=[Part("a", [LARGE])], sla=[gate, Part("a", [LARGE]), Part("b", [b"2"])])
    telling = exporting(told).tell("ann")
    first = asyncio.ensure_future(anext(telling))
    await asyncio.sleep(0)
    assert not first.done()
    gate.set()
    assert len(await first) >= PIECE_BYTES
    rest = [piece async for piece in telling]
    assert len(rest) == 2
    assert json.loads((await first) + b"".join(rest))["services"]["sla"]["b"] == [2]


async def test_a_refusal_of_customer_information_comes_before_the_others_faults() -> None:
    told = Told(customer_info=[NotFound("nobody")], interaction=[Unavailable("down")], sla=[asyncio.Event()])
    with pytest.raises(NotFound):
        await pieces(told)
    assert sorted(told.closed) == sorted(SERVICES)


async def test_who_is_silent_is_named() -> None:
    with pytest.raises(Unavailable, match="retention does not answer"):
        async for _ in exporting(Told(retention=[asyncio.Event()]), 0.01).tell("ann"):
            pytest.fail("nothing may be told")
    halfway = Told(retention=[Part("a", []), asyncio.Event()])
    with pytest.raises(Unavailable, match="retention does not answer"):
        async for _ in exporting(halfway, 0.01).tell("ann"):
            pytest.fail("nothing is large enough to be told before")
    assert sorted(halfway.closed) == sorted(SERVICES)


@pytest.mark.parametrize("script", [[], [Part("a", []), Part("b", []), Part("a", [])]], ids=["nothing", "twice"])
async def test_what_would_not_be_whole_is_refused(script: Sequence[Part]) -> None:
    with pytest.raises(Unavailable, match="sla told"):
        await pieces(Told(sla=script))


async def test_who_leaves_early_leaves_nothing_open() -> None:
    told = Told(customer_info=[Part("a", [LARGE]), Part("b", [])])
    telling = exporting(told).tell("ann")
    assert await anext(telling)
    await telling.aclose()  # type: ignore[attr-defined]
    assert sorted(told.closed) == sorted(SERVICES)
