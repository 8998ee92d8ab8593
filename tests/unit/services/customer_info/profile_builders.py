"""Profiles, and events of other services, to try things on."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from holdfast.common.v1 import types_pb2
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.retention.v1 import scores_pb2
from holdfast.sla.v1 import clocks_pb2
from hypothesis import strategies as st

from chassis.times import to_timestamp
from services.customer_info.profiles.fact_rules import Fact, Last, Sum, Tally, Thing, Things
from services.customer_info.profiles.rules import (
    Channel,
    Day,
    Hours,
    Interest,
    Preference,
    Profile,
    Source,
    Window,
)
from tests.unit.services.customer_info.builders import NOON, new_uuid
from tests.unit.services.customer_info.strategies import moments, monies

WORKDAYS = (Day.MONDAY, Day.TUESDAY, Day.WEDNESDAY, Day.THURSDAY, Day.FRIDAY)
OFFICE = Window("Europe/Berlin", (Hours(WORKDAYS, 9 * 60, 17 * 60 + 30),))


def full_profile(customer_id: str = "", **changes: Any) -> Profile:
    """A profile in its first version with everything in it."""
    usual: dict[str, Any] = {
        "customer_id": customer_id or new_uuid(),
        "language": "de-CH",
        "channels": (Preference("billing", (Channel.EMAIL, Channel.POST)), Preference("any", (Channel.CALL,))),
        "contact_window": OFFICE,
        "accessibility_needs": ("large_print",),
        "interests": (Interest("football", Source.STATED, 1.0), Interest("gaming", Source.DERIVED, 0.25)),
        "newsletter_topics": ("offers",),
        "id": new_uuid(),
        "version": 1,
        "create_time": NOON,
        "update_time": NOON,
    }
    return Profile(**{**usual, **changes})


tags = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
tag_lists = st.lists(tags, max_size=3, unique=True).map(tuple)
day_lists = st.lists(st.sampled_from(Day), min_size=1, max_size=7, unique=True).map(tuple)
hours = st.builds(
    lambda days, start, length: Hours(days, start, min(1440, start + length)),
    day_lists,
    st.integers(0, 1439),
    st.integers(1, 600),
)
windows = st.builds(
    lambda zone, one: Window(zone, (one,)), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]), hours
)
interests = st.lists(
    st.builds(Interest, tags, st.sampled_from(Source), st.floats(0.01, 1.0)), max_size=3, unique_by=lambda i: i.tag
).map(tuple)
preferences = st.lists(
    st.builds(Preference, tags, st.lists(st.sampled_from(Channel), min_size=1, max_size=3, unique=True).map(tuple)),
    max_size=3,
    unique_by=lambda p: p.purpose,
).map(tuple)
profiles = st.builds(
    Profile,
    customer_id=st.uuids().map(str),
    language=st.sampled_from(["", "de", "fr-CA"]),
    channels=preferences,
    contact_window=st.none() | windows,
    accessibility_needs=tag_lists,
    interests=interests,
    newsletter_topics=tag_lists,
)

things = st.dictionaries(
    st.sampled_from(["t1", "t2", "t3", "t4"]),
    st.builds(Thing, st.integers(1, 4), st.booleans(), moments),
    max_size=3,
).map(Things)
FACTS: dict[str, st.SearchStrategy[Fact]] = {
    "count": st.builds(Sum, st.integers(0, 5)),
    "time": st.builds(lambda t: Last(t, t), moments),
    "word": st.builds(Last, st.sampled_from(["call", "web"]), moments),
    "amount": st.builds(Last, monies, moments),
    "number": st.builds(Last, st.floats(0, 1), moments),
    "most": st.builds(Tally, st.dictionaries(st.sampled_from(["call", "web"]), st.integers(1, 3))),
    "open": things,
}
facts = st.fixed_dictionaries({}, optional=FACTS)


def contact(
    customer_id: str,
    channel: interactions_pb2.Channel.ValueType = interactions_pb2.CHANNEL_CALL,
    at: datetime = NOON,
    **changes: Any,
) -> interactions_pb2.InteractionLogged:
    """That a customer came."""
    usual: dict[str, Any] = {"direction": interactions_pb2.DIRECTION_INBOUND, "occur_time": to_timestamp(at)}
    entry = interactions_pb2.Interaction(customer_id=customer_id, channel=channel, **{**usual, **changes})
    return interactions_pb2.InteractionLogged(interaction=entry)


def ticket(
    customer_id: str,
    ticket_id: str,
    state: tickets_pb2.TicketState.ValueType = tickets_pb2.TICKET_STATE_ACKNOWLEDGED,
    at: datetime = NOON,
) -> tickets_pb2.TicketChanged:
    """That a ticket opened at noon entered a state."""
    return tickets_pb2.TicketChanged(
        ticket=tickets_pb2.TicketFacts(
            id=ticket_id,
            customer_id=customer_id,
            state=state,
            open_time=to_timestamp(NOON),
            change_time=to_timestamp(at),
        )
    )


def breach(customer_id: str, at: datetime = NOON) -> clocks_pb2.ClockBreached:
    """That a promise was broken."""
    return clocks_pb2.ClockBreached(clock=clocks_pb2.Clock(customer_id=customer_id, breach_time=to_timestamp(at)))


def score(customer_id: str, at: datetime = NOON, **changes: Any) -> scores_pb2.RiskBandChanged:
    """That a customer is about to leave."""
    usual: dict[str, Any] = {"band": scores_pb2.RISK_BAND_HIGH, "probability": 0.75, "score_time": to_timestamp(at)}
    return scores_pb2.RiskBandChanged(score=scores_pb2.Score(customer_id=customer_id, **{**usual, **changes}))


def worth(customer_id: str, at: datetime = NOON) -> scores_pb2.RiskBandChanged:
    """The same, and what the customer is worth."""
    amount = types_pb2.Money(currency_code="EUR", micros=990_000_000)
    return score(customer_id, at, lifetime_value=amount, value_tier="gold")


def unmade(profile: Profile) -> Profile:
    """What a caller says of a profile: nothing of its making."""
    return replace(profile, id="", version=0, create_time=None, update_time=None)
