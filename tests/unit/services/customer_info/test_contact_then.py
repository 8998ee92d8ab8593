"""Whether a customer might have been contacted at a time that has passed, by what was known then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chassis.rules import NotFound
from services.customer_info.consents.contact_rules import Reason
from services.customer_info.consents.rules import Channel, Record
from services.customer_info.consents.usecases import ConsentUseCases
from services.customer_info.customers.rules import Customer, Status
from services.customer_info.profiles.rules import Day, Hours, Window
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import NOON, later, new_uuid, person
from tests.unit.services.customer_info.consent_builders import MARKETING, STOP, record
from tests.unit.services.customer_info.consent_house import House
from tests.unit.services.customer_info.profile_builders import full_profile

ALLOWED, WITHDRAWN = Reason.ALLOWED_BY_CONSENT, Reason.WITHDRAWN


def house(*versions: Customer, lines: Sequence[Sequence[str]] = (), records: Sequence[Record] = ()) -> House:
    """A house with customers in all their versions, the present one of each last."""
    present = {c.id: c for c in versions}
    made = House(*present.values(), lines=lines)
    for version in versions:
        if version is not present[version.id]:
            made.customers.former.setdefault(version.id, []).append(version)
    made.store.kept.update({r.id: r for r in records})
    return made


async def asked(made: House, customer_id: str, at: datetime | None, purpose: str = "marketing") -> Reason:
    """The answer for one, which is the same among many."""
    answer = await made.usecases.may_contact(customer_id, purpose, Channel.EMAIL, at)
    if at is not None:
        many = await made.usecases.may_contact_many([new_uuid(), customer_id], purpose, Channel.EMAIL, at)
        assert [d.reason for d, _ in many] == [Reason.NO_SUCH_CUSTOMER, answer[0].reason]
        assert many[1] == answer
    return answer[0].reason


def following(before: Customer, minute: int, **changes: Any) -> Customer:
    return replace(before, version=before.version + 1, update_time=later(minute), **changes)


ANN, BEA = person(), person()
# Bea said yes, and Ann no.
SAID = (record(MARKETING, 1, BEA.id), record(STOP, 2, ANN.id))
MERGED = (following(BEA, 10, sources=(ANN.id,)), following(ANN, 10, merged_into=BEA.id))
PARTED = (following(MERGED[0], 20, sources=()), following(MERGED[1], 20, merged_into=""))
LINE = (BEA.id, ANN.id)


async def test_who_left_later_was_a_customer_then() -> None:
    made = house(ANN, following(ANN, 10, status=Status.CLOSED))
    answers = [await asked(made, ANN.id, at, "billing") for at in (later(9), later(10), None)]
    assert answers == [Reason.ALLOWED_BY_CONTRACT, Reason.CUSTOMER_LEFT, Reason.CUSTOMER_LEFT]


async def test_what_a_record_says_counts_for_another_from_when_they_were_merged() -> None:
    made = house(BEA, ANN, *MERGED, lines=[LINE], records=SAID)
    for at, reasons in (
        (later(9), (ALLOWED, Reason.OBJECTED)),
        (later(10), (WITHDRAWN,) * 2),
        (None, (WITHDRAWN,) * 2),
    ):
        assert tuple([await asked(made, who, at) for who in LINE]) == reasons


async def test_what_counted_while_they_were_merged_did_also_when_they_are_parted() -> None:
    made = house(BEA, ANN, *MERGED, *PARTED, records=SAID)
    apart, together = (ALLOWED, Reason.OBJECTED), (WITHDRAWN, WITHDRAWN)
    for at, reasons in ((later(9), apart), (later(19), together), (later(20), apart), (None, apart)):
        assert tuple([await asked(made, who, at) for who in LINE]) == reasons


async def test_of_a_chain_of_merges_counts_what_was_merged_by_then() -> None:
    cyd = person()
    last = (following(cyd, 15, sources=(BEA.id, ANN.id)), following(MERGED[0], 15, merged_into=cyd.id))
    line = (cyd.id, *LINE)
    made = house(cyd, BEA, ANN, *MERGED, *last, lines=[line], records=SAID)
    assert [await asked(made, who, later(14)) for who in line] == [Reason.NO_CONSENT, WITHDRAWN, WITHDRAWN]
    assert [await asked(made, who, later(15)) for who in line] == [WITHDRAWN] * 3


async def test_the_hours_that_a_record_keeps_are_another_s_from_when_they_were_merged() -> None:
    made = house(BEA, ANN, *MERGED, lines=[LINE])
    other = Day(NOON.isoweekday() % 7 + 1)
    await made.tell(full_profile(ANN.id, contact_window=Window("UTC", (Hours((other,), 0, 1440),))))
    for at, reason in ((9, Reason.ALLOWED_BY_CONTRACT), (10, Reason.OUTSIDE_CONTACT_WINDOW)):
        decision, _ = await made.usecases.may_contact(BEA.id, "service", Channel.CALL, later(at))
        assert decision.reason is reason


async def test_who_is_erased_is_so_at_every_time_under_all_ids() -> None:
    gone = [following(c, 30, status=Status.ARCHIVED, sources=(), erase_time=later(30)) for c in MERGED]
    made = house(BEA, ANN, *MERGED, *gone, lines=[LINE])
    for at in (later(9), later(10), later(30), None):
        assert {await asked(made, who, at, "emergency") for who in LINE} == {Reason.CUSTOMER_ERASED}


async def test_who_was_not_there_yet_is_as_it_is_and_nobody_else() -> None:
    young = person(merged_into=BEA.id, create_time=later(50), update_time=later(50))
    survivor = following(BEA, 50, sources=(young.id,), status=Status.CLOSED)
    made = house(BEA, survivor, young, lines=[(BEA.id, young.id)], records=SAID)
    assert await asked(made, young.id, later(49), "service") is Reason.CUSTOMER_LEFT
    assert await asked(made, young.id, later(49)) is Reason.NO_CONSENT
    assert await asked(made, young.id, later(50)) is ALLOWED
    with pytest.raises(NotFound):
        await asked(made, new_uuid(), later(49))


class Counting(FakeCustomers):
    """Counts how often customers are read, and how many of them at once."""

    reads = 0

    async def many_as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Customer]:
        self.reads += 1
        return await super().many_as_of(customer_ids, at)

    async def get(self, customer_id: str) -> Customer | None:
        raise AssertionError("nobody is read alone")


async def test_many_are_read_together_also_as_they_were() -> None:
    pairs = [(person(), person()) for _ in range(30)]
    versions = [v for one, other in pairs for v in (following(one, 5, sources=(other.id,)), other)]
    merged = [following(other, 5, merged_into=one.id) for one, other in pairs]
    made = house(*versions, *merged)
    counting = Counting(*made.customers.kept.values())
    usecases = ConsentUseCases(made.store, counting, made.profiles, FakeLineage())
    answers = await usecases.may_contact_many([c.id for c in merged], "service", None, later(6))
    assert {d.reason for d, _ in answers} == {Reason.ALLOWED_BY_CONTRACT}
    assert counting.reads == 2, "those asked for, and those they were merged into"
