"""Rows of a bulk stream: each has its own outcome."""

from typing import Any

from holdfast.customer_info.v1 import customers_pb2

from chassis.bulk import MOST_ERRORS, Outcome, Tally, refusal_of, row_error
from chassis.rules import AlreadyExists, Invalid, NotFound

ID = "00000000-0000-4000-8000-000000000000"


def person(**changes: Any) -> customers_pb2.Customer:
    return customers_pb2.Customer(individual=customers_pb2.Individual(family_name="Example"), **changes)


def test_rows_are_numbered_from_one_and_counted_by_what_they_did() -> None:
    tally = Tally()
    for outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.CREATED, Outcome.UNCHANGED, NotFound("gone")):
        tally.note(tally.number(), outcome)
    summary = tally.summary()
    assert summary.received == 5
    assert (summary.created, summary.updated, summary.unchanged, summary.failed) == (2, 1, 1, 1)
    assert [e.row for e in summary.errors] == [5]


def test_a_stream_without_rows_did_nothing() -> None:
    assert not Tally().summary().ListFields()


def test_of_many_refusals_the_first_thousand_are_told_and_all_are_counted() -> None:
    tally = Tally()
    for _ in range(MOST_ERRORS + 7):
        tally.note(tally.number(), Invalid("bad", field="x"))
    summary = tally.summary()
    assert (summary.failed, len(summary.errors)) == (MOST_ERRORS + 7, MOST_ERRORS)
    assert [summary.errors[0].row, summary.errors[-1].row] == [1, MOST_ERRORS]


def test_the_error_of_a_row_has_its_reason_field_and_sentence() -> None:
    error = row_error(7, AlreadyExists("taken", reason="EXTERNAL_ID_TAKEN", field="external_ids"))
    assert (error.row, error.reason, error.field) == (7, "EXTERNAL_ID_TAKEN", "external_ids")
    assert error.message == "taken"
    assert row_error(1, NotFound("gone")).field == ""


def test_a_row_that_breaks_its_contract_is_refused_by_field() -> None:
    assert refusal_of(person(id=ID)) is None
    refused = refusal_of(person(id="seven"))
    assert refused is not None
    assert (refused.reason, refused.field) == ("INVALID_FIELD", "id")


def test_a_row_names_its_id_where_the_load_goes_by_it() -> None:
    assert refusal_of(person()) is None
    refused = refusal_of(person(), needs_id=True)
    assert refused is not None
    assert refused.field == "id"
    assert refusal_of(person(id=ID), needs_id=True) is None


def test_a_row_may_lack_what_it_does_not_tell_of_but_not_hold_it_in_a_wrong_form() -> None:
    row = customers_pb2.Customer(id=ID.replace("4", "A"), individual=customers_pb2.Individual(given_name="Ada"))
    refused = refusal_of(row, may_lack=["individual.given_name"])
    assert refused is not None
    assert refused.field == "individual.family_name"
    assert refusal_of(row, may_lack=["individual.family_name"]) is None
    assert row.id == ID.replace("4", "a")
    row.individual.family_name = "x" * 129
    assert refusal_of(row, may_lack=["individual.family_name"]) is not None


def test_a_refused_row_does_not_quote_what_it_holds() -> None:
    row = person(id=ID)
    row.contact_media.add(kind=customers_pb2.ContactMedium.KIND_EMAIL, value="very private" * 100)
    refused = refusal_of(row)
    assert refused is not None
    assert "very private" not in refused.message
