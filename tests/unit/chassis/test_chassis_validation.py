"""Rows of a bulk load, checked in one go: each has its own refusal."""

import pytest
from holdfast.interaction.v1 import interactions_pb2 as pb

from chassis.errors import Violations
from chassis.validation import check_rows

ID = "00000000-0000-4000-8000-000000000000"


def entry(customer_id: str = ID) -> pb.Interaction:
    return pb.Interaction(customer_id=customer_id, channel=pb.CHANNEL_CALL, direction=pb.DIRECTION_INBOUND)


def test_good_rows_have_no_refusal() -> None:
    assert check_rows(pb.IngestInteractionsRequest(interactions=[entry(), entry()]), "interactions") == {}


def test_a_bad_row_is_refused_by_its_place_with_the_path_of_its_field_in_the_row() -> None:
    bad = entry("nobody")
    bad.items.add(topic="")
    refused = check_rows(pb.IngestInteractionsRequest(interactions=[entry(), bad, entry()]), "interactions")
    assert list(refused) == [1]
    assert [path for path, _ in refused[1].fields] == ["customer_id", "items[0].topic"]
    assert refused[1].field == "customer_id"


def test_too_many_rows_are_refused_together() -> None:
    with pytest.raises(Violations) as refused:
        check_rows(pb.IngestInteractionsRequest(interactions=[entry()] * 1001), "interactions")
    assert refused.value.field == "interactions"
