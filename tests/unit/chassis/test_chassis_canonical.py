"""UUIDs mean the same in capitals, and are kept in lower case."""

import pytest
from google.protobuf.message import Message
from holdfast.customer_info.v1 import customers_pb2, hierarchy_pb2, merges_pb2, portfolio_pb2
from holdfast.interaction.v1 import interactions_pb2

from chassis.canonical import settle
from chassis.validation import check, check_rows

ID = "0A0D0168-ABCD-4000-8000-0000000000EF"
CAPITALS = "Ada LOVELACE"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (customers_pb2.GetCustomerRequest(customer_id=ID), customers_pb2.GetCustomerRequest(customer_id=ID.lower())),
        (
            customers_pb2.ImportCustomersRequest(customers=[customers_pb2.Customer(id=ID, language=CAPITALS)]),
            customers_pb2.ImportCustomersRequest(customers=[customers_pb2.Customer(id=ID.lower(), language=CAPITALS)]),
        ),
        (
            merges_pb2.MergeRequest(survivor_id=ID, duplicate_id=ID.lower()),
            merges_pb2.MergeRequest(survivor_id=ID.lower(), duplicate_id=ID.lower()),
        ),
        (
            hierarchy_pb2.AddNodesRequest(tree_id=ID, nodes=[hierarchy_pb2.Node(id=ID, name=CAPITALS)]),
            hierarchy_pb2.AddNodesRequest(tree_id=ID.lower(), nodes=[hierarchy_pb2.Node(id=ID.lower(), name=CAPITALS)]),
        ),
    ],
)
def test_what_the_contract_calls_a_uuid_is_written_in_lower_case_and_nothing_else(
    message: Message, expected: Message
) -> None:
    settle(message)
    assert message == expected


def test_a_message_that_is_not_there_is_not_made() -> None:
    request = portfolio_pb2.UpdateProductRequest()
    settle(request)
    assert not request.HasField("product")
    assert request == portfolio_pb2.UpdateProductRequest()


def test_what_passes_the_check_is_in_its_one_form() -> None:
    request = customers_pb2.GetCustomerRequest(customer_id=ID)
    check(request)
    assert request.customer_id == ID.lower()
    entry = interactions_pb2.Interaction(
        customer_id=ID, channel=interactions_pb2.CHANNEL_CALL, direction=interactions_pb2.DIRECTION_INBOUND
    )
    rows = interactions_pb2.IngestInteractionsRequest(interactions=[entry])
    assert check_rows(rows, "interactions") == {}
    assert rows.interactions[0].customer_id == ID.lower()
