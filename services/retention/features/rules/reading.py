"""A vector that is kept, and the moment up to which it holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from services.retention.features.rules.facts import utc
from services.retention.features.rules.schema import NAMES, Value
from services.retention.features.rules.state import State
from services.retention.features.rules.vector import currency, vector


@dataclass(frozen=True, slots=True)
class Reading:
    """The features of a customer, as they are until something happens or `until` comes.

    Attributes:
        values: in the order of `NAMES`.
        currency: ISO 4217 code of the monthly charge; empty where it has none.
        is_customer: has bought and has not left.
        until: the first moment at which the values may be others without a new fact.
    """

    values: tuple[Value, ...]
    currency: str
    is_customer: bool
    until: datetime

    @property
    def vector(self) -> dict[str, Value]:
        """The values by name."""
        return dict(zip(NAMES, self.values, strict=True))


def read(state: State, as_of: datetime) -> Reading:
    """The reading of a state at a moment.

    Raises:
        Invalid: `as_of` names no zone.
    """
    as_of = utc(as_of, "as_of")
    return Reading(
        values=tuple(vector(state, as_of).values()),
        currency=currency(state, as_of),
        is_customer=state.profile.is_customer if state.profile else True,
        until=_until(state, as_of),
    )


def _until(state: State, as_of: datetime) -> datetime:
    # Windows and tenure move with the UTC day; what starts or ends at a moment of today moves when it comes.
    midnight = datetime.combine(as_of.date() + timedelta(days=1), time(), UTC)
    return min((moment for moment in _moments(state) if as_of < moment < midnight), default=midnight)


def _moments(state: State) -> Iterator[datetime]:
    for product in state.products.values():
        yield product.starts_at
        if product.ends_at is not None:
            yield product.ends_at
    for ticket in state.tickets.values():
        yield from (moment for moment in ticket if moment is not None)
