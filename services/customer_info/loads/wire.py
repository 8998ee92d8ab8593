"""Loads as messages: part of the handlers' door."""

from holdfast.common.v1 import rows_pb2
from holdfast.customer_info.v1 import loads_pb2 as pb

from services.customer_info.loads.rules import Load
from services.customer_info.wire import stamp


def message(load: Load) -> pb.Load:
    """A load as it goes to a caller."""
    return pb.Load(
        id=load.id,
        kind=load.kind,
        position=load.position,
        summary=summary(load),
        create_time=stamp(load.create_time),
        update_time=stamp(load.update_time),
        complete_time=stamp(load.complete_time),
    )


def summary(load: Load) -> rows_pb2.BulkSummary:
    """What became of a load's rows so far."""
    return rows_pb2.BulkSummary(
        received=load.position,
        created=load.counts.created,
        updated=load.counts.updated,
        unchanged=load.counts.unchanged,
        failed=load.counts.failed,
        errors=[rows_pb2.RowError(row=f.row, reason=f.reason, field=f.field, message=f.message) for f in load.faults],
    )
