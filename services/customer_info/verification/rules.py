"""What shows that a caller is the customer, and how far. Pure: no I/O, no clock, no randomness."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from itertools import pairwise

from chassis.rules import Invalid, Refused

# Most factors that one customer has.
MOST_FACTORS = 16
# Tries of one code. Three tries at six digits succeed three times in a million; RFC 4226, 7.3, asks for such a limit.
CODE_TRIES = 3
CODE_DIGITS = 6


class FactorKind(StrEnum):
    """What a customer can be challenged with."""

    PIN = "pin"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    SECRET_ANSWER = "secret_answer"  # noqa: S105 - the name of a kind
    ONE_TIME_CODE = "one_time_code"
    DATE_OF_BIRTH = "date_of_birth"
    KNOWLEDGE = "knowledge"


class Element(Enum):
    """What a factor rests on. Two elements are the two of Directive (EU) 2015/2366, art. 4(30), that reach over a line.

    Facts are kept apart from secrets, because others know them, too: in 2019 the German data protection authority fined
    a telecom operator whose hotline took name and date of birth for enough (GDPR, art. 32).
    """

    FACT = "fact"
    SECRET = "secret"  # noqa: S105 - the name of an element
    POSSESSION = "possession"


ELEMENTS = {
    FactorKind.PIN: Element.SECRET,
    FactorKind.PASSWORD: Element.SECRET,
    FactorKind.SECRET_ANSWER: Element.SECRET,
    FactorKind.ONE_TIME_CODE: Element.POSSESSION,
    FactorKind.DATE_OF_BIRTH: Element.FACT,
    FactorKind.KNOWLEDGE: Element.FACT,
}
LABELLED = frozenset({FactorKind.SECRET_ANSWER, FactorKind.KNOWLEDGE})


class Level(IntEnum):
    """How sure one is that a caller is the customer; a greater one is surer."""

    NONE = 1
    CLAIMED = 2
    VERIFIED = 3
    STRONG = 4


@dataclass(frozen=True, slots=True)
class Needs:
    """How many different factors of each element a level takes."""

    level: Level
    secrets: int = 0
    possessions: int = 0
    facts: int = 0


# The first row whose needs are met counts.
TABLE = (
    Needs(Level.STRONG, secrets=1, possessions=1),
    Needs(Level.VERIFIED, secrets=1),
    Needs(Level.VERIFIED, possessions=1),
    Needs(Level.VERIFIED, facts=2),
    Needs(Level.CLAIMED),
)


class Outcome(StrEnum):
    """What an entry of the audit trail tells."""

    CLAIMED = "claimed"
    PASSED = "passed"
    FAILED = "failed"
    LOCKED_OUT = "locked_out"
    CODE_ISSUED = "code_issued"
    FACTOR_SET = "factor_set"
    FACTOR_REMOVED = "factor_removed"
    LOCK_LIFTED = "lock_lifted"


@dataclass(frozen=True, slots=True, order=True)
class Challenge:
    """One challenge of a customer: its kind, and which one of it."""

    kind: FactorKind
    label: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller answered to a challenge. The value is never shown."""

    challenge: Challenge
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Factor:
    """A challenge of a customer with the hash of its answer, and who set it when."""

    customer_id: str
    challenge: Challenge
    hash: str = field(repr=False)
    set_time: datetime
    by: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A challenge that was passed in a contact, and until when that counts."""

    challenge: Challenge
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """What a customer showed in one contact; that it said who it is counts until `claim_expires`."""

    customer_id: str
    contact_id: str
    claim_expires: datetime
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """The level in a contact at some time, until when it lasts, and what it rests on."""

    level: Level = Level.NONE
    expire_time: datetime | None = None
    kinds: tuple[FactorKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code for one contact, as its hash, and until when it is good."""

    customer_id: str
    contact_id: str
    hash: str = field(repr=False)
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the subject of its token, and through which channel.

    A `person` works for the operator, one caller at a time: failures count against it. One who is `trusted` may set
    factors of a customer that is not verified: a supervisor, a system, or the customer itself in self-service.
    """

    subject: str
    channel: str = ""
    person: bool = True
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of the audit trail. `agent` is whom it was about where that is not a customer."""

    id: str
    outcome: Outcome
    time: datetime
    customer_id: str = ""
    contact_id: str = ""
    kinds: tuple[FactorKind, ...] = ()
    level: Level = Level.NONE
    by: str = ""
    channel: str = ""
    agent: str = ""


def level_of(challenges: Iterable[Challenge]) -> Level:
    """The level that passing these challenges gives: that of the first row of the table they satisfy."""
    has = dict.fromkeys(Element, 0)
    for challenge in set(challenges):
        has[ELEMENTS[challenge.kind]] += 1
    return next(
        row.level
        for row in TABLE
        if has[Element.SECRET] >= row.secrets
        and has[Element.POSSESSION] >= row.possessions
        and has[Element.FACT] >= row.facts
    )


def standing(verification: Verification | None, at: datetime) -> Standing:
    """The level at `at`, and when it falls: as each of what it rests on expires by itself, it may fall step by step."""
    if verification is None or verification.claim_expires <= at:
        return Standing()
    live = sorted((p for p in verification.passed if p.expire_time > at), key=lambda p: p.expire_time)
    level = level_of(p.challenge for p in live)
    falls = verification.claim_expires
    for n, passed in enumerate(live, 1):
        if level_of(p.challenge for p in live[n:]) < level:
            falls = passed.expire_time
            break
    return Standing(level, falls, tuple(dict.fromkeys(sorted(p.challenge.kind for p in live))))


def passed(before: Verification, challenges: Iterable[Challenge], expire_time: datetime) -> Verification:
    """`before` once `challenges` are passed as well; a challenge passed again counts for as long as either time."""
    kept = {p.challenge: p for p in before.passed}
    for challenge in challenges:
        if challenge not in kept or kept[challenge].expire_time < expire_time:
            kept[challenge] = Passed(challenge, expire_time)
    return replace(before, claim_expires=max(before.claim_expires, expire_time), passed=tuple(kept.values()))


def gained(
    customer_id: str, contact_id: str, owners: Mapping[Challenge, str], expire_time: datetime
) -> list[Verification]:
    """What passing gives to which of a customer's ids: each challenge to the one whose factor it was, by `owners`.

    Parted again, nobody keeps a level that another's factor gave. The one that was named has claimed in any case.
    """
    by_owner: dict[str, list[Passed]] = {customer_id: []}
    for challenge, owner in owners.items():
        by_owner.setdefault(owner, []).append(Passed(challenge, expire_time))
    return [Verification(owner, contact_id, expire_time, tuple(own)) for owner, own in by_owner.items()]


def joined(customer_id: str, contact_id: str, found: Iterable[Verification], at: datetime) -> Verification:
    """What is known in one contact of a customer, under any id it ever had; what is over at `at` is left out."""
    whole = Verification(customer_id, contact_id, at)
    for one in found:
        for kept in one.passed:
            if kept.expire_time > at:
                whole = passed(whole, (kept.challenge,), kept.expire_time)
        whole = replace(whole, claim_expires=max(whole.claim_expires, one.claim_expires))
    return whole


def clears(challenges: Iterable[Challenge]) -> bool:
    """Whether passing these forgets the customer's failures.

    Facts alone do not: who knows a birthday could otherwise try secrets for ever, with the birthday in between.
    """
    return any(ELEMENTS[c.kind] is not Element.FACT for c in challenges)


def check_answers(answers: Iterable[Answer]) -> None:
    """Passes answers to different challenges.

    Raises:
        Invalid: two of them answer one challenge, which would make two tries of one.
    """
    challenges = [a.challenge for a in answers]
    for n, challenge in enumerate(challenges):
        if challenge in challenges[:n]:
            raise Invalid("answers a challenge that another one answers as well", field=f"answers[{n}]")


def check_challenge(challenge: Challenge) -> None:
    """Passes a challenge whose label fits its kind.

    Raises:
        Invalid: it lacks a label that its kind needs, or has one that its kind does not take.
    """
    if challenge.kind in LABELLED and not challenge.label:
        raise Invalid(f"a {challenge.kind} says which one it is", field="label")
    if challenge.kind not in LABELLED and challenge.label:
        raise Invalid(f"a customer has only one {challenge.kind}", field="label")


def check_setter(reached: Level) -> None:
    """Passes an agent who sets a factor in a contact where the customer has reached this level.

    Raises:
        Refused: it is not verified: whoever calls could make itself the customer.
    """
    if reached < Level.VERIFIED:
        raise Refused(
            "an agent sets a factor only in a contact in which the customer is verified",
            field="contact_id",
            metadata={"state": reached.name.lower()},
        )


def normalised(kind: FactorKind, value: str) -> str:
    """An answer as it is compared: what a keyboard or an ear cannot tell apart is the same.

    Passwords are compared in NFKC (NIST SP 800-63B, 5.1.1.2); answers in words without case and repeated spaces.
    """
    value = unicodedata.normalize("NFKC", value)
    if kind is FactorKind.PASSWORD:
        return value
    words = value.casefold().split() if kind in LABELLED else value.split()
    # What now stands side by side may combine.
    return unicodedata.normalize("NFKC", (" " if kind in LABELLED else "").join(words))


def settable(kind: FactorKind, value: str) -> str:
    """The normalised answer of a new factor.

    Raises:
        Invalid: it does not have the form of its kind, or anybody would try it first.
    """
    answer = normalised(kind, value)
    if kind is FactorKind.PIN:
        _check_pin(answer)
    elif kind is FactorKind.PASSWORD and not 8 <= len(answer) <= 128:
        raise Invalid("must have 8 to 128 characters", field="value")
    elif kind is FactorKind.DATE_OF_BIRTH:
        _check_date(answer)
    elif kind is FactorKind.ONE_TIME_CODE:
        raise Invalid("one-time codes are made by IssueCode", field="kind")
    elif not answer:
        raise Invalid("must not be blank", field="value")
    return answer


def _check_pin(pin: str) -> None:
    if not re.fullmatch("[0-9]{4,12}", pin):
        raise Invalid("must have 4 to 12 digits", field="value")
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {9}):
        raise Invalid("must not be one digit repeated, nor digits in a row", field="value")


def _check_date(text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise Invalid("must be a date such as 1985-03-09", field="value")
