"""Accounts that stand for a place in a hierarchy."""

from datetime import timedelta

import pytest

from chassis.rules import NotFound
from chassis.times import now
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.unit.services.customer_info.account_builders import change_wish
from tests.unit.services.customer_info.account_house import OTHER, OWNER, PARENT, asked, usecases
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.trees import placement, tree


async def test_a_node_must_be_the_customers_and_stand_somewhere_now() -> None:
    own, foreign = tree(OWNER.id), tree(OTHER.id)
    mine, theirs, ended = new_uuid(), new_uuid(), new_uuid()
    nodes = [placement(own, mine), placement(foreign, theirs), placement(own, ended, start=NOON, end=later())]
    accounts, _ = usecases(PARENT, nodes=FakeHierarchy(own, foreign, *nodes))
    await asked(accounts, change_wish(PARENT, node_id=mine))
    for node_id in (theirs, ended, new_uuid()):
        with pytest.raises(NotFound) as refused:
            await asked(accounts, change_wish(PARENT, node_id=node_id))
        assert refused.value.field == "change.content.node_id"


async def test_a_node_that_was_just_added_stands_somewhere_also_where_the_clock_is_behind() -> None:
    ahead = now() + timedelta(seconds=5)
    own, mine = tree(OWNER.id, update_time=ahead), new_uuid()
    accounts, _ = usecases(PARENT, nodes=FakeHierarchy(own, placement(own, mine, start=ahead)))
    request = await asked(accounts, change_wish(PARENT, node_id=mine))
    assert request.wanted is not None
    assert request.wanted.node_id == mine
