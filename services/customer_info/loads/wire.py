"""Loads as messages: part of the handlers' door."""

from holdfast.common.v1 import rows_pb2
from holdfast.customer_info.v1 import loads_pb2 as pb

from services.customer_info.loads.rules import Fault, Load
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
        errors=[row_error(fault) for fault in load.faults],
    )


def row_error(fault: Fault) -> rows_pb2.RowError:
    """Why a row was refused."""
    return rows_pb2.RowError(row=fault.row, reason=fault.reason, field=fault.field, message=fault.message)
