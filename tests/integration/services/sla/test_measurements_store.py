"""What every store of measurements does, the real one and the one in memory."""

import pytest

from chassis.mongo.client import Store
from chassis.query.selection import Selection
from services.sla.measurements.outage_rules import Outage
from services.sla.measurements.rules import Window
from services.sla.measurements.store import MeasurementStore
from services.sla.measurements.usecases import Measurements, MeasurementUseCases
from tests.support.explain import SLOW, Overheard, stages
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.measurements import FakeMeasurements
from tests.unit.services.sla.builders import ADA, ADAS_OTHER, BOB, at


@pytest.fixture(params=["fake", "mongo"])
def measurements(request: pytest.FixtureRequest) -> Measurements:
    if request.param == "fake":
        return FakeMeasurements()
    return MeasurementStore(request.getfixturevalue("store"))


def outage(name: str, start: float, end: float | None, product: str = "line", customer: str = ADA) -> Outage:
    return Outage(name, customer, product, at(start), None if end is None else at(end), planned=start < 0)


async def test_an_outage_is_read_back_as_it_was_last_put(measurements: Measurements) -> None:
    usecases = MeasurementUseCases(measurements, FakeLineage())
    planned, begun, ended = outage("p", -1, 1), outage("o", 0, None), outage("o", 0, 3)
    await usecases.record([planned, begun])
    assert await measurements.read(None, ["o", "p", "x"]) == {"o": begun, "p": planned}
    await usecases.record([ended])
    assert await measurements.read(None, ["o"]) == {"o": ended}


async def test_only_what_overlaps_the_period_counts(measurements: Measurements) -> None:
    rows = [
        outage("before", 0, 2),
        outage("into", 1, 3),
        outage("within", 3, 4),
        outage("around", 0, 10),
        outage("open", 1, None),
        outage("after", 5, 6),
        outage("other", 3, 4, customer=BOB),
        outage("phone", 3, 4, "phone"),
    ]
    await MeasurementUseCases(measurements, FakeLineage()).record(rows)
    found = await measurements.within([ADA], "", Window(at(2), at(5)))
    assert sorted(o.id for o in found) == ["around", "into", "open", "phone", "within"]
    assert [o.id for o in await measurements.within([ADA], "phone", Window(at(2), at(5)))] == ["phone"]


async def test_all_outages_of_several_ids_are_walked_in_order(measurements: Measurements) -> None:
    rows = [outage(f"o{n}", n // 2, n + 1, customer=(ADA, ADAS_OTHER, BOB)[n % 3]) for n in range(12)]
    await MeasurementUseCases(measurements, FakeLineage()).record(rows)
    first, token = await measurements.page([ADA, ADAS_OTHER], Selection(page_size=5))
    rest, end = await measurements.page([ADA, ADAS_OTHER], Selection(page_size=5, page_token=token))
    wanted = sorted((o for o in rows if o.customer_id != BOB), key=lambda o: (o.start, o.id))
    assert (first + rest, end) == (wanted, "")


async def test_every_query_finds_its_index(spied: tuple[Store, Overheard]) -> None:
    store, listener = spied
    measurements = MeasurementStore(store)
    rows = [outage(f"o{n}", n, n + 1, f"p{n % 3}", (ADA, BOB)[n % 2]) for n in range(40)]
    await MeasurementUseCases(measurements, FakeLineage()).record(rows)
    for product in ("", "p1"):
        await measurements.within([ADA], product, Window(at(2), at(30)))
        await measurements.within([ADA, ADAS_OTHER], product, Window(at(2), at(30)))
    _, token = await measurements.page([ADA, BOB], Selection(page_size=3))
    await measurements.page([ADA, BOB], Selection(page_size=3, page_token=token))
    asked = [command for command in listener.commands if "find" in command or "update" in command]
    assert len(asked) >= 3
    for command in asked:
        for one in _each(command):
            assert not await stages(store, one) & SLOW, one


def _each(command: dict[str, object]) -> list[dict[str, object]]:
    """A batch of updates cannot be explained: one at a time can."""
    updates = command.get("updates")
    if not isinstance(updates, list):
        return [command]
    return [{**command, "updates": [update]} for update in updates[:3]]
