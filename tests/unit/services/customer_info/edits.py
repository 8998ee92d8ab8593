"""Edits of a customer, as hypothesis makes them, and what is read while they are made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from unittest import mock

from hypothesis import strategies as st

from chassis.rules import Refusal
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.rules import UPDATABLE, Customer, Individual, Status
from services.customer_info.customers.usecases import CustomerUseCases
from tests.unit.services.customer_info.builders import NOON, new_uuid
from tests.unit.services.customer_info.strategies import customers

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Edit:
    """One change that somebody tries, so many milliseconds after the one before: often none."""

    kind: str
    gap: int
    wish: Customer
    names: frozenset[str]


wishes = customers.map(
    lambda c: replace(c, parent_id="", party=c.party if isinstance(c.party, Individual) else Individual("", "Example"))
)
edits = st.builds(
    Edit,
    st.sampled_from(["update", "update", "status", "load"]),
    st.sampled_from([0, 0, 1, 2, 1000]),
    wishes,
    st.frozensets(st.sampled_from(sorted(UPDATABLE - {"parent_id"})), min_size=1),
)
stories = st.lists(edits, min_size=1, max_size=8)


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time


@dataclass
class Story:
    """What became of one customer: `versions` as they were answered, `read` what was read when."""

    customer_id: str = field(default_factory=new_uuid)
    versions: list[Customer] = field(default_factory=list)
    read: list[tuple[datetime, Customer]] = field(default_factory=list)

    def at(self, time: datetime) -> Customer | None:
        """What the customer was at `time`."""
        return next((c for c in reversed(self.versions) if c.update_time and c.update_time <= time), None)

    def moments(self) -> Iterator[datetime]:
        """Times at which something could be wrong: around every change."""
        for version in self.versions:
            assert version.update_time is not None
            yield from (version.update_time - MILLISECOND, version.update_time, version.update_time + MILLISECOND)

    def own(self, wish: Customer) -> Customer:
        """`wish`, about this customer, with external ids that nobody else has."""
        ids = tuple(replace(e, issuer=f"{self.customer_id}{e.issuer}") for e in wish.external_ids)
        return replace(wish, id=self.customer_id, external_ids=ids)


async def played(usecases: CustomerUseCases, steps: Sequence[Edit]) -> Story:
    """Makes a customer, and every edit that is not refused; reads it whenever a moment of the clock is over."""
    story, clock = Story(), Clock()
    with mock.patch("services.customer_info.customers.usecases.now", clock):
        first = replace(story.own(steps[0].wish), status=Status.ACTIVE)
        story.versions.append(await usecases.create(first, "", b""))
        for step in steps:
            if step.gap and clock.time >= (story.versions[-1].update_time or NOON):
                # What is read now stays what is read until the clock goes on.
                story.read.append((clock.time, await usecases.get(story.customer_id)))
            clock.time += step.gap * MILLISECOND
            await _tried(usecases, story, step)
    return story


async def _tried(usecases: CustomerUseCases, story: Story, step: Edit) -> None:
    wish = story.own(step.wish)
    try:
        if step.kind == "update":
            await usecases.update(wish, step.names, "")
        elif step.kind == "status":
            await usecases.change_status(story.customer_id, wish.status, "")
        else:
            await usecases.load([Row(wish, says_status=False)])
    except Refusal:
        return
    after = await usecases.get(story.customer_id)
    if after != story.versions[-1]:
        story.versions.append(after)
