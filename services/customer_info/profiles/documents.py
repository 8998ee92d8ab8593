"""Profiles as documents: what tells of the person is sealed under the customer's key, in one field."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chassis.vault.sealing import DataKey
from services.customer_info.customers.rules import Money
from services.customer_info.profiles.fact_rules import Fact, Last, Sum, Tally, Thing, Things
from services.customer_info.profiles.rules import Channel, Day, Hours, Interest, Preference, Profile, Source, Window
from services.customer_info.profiles.view_rules import Told
from services.customer_info.store import money_document, trail

Document = dict[str, Any]


def to_document(profile: Profile, key: DataKey) -> Document:
    """A profile as it is kept."""
    cleared = {"cleared": sorted(profile.cleared)} if profile.cleared else {}
    return {
        "_id": profile.id,
        "customer_id": profile.customer_id,
        **cleared,
        "language": profile.language,
        "channels": [[p.purpose, [c.value for c in p.channels]] for p in profile.channels],
        "sealed": key.seal(_context(profile.id), _personal(profile)),
        "version": profile.version,
        "create_time": profile.create_time,
        "update_time": profile.update_time,
        **trail(),
    }


def from_document(document: Mapping[str, Any], key: DataKey | None) -> Profile:
    """A profile from what is kept; without the customer's key, without what is sealed."""
    sealed = document.get("sealed")
    personal = key.open(_context(document["_id"]), sealed) if key is not None and sealed is not None else {}
    window = personal.get("contact_window")
    return Profile(
        customer_id=document["customer_id"],
        language=document.get("language", ""),
        channels=tuple(Preference(p, tuple(map(Channel, found))) for p, found in document.get("channels", ())),
        contact_window=None if window is None else _window(window),
        accessibility_needs=tuple(personal.get("accessibility_needs", ())),
        interests=tuple(Interest(t, Source(s), weight) for t, s, weight in personal.get("interests", ())),
        newsletter_topics=tuple(personal.get("newsletter_topics", ())),
        cleared=frozenset(document.get("cleared", ())),
        id=document["_id"],
        version=document["version"],
        create_time=document["create_time"],
        update_time=document["update_time"],
    )


def _personal(profile: Profile) -> Document:
    content: Document = {
        "accessibility_needs": list(profile.accessibility_needs),
        "interests": [[i.tag, i.source.value, i.weight] for i in profile.interests],
        "newsletter_topics": list(profile.newsletter_topics),
    }
    if profile.contact_window is not None:
        content["contact_window"] = asdict(profile.contact_window)
    return content


def _window(kept: Mapping[str, Any]) -> Window:
    hours = (Hours(tuple(map(Day, h["days"])), h["start"], h["end"]) for h in kept["hours"])
    return Window(kept["time_zone"], tuple(hours))


def _context(profile_id: str) -> str:
    return f"profiles:{profile_id}"


def told_to_document(told: Told) -> Document:
    """What was told of a section, as it is kept."""
    return {"time": told.time, "facts": {name: _fact_document(fact) for name, fact in told.facts.items()}}


def told_from_document(document: Mapping[str, Any]) -> Told | None:
    """What was told, from what is kept; None: whoever it was about is to be forgotten."""
    if document.get("forgotten"):
        return None
    return Told({name: _fact(kept) for name, kept in document["facts"].items()}, document["time"])


def _fact_document(fact: Fact) -> Document:
    if isinstance(fact, Sum):
        return {"sum": fact.count}
    if isinstance(fact, Last):
        value = money_document(fact.value) if isinstance(fact.value, Money) else fact.value
        return {"last": value, "at": fact.at}
    if isinstance(fact, Tally):
        return {"tally": [[word, count] for word, count in fact.counts.items()]}
    return {"things": [[key, t.sequence, t.is_open, t.at] for key, t in fact.things.items()]}


def _fact(kept: Mapping[str, Any]) -> Fact:
    if "sum" in kept:
        return Sum(kept["sum"])
    if "last" in kept:
        value = kept["last"]
        return Last(Money(**value) if isinstance(value, dict) else value, kept["at"])
    if "tally" in kept:
        return Tally(dict(kept["tally"]))
    return Things({key: Thing(sequence, is_open, at) for key, sequence, is_open, at in kept["things"]})
