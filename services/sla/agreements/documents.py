"""Agreements as MongoDB keeps them: part of the store's door, kept apart for its length."""

from datetime import date
from typing import Any

from services.sla.agreements.rules import Agreement, AgreementRef, Metric, Objective, Operator, PriorityTarget, Scope
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.calendars.rules import Calendar, WeeklyInterval

Document = dict[str, Any]


def key_of(ref: AgreementRef) -> str:
    """The primary key of a version."""
    return f"{ref.id}:{ref.version}"


def to_document(version: AgreementVersion) -> Document:
    """A new version as it is kept."""
    agreement, calendar = version.agreement, version.calendar
    document: Document = {
        "_id": key_of(version.ref),
        "agreement_id": agreement.id,
        "version": agreement.version,
        "newest": True,
        "name": version.name,
        # Empty, not absent: what holds for everybody is asked for by it.
        "customer_id": agreement.scope.customer_id or "",
        "valid_from": agreement.valid_from,
        "calendar": {
            "id": calendar.id,
            "version": calendar.version,
            "zone": calendar.zone,
            "weekly": [[i.weekday, i.start, i.end] for i in calendar.weekly],
            "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
        },
        "objectives": [_objective_document(objective) for objective in agreement.objectives],
        "create_time": version.create_time,
    }
    if agreement.valid_to:
        document["valid_to"] = agreement.valid_to
    return document


def from_document(document: Document) -> AgreementVersion:
    """A version from what is kept."""
    calendar = _calendar(document["calendar"])
    agreement = Agreement(
        id=document["agreement_id"],
        version=document["version"],
        scope=Scope(document["customer_id"] or None),
        objectives=tuple(_objective(kept, calendar) for kept in document["objectives"]),
        valid_from=document["valid_from"],
        valid_to=document.get("valid_to"),
    )
    return AgreementVersion(document["name"], agreement, calendar, document["create_time"])


def _calendar(kept: Document) -> Calendar:
    return Calendar(
        kept["id"],
        kept["version"],
        kept["zone"],
        tuple(WeeklyInterval(*interval) for interval in kept["weekly"]),
        frozenset(date.fromisoformat(day) for day in kept["holidays"]),
    )


def _objective_document(objective: Objective) -> Document:
    document: Document = {
        "metric": objective.metric.value,
        "unit": objective.unit,
        "targets": [[t.priority, t.value] for t in objective.targets],
        "operator": objective.operator.value,
        "pause_states": sorted(objective.pause_states),
        "tolerance": objective.tolerance,
        "thresholds": list(objective.thresholds),
        "name": objective.name,
    }
    if objective.target is not None:
        document["target"] = objective.target
    return document


def _objective(kept: Document, calendar: Calendar) -> Objective:
    return Objective(
        metric=Metric(kept["metric"]),
        unit=kept["unit"],
        target=kept.get("target"),
        targets=tuple(PriorityTarget(*target) for target in kept["targets"]),
        operator=Operator(kept["operator"]),
        calendar=calendar.ref,
        pause_states=frozenset(kept["pause_states"]),
        tolerance=kept["tolerance"],
        thresholds=tuple(kept["thresholds"]),
        name=kept["name"],
    )
