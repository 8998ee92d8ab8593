"""Products as rows of a CSV file: part of the handlers' door. `docs/files.md` describes the columns."""

from collections.abc import Sequence

from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis.cells import joined, joined_pairs
from services.customer_info.csv_wire import characteristics, money, time, word
from services.customer_info.exporting import Column


def _status(status: pb.ProductStatus.ValueType) -> str:
    return word(pb.ProductStatus.Name(status), "PRODUCT_STATUS_")


def _months(product: pb.Product) -> str:
    return str(product.term.months) if product.HasField("term") else ""


def _history(product: pb.Product) -> str:
    return joined_pairs(((_status(c.status), time(c, "time")) for c in product.history), "=")


COLUMNS: Sequence[Column[pb.Product]] = (
    Column("id", "id", lambda p: p.id),
    Column("customer_id", "customer_id", lambda p: p.customer_id),
    Column("family", "family", lambda p: p.family),
    Column("name", "name", lambda p: p.name),
    Column("status", "status", lambda p: _status(p.status)),
    Column("monthly_price", "monthly_price", lambda p: money(p, "monthly_price")),
    Column("one_time_price", "one_time_price", lambda p: money(p, "one_time_price")),
    Column("term_months", "term", _months),
    Column("term_start", "term", lambda p: time(p.term.commitment, "start")),
    Column("term_end", "term", lambda p: time(p.term.commitment, "end")),
    Column("identifiers", "identifiers", lambda p: joined_pairs(((i.kind, i.value) for i in p.identifiers), ":")),
    Column("characteristics", "characteristics", lambda p: characteristics(p.characteristics)),
    Column("history", "history", _history),
    Column("node_ids", "node_ids", lambda p: joined(p.node_ids)),
    Column("account_id", "account_id", lambda p: p.account_id),
    Column("commitment_end", "commitment_end", lambda p: time(p, "commitment_end")),
    Column("update_time", "update_time", lambda p: time(p, "update_time")),
)
