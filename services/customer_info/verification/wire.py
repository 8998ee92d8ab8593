"""Verification between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

from holdfast.customer_info.v1 import verification_pb2 as pb

from chassis.events.outbox import Happening
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import (
    Answer,
    Attempt,
    Challenge,
    Factor,
    FactorKind,
    Level,
    Outcome,
    Standing,
)
from services.customer_info.wire import stamp

KINDS = {k: pb.FactorKind.Value(f"FACTOR_KIND_{k.name}") for k in FactorKind}
LEVELS = {level: pb.AssuranceLevel.Value(f"ASSURANCE_LEVEL_{level.name}") for level in Level}
OUTCOMES = {o: pb.VerificationOutcome.Value(f"VERIFICATION_OUTCOME_{o.name}") for o in Outcome}
SUBJECTS = {w: pb.LockSubject.Value(f"LOCK_SUBJECT_{w.name}") for w in Whose}
_KIND = {number: kind for kind, number in KINDS.items()}


def challenge(message: pb.FactorAnswer | pb.SetFactorRequest | pb.RemoveFactorRequest) -> Challenge:
    """The challenge that a validated message names."""
    return Challenge(_KIND[message.kind], message.label)


def answer(message: pb.FactorAnswer | pb.SetFactorRequest) -> Answer:
    """The answer in a validated message."""
    return Answer(challenge(message), message.value)


def factor(kept: Factor) -> pb.Factor:
    """A factor as it goes to a caller: without its hash."""
    return pb.Factor(
        kind=KINDS[kept.challenge.kind],
        label=kept.challenge.label,
        set_time=stamp(kept.set_time),
        by=kept.by,
        channel=kept.channel,
    )


def verification(customer_id: str, contact_id: str, reached: Standing) -> pb.Verification:
    """The level in a contact as it goes to a caller."""
    return pb.Verification(
        customer_id=customer_id,
        contact_id=contact_id,
        level=LEVELS[reached.level],
        expire_time=stamp(reached.expire_time),
        passed=[KINDS[k] for k in reached.kinds],
    )


def attempt(kept: Attempt) -> pb.VerificationAttempt:
    """An entry of the audit trail as it goes to a caller."""
    return pb.VerificationAttempt(
        id=kept.id,
        customer_id=kept.customer_id,
        contact_id=kept.contact_id,
        by=kept.by,
        channel=kept.channel,
        kinds=[KINDS[k] for k in kept.kinds],
        outcome=OUTCOMES[kept.outcome],
        level=LEVELS[kept.level],
        time=stamp(kept.time),
        agent=kept.agent,
    )


def verified_event(entry: Attempt, reached: Standing) -> Happening:
    """Tells that a customer passed a challenge."""
    data = pb.CustomerVerified(
        customer_id=entry.customer_id,
        contact_id=entry.contact_id,
        level=LEVELS[reached.level],
        expire_time=stamp(reached.expire_time),
    )
    return Happening(entry.id, 1, data, entry.time, entry.customer_id)


def locked_event(entry: Attempt, lock: Lock) -> Happening:
    """Tells that too many failures led to a lock-out."""
    data = pb.VerificationLocked(
        whose=SUBJECTS[lock.whose], customer_id=entry.customer_id, attempt_id=entry.id, until=stamp(lock.until)
    )
    # A failure can lock out both a customer and an agent; each is told of under its own name.
    return Happening(f"{entry.id}:{lock.whose}", 1, data, entry.time, entry.customer_id)
