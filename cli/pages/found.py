"""Customers that were looked for: by name, or as duplicates of one."""

from collections.abc import Sequence
from typing import Final

from holdfast.customer_info.v1.customers_pb2 import Customer, CustomerStatus
from holdfast.customer_info.v1.duplicates_pb2 import DuplicateCandidate, DuplicateEvidence, DuplicateVerdict
from holdfast.customer_info.v1.search_pb2 import FoundCustomer
from rich.table import Table
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import DASH, enum_words, percent, plain, words
from cli.pages.who import STATUS_STYLE, name_of

MOST_EVIDENCE: Final = 3


def searched(found: Sequence[FoundCustomer]) -> Table:
    """A row a customer, the best match first."""
    table = columns("name", "status", "known as", "id", flexible="name")
    for one in found:
        table.add_row(name_of(one.customer), status_of(one.customer), _known_as(one.customer), plain(one.customer.id))
    return table


def duplicates(candidates: Sequence[DuplicateCandidate]) -> Table:
    """A row a record, the likeliest first, with what speaks for and against it."""
    table = columns("same?", "", "name", "why", "id", right=("same?",), flexible="why")
    for one in candidates:
        verdict = enum_words(DuplicateVerdict.Name(one.verdict), "DUPLICATE_VERDICT_")
        style = "bold" if one.verdict == DuplicateVerdict.DUPLICATE_VERDICT_SAME else ""
        why = ", ".join(map(_evidence, one.evidence[:MOST_EVIDENCE]))
        table.add_row(
            percent(one.score, 1), Text(verdict, style=style), name_of(one.customer), why, plain(one.customer.id)
        )
    return table


def status_of(customer: Customer) -> Text:
    """Where in its lifecycle."""
    said = enum_words(CustomerStatus.Name(customer.status), "CUSTOMER_STATUS_")
    return Text(said, style=STATUS_STYLE.get(customer.status, ""))


def _known_as(customer: Customer) -> str:
    return " · ".join(f"{plain(one.issuer)} {plain(one.value)}" for one in customer.external_ids) or DASH


def _evidence(one: DuplicateEvidence) -> str:
    return f"{words(one.field)} {words(one.code)} ({one.weight:+.1f})"
