"""Outages recorded once each, and the availability they leave. Hours count from a Monday, 00:00 UTC."""

import uuid
from datetime import timedelta

import pytest

from chassis.bulk import Outcome
from chassis.rules import Invalid
from chassis.times import now
from services.sla.measurements.outage_rules import USUAL_PERIOD, Outage
from services.sla.measurements.usecases import MeasurementUseCases
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.measurements import FakeMeasurements
from tests.unit.services.sla.builders import ADA, ADAS_OTHER, BOB, HOUR, at

LINE, PHONE = "line", "phone"


def outage(start: float, end: float | None, product: str = LINE, **changes: object) -> Outage:
    values: dict[str, object] = {"id": str(uuid.uuid4()), "customer_id": ADA, "planned": False, **changes}
    return Outage(product_id=product, start=at(start), end=None if end is None else at(end), **values)  # type: ignore[arg-type]


@pytest.fixture
def measurements() -> MeasurementUseCases:
    return MeasurementUseCases(FakeMeasurements(), FakeLineage([ADA, ADAS_OTHER]))


async def test_an_outage_is_made_changed_or_left_by_its_id(measurements: MeasurementUseCases) -> None:
    begun = outage(0, None, id="o")
    ended = outage(0, 2, id="o")
    assert await measurements.record([begun]) == [Outcome.CREATED]
    assert await measurements.record([begun, ended, ended]) == [Outcome.UNCHANGED, Outcome.UPDATED, Outcome.UNCHANGED]
    _, (line,) = await measurements.availability(ADA, "", at(0), at(10))
    assert line.outage_seconds == 2 * HOUR


async def test_an_outage_that_begins_and_ends_in_one_batch_is_made_and_changed(
    measurements: MeasurementUseCases,
) -> None:
    rows = [outage(0, None, id="o"), outage(0, 2, id="o")]
    assert await measurements.record(rows) == [Outcome.CREATED, Outcome.UPDATED]


async def test_nothing_recorded_is_nothing_done(measurements: MeasurementUseCases) -> None:
    assert await measurements.record([]) == []


async def test_each_product_has_its_share_of_the_period_without_planned_works(
    measurements: MeasurementUseCases,
) -> None:
    await measurements.record(
        [
            outage(1, 2),
            outage(1.5, 3),
            outage(4, 6, planned=True),
            outage(5, 7),
            outage(9, 20),
            outage(0, 10, PHONE, planned=True),
            outage(1, 2, "elsewhere", customer_id=BOB),
            outage(10, 11, "after"),
        ]
    )
    _, products = await measurements.availability(ADA, "", at(0), at(10))
    assert [p.product_id for p in products] == [LINE, PHONE]
    line, phone = products
    assert (line.outage_seconds, line.planned_seconds, line.outages) == (4 * HOUR, 2 * HOUR, 4)
    assert line.share == pytest.approx(0.5)
    assert (phone.share, phone.outages) == (1.0, 0)


async def test_one_product_can_be_asked_for(measurements: MeasurementUseCases) -> None:
    await measurements.record([outage(1, 2), outage(1, 2, PHONE)])
    _, products = await measurements.availability(ADA, PHONE, at(0), at(10))
    assert [p.product_id for p in products] == [PHONE]


async def test_an_outage_that_goes_on_has_lasted_until_now_not_until_the_end_of_the_period(
    measurements: MeasurementUseCases,
) -> None:
    start = now() - timedelta(hours=1)
    await measurements.record([Outage("o", ADA, LINE, start, None, planned=False)])
    _, (line,) = await measurements.availability(ADA, "", start, start + timedelta(hours=10))
    assert line.outage_seconds == pytest.approx(HOUR, abs=5)


async def test_without_a_period_the_last_thirty_days_count(measurements: MeasurementUseCases) -> None:
    period, products = await measurements.availability(ADA, "", None, None)
    assert period.end - period.start == USUAL_PERIOD
    assert now() - period.end < timedelta(minutes=1)
    assert products == []


@pytest.mark.parametrize(("start", "end", "field"), [(0, None, "period"), (None, 1, "period"), (1, 1, "period.end")])
async def test_a_period_needs_both_ends_in_order(
    measurements: MeasurementUseCases, start: float | None, end: float | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await measurements.availability(ADA, "", None if start is None else at(start), None if end is None else at(end))
    assert refused.value.field == field


def test_an_outage_ends_after_it_starts() -> None:
    with pytest.raises(Invalid) as refused:
        outage(1, 1)
    assert refused.value.field == "period.end"


async def test_a_customer_of_several_ids_has_the_outages_of_all(measurements: MeasurementUseCases) -> None:
    await measurements.record([outage(0, 1), outage(2, 3, customer_id=ADAS_OTHER), outage(4, 5, customer_id=BOB)])
    for asked in (ADA, ADAS_OTHER):
        _, (line,) = await measurements.availability(asked, "", at(0), at(10))
        assert (line.outages, line.outage_seconds) == (2, 2 * HOUR)
