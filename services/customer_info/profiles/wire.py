"""Profiles between protobuf and the rules' dataclasses: part of the handlers' door."""

from google.protobuf.field_mask_pb2 import FieldMask
from holdfast.customer_info.v1 import profiles_pb2 as pb

from chassis.etag import etag
from chassis.times import to_timestamp
from services.customer_info.customers.rules import Money
from services.customer_info.profiles.fact_rules import Shown
from services.customer_info.profiles.rules import (
    UPDATABLE,
    Channel,
    Day,
    Hours,
    Interest,
    Preference,
    Profile,
    Source,
    Window,
)
from services.customer_info.profiles.view_rules import Freshness, SectionView, View
from services.customer_info.wire import masked, money_message, stamp

CHANNELS = {c: pb.PreferredChannel.Value(f"PREFERRED_CHANNEL_{c.name}") for c in Channel}
DAYS = {d: pb.ContactDay.Value(f"CONTACT_DAY_{d.name}") for d in Day}
SOURCES = {s: pb.Interest.Source.Value(f"SOURCE_{s.name}") for s in Source}
FRESHNESS = {f: pb.ViewSection.Freshness.Value(f"FRESHNESS_{f.name}") for f in Freshness}
_CHANNEL = {number: channel for channel, number in CHANNELS.items()}
_DAY = {number: day for day, number in DAYS.items()}
_SOURCE = {number: source for source, number in SOURCES.items()}


def profile(message: pb.Profile) -> Profile:
    """The profile that a validated message describes."""
    return Profile(
        customer_id=message.customer_id,
        language=message.language,
        channels=tuple(Preference(p.purpose, tuple(_CHANNEL[c] for c in p.channels)) for p in message.channels),
        contact_window=_window(message.contact_window) if message.HasField("contact_window") else None,
        accessibility_needs=tuple(message.accessibility_needs),
        interests=tuple(Interest(i.tag, _SOURCE[i.source], i.weight) for i in message.interests),
        newsletter_topics=tuple(message.newsletter_topics),
    )


def names(mask: FieldMask, message: pb.Profile) -> frozenset[str]:
    """The fields that an update is about: those of the mask or, without one, those that are set.

    Raises:
        Invalid: the mask names a field that cannot be updated.
    """
    return frozenset(masked(mask, message, UPDATABLE))


def message(kept: Profile) -> pb.Profile:
    """A profile as it goes to a caller."""
    return pb.Profile(
        customer_id=kept.customer_id,
        etag=etag(kept.version),
        language=kept.language,
        channels=[
            pb.ChannelPreference(purpose=p.purpose, channels=[CHANNELS[c] for c in p.channels]) for p in kept.channels
        ],
        contact_window=None if kept.contact_window is None else _window_message(kept.contact_window),
        accessibility_needs=kept.accessibility_needs,
        interests=[pb.Interest(tag=i.tag, source=SOURCES[i.source], weight=i.weight) for i in kept.interests],
        newsletter_topics=kept.newsletter_topics,
        create_time=stamp(kept.create_time),
        update_time=stamp(kept.update_time),
    )


def view_message(view: View) -> pb.GetPersonalisedViewResponse:
    """A view as it goes to a caller."""
    out = pb.GetPersonalisedViewResponse(
        customer_id=view.profile.customer_id,
        language=view.language,
        profile=message(view.profile),
        sections=[_section(s) for s in view.sections],
    )
    if view.within_contact_window is not None:
        out.within_contact_window = view.within_contact_window
    return out


def _section(view: SectionView) -> pb.ViewSection:
    return pb.ViewSection(
        name=view.name,
        service=view.service,
        freshness=FRESHNESS[view.freshness],
        told_time=stamp(view.told_time),
        heard_time=stamp(view.heard_time),
        facts=[_fact(name, value) for name, value in view.facts.items()],
    )


def _fact(name: str, value: Shown) -> pb.ViewFact:
    if isinstance(value, int):
        return pb.ViewFact(name=name, count=value)
    if isinstance(value, float):
        return pb.ViewFact(name=name, number=value)
    if isinstance(value, str):
        return pb.ViewFact(name=name, word=value)
    if isinstance(value, Money):
        return pb.ViewFact(name=name, amount=money_message(value))
    return pb.ViewFact(name=name, time=to_timestamp(value))


def _window(message: pb.ContactWindow) -> Window:
    hours = (Hours(tuple(_DAY[d] for d in h.days), _minute(h.start), _minute(h.end)) for h in message.hours)
    return Window(message.time_zone, tuple(hours))


def _window_message(window: Window) -> pb.ContactWindow:
    hours = [
        pb.ContactHours(days=[DAYS[d] for d in h.days], start=_clock(h.start), end=_clock(h.end)) for h in window.hours
    ]
    return pb.ContactWindow(time_zone=window.time_zone, hours=hours)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
