"""What is read of the past is what was read then, whatever was edited."""

import pytest
from hypothesis import event, given

from chassis.rules import NotFound
from services.customer_info.customers.usecases import CustomerUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.edits import Edit, played, stories


@given(stories)
async def test_a_customer_as_of_any_time_is_what_was_read_then(steps: list[Edit]) -> None:
    usecases = CustomerUseCases(FakeCustomers(), FakeLineage())
    story = await played(usecases, steps)
    event(f"{len(story.versions)} versions")
    for time, was in story.read:
        assert await usecases.get_as_of(story.customer_id, time) == was
    for time in story.moments():
        expected = story.at(time)
        if expected is None:
            with pytest.raises(NotFound):
                await usecases.get_as_of(story.customer_id, time)
        else:
            assert await usecases.get_as_of(story.customer_id, time) == expected


@given(stories)
async def test_versions_count_from_one_and_their_times_grow(steps: list[Edit]) -> None:
    story = await played(CustomerUseCases(FakeCustomers(), FakeLineage()), steps)
    assert [c.version for c in story.versions] == list(range(1, len(story.versions) + 1))
    times = [c.update_time for c in story.versions if c.update_time]
    assert times == sorted(set(times))
