"""What happens in verification, one function per method."""

import asyncio
import secrets
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.call import detached
from chassis.following import resolved
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import Invalid, Refused, erased, missing
from chassis.times import now
from services.customer_info.customers.holding import survivor_held
from services.customer_info.customers.rules import READ, Customer, MediumKind
from services.customer_info.verification import lock_rules, rules, wire
from services.customer_info.verification.counting import Counting, Tries
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.ports import Hashes, Issued, Lineage, Owners, Result, Spans, Verifications
from services.customer_info.verification.rules import (
    Actor,
    Answer,
    Attempt,
    Challenge,
    Code,
    Factor,
    FactorKind,
    Level,
    Outcome,
    Standing,
)


class VerificationUseCases:
    """Keeps factors, tries answers, tells levels."""

    def __init__(self, store: Verifications, owners: Owners, lineage: Lineage, hashes: Hashes, spans: Spans) -> None:
        self._store = store
        self._owners = owners
        self._lineage = lineage
        self._hashes = hashes
        self._spans = spans
        self._counting = Counting(store)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def set_factor(self, actor: Actor, customer_id: str, answer: Answer, contact_id: str) -> Factor:
        """Sets what a customer is challenged with.

        Raises:
            Invalid: the answer has not the form of its kind; NotFound: no such customer; Refused: an agent asks outside
                of a contact in which the customer is verified, the customer has too many factors, or was erased.
        """
        challenge = answer.challenge
        rules.check_challenge(challenge)
        value = rules.settable(challenge.kind, answer.value)
        await self._open(customer_id)
        reached = await self.standing(customer_id, contact_id)
        if not actor.trusted:
            rules.check_setter(reached.level)
        kept = await self._hashes.hash(*_parts(customer_id, challenge, value))
        factor = Factor(customer_id, challenge, kept, now(), actor.subject, actor.channel)

        async def work(transaction: Any) -> Factor:
            await self._held(transaction, customer_id)
            known = {f.challenge for f in await self._store.factors(transaction, (customer_id,))}
            if len(known | {challenge}) > rules.MOST_FACTORS:
                raise Refused(f"a customer has at most {rules.MOST_FACTORS} factors", metadata={"state": "full"})
            await self._store.put_factor(transaction, factor)
            attempt = _entry(
                actor,
                Outcome.FACTOR_SET,
                customer_id,
                contact_id=contact_id,
                challenges=(challenge,),
                level=reached.level,
            )
            await self._store.note(transaction, attempt)
            return factor

        return await self._store.transact(work)

    async def remove_factor(self, actor: Actor, customer_id: str, challenge: Challenge) -> None:
        """Removes a factor.

        Raises:
            NotFound: there is none.
        """
        ids = await self._lineage.of(customer_id)

        async def work(transaction: Any) -> None:
            if not await self._store.drop_factor(transaction, ids, challenge):
                raise missing("factor", challenge.kind.value)
            attempt = _entry(actor, Outcome.FACTOR_REMOVED, customer_id, challenges=(challenge,))
            await self._store.note(transaction, attempt)

        await self._store.transact(work)

    async def factors(self, customer_id: str) -> list[Factor]:
        """What a customer can be challenged with, by kind and label; nothing where there is no such customer."""
        ids = await self._lineage.of(customer_id)
        found = _latest(await self._store.factors(None, ids), ids)
        return sorted(found.values(), key=lambda f: f.challenge)

    async def issue_code(
        self, actor: Actor, customer_id: str, contact_id: str, kind: MediumKind, medium: str
    ) -> Issued:
        """Makes a one-time code for one contact, to be sent to a medium of the customer.

        Raises:
            NotFound: no such customer; Invalid: it has no such medium; Refused: it is locked out, or was erased.
        """
        customer = await self._open(customer_id)
        ids = await self._lineage.of(customer_id)
        at = now()
        if not _reachable(customer, kind, medium, at):
            raise Invalid("is no contact medium of the customer", field="medium_value")
        challenges = (Challenge(FactorKind.ONE_TIME_CODE),)
        try:
            await self._counting.unlocked(Whose.CUSTOMER, ids)
        except Refused:
            await self._note_refusal(actor, customer_id, contact_id, challenges)
            raise
        code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}}"
        # Whichever of its ids is named when it is given, there is one code for a customer in a contact.
        kept = await self._hashes.hash(*_code_parts(customer.id, contact_id, code))
        made = Code(customer.id, contact_id, kept, at + self._spans.code)
        level = (await self.standing(customer_id, contact_id)).level
        attempt = _entry(
            actor, Outcome.CODE_ISSUED, customer_id, contact_id=contact_id, challenges=challenges, level=level
        )

        async def work(transaction: Any) -> None:
            await self._held(transaction, customer_id)
            await self._store.put_code(transaction, made)
            await self._store.note(transaction, attempt)

        await self._store.transact(work)
        return Issued(code, attempt.id, made.expire_time)

    async def verify(self, actor: Actor, customer_id: str, contact_id: str, answers: Sequence[Answer]) -> Result:
        """Tries answers; without any, notes that the caller said who it is.

        Raises:
            Invalid: two answers to one challenge; NotFound: no such customer; Refused: locked out (LOCKED_OUT), or
                erased.
        """
        rules.check_answers(answers)
        await self._open(customer_id)
        # A caller who goes away, or whose deadline ends, once the try is counted must not leave it undecided, nor out
        # of the audit trail: a right answer would count as a failure, and a wrong one would be seen by nobody.
        return await self._whole(self._tried(actor, customer_id, contact_id, answers))

    async def standing(self, customer_id: str, contact_id: str) -> Standing:
        """The level that a customer has in a contact, now."""
        if not contact_id:
            return Standing()
        found = await self._store.verifications(None, await self._lineage.of(customer_id), contact_id)
        at = now()
        return rules.standing(rules.joined(customer_id, contact_id, found, at), at)

    async def lift(self, actor: Actor, whose: Whose, subject: str) -> None:
        """Ends a lock-out, and forgets its failures.

        Raises:
            Forbidden: it is the lifter's own (NOT_APPROVER).
        """
        lock_rules.check_lifter(Lock(whose, subject), actor.subject)
        subjects = await self._lineage.of(subject) if whose is Whose.CUSTOMER else (subject,)
        await self._counting.forget(whose, subjects)
        customer_id, agent = (subjects[0], "") if whose is Whose.CUSTOMER else ("", subject)
        attempt = _entry(actor, Outcome.LOCK_LIFTED, customer_id, agent=agent)
        await self._store.transact(lambda transaction: self._store.note(transaction, attempt))

    async def page(self, selection: Selection) -> tuple[list[Attempt], str]:
        """A page of the audit trail, of customers under all their ids, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await resolved(selection, self._lineage))

    async def _tried(self, actor: Actor, customer_id: str, contact_id: str, answers: Sequence[Answer]) -> Result:
        challenges = tuple(a.challenge for a in answers)
        ids = await self._lineage.of(customer_id)
        try:
            tries = await self._counting.count(actor, ids, counts=bool(answers))
        except Refused:
            await self._note_refusal(actor, customer_id, contact_id, challenges)
            raise
        try:
            right, owners, code = await self._compared(ids, contact_id, answers)
            one = _Try(actor, customer_id, ids, contact_id, owners, right, code, tries)
            result = await self._decided(one, Outcome.PASSED if answers else Outcome.CLAIMED)
        except Exception:
            # Nobody has learned anything from it.
            await self._counting.give_back(tries, forgets=False)
            raise
        if result.passed and answers:
            await self._counting.give_back(tries, forgets=rules.clears(challenges))
        return result

    async def _note_refusal(
        self, actor: Actor, customer_id: str, contact_id: str, challenges: Sequence[Challenge]
    ) -> None:
        """Adds to the audit trail that nothing was tried, and no code made, because of a lock-out."""
        level = (await self.standing(customer_id, contact_id)).level
        attempt = _entry(
            actor, Outcome.LOCKED_OUT, customer_id, contact_id=contact_id, challenges=challenges, level=level
        )
        await self._store.transact(lambda transaction: self._store.note(transaction, attempt))

    async def _compared(
        self, ids: Sequence[str], contact_id: str, answers: Sequence[Answer]
    ) -> tuple[bool, dict[Challenge, str], str | None]:
        """Whether all answers are right, whose factor each was compared with, and the hash of the one-time code."""
        found = _latest(await self._store.factors(None, ids), ids) if answers else {}
        code: str | None = None
        if any(a.challenge.kind is FactorKind.ONE_TIME_CODE for a in answers):
            code = await self._store.try_code(ids[0], contact_id, now())
        owners: dict[Challenge, str] = {}
        compared: list[Awaitable[bool]] = []
        for answer in answers:
            challenge = answer.challenge
            value = rules.normalised(challenge.kind, answer.value)
            factor = found.get(challenge)
            # A one-time code is the survivor's, to a medium of whose record it was sent.
            owners[challenge] = factor.customer_id if factor else ids[0]
            if challenge.kind is FactorKind.ONE_TIME_CODE:
                compared.append(self._hashes.matches(code, *_code_parts(ids[0], contact_id, value)))
            else:
                kept = factor.hash if factor else None
                compared.append(self._hashes.matches(kept, *_parts(owners[challenge], challenge, value)))
        # All of them, whatever the first one says: how long it takes tells nothing.
        return all(await asyncio.gather(*compared)), owners, code

    async def _decided(self, one: "_Try", success: Outcome) -> Result:
        """Keeps what came of a try, in the audit trail and for the contact."""
        challenges = tuple(one.owners)

        async def work(transaction: Any) -> Result:
            customer_id, contact_id, at = one.customer_id, one.contact_id, now()
            ids = await self._held(transaction, customer_id)
            found = await self._store.verifications(transaction, ids, contact_id)
            # Whose factor it was may have been parted from the customer meanwhile.
            passed = one.right and set(one.owners.values()) <= set(ids)
            if passed and one.code is not None:
                # Of two who give the same code at once, one was first.
                passed = await self._store.spend_code(transaction, one.ids[0], contact_id, one.code)
            if passed:
                gained = rules.gained(customer_id, contact_id, one.owners, at + self._spans.verification)
                for more in gained:
                    own = [v for v in found if v.customer_id == more.customer_id]
                    kept = rules.joined(more.customer_id, contact_id, [*own, more], at)
                    await self._store.keep(transaction, kept)
                found += gained
            reached = rules.standing(rules.joined(customer_id, contact_id, found, at), at)
            attempt = _entry(
                one.actor,
                success if passed else Outcome.FAILED,
                customer_id,
                contact_id=contact_id,
                challenges=challenges,
                level=reached.level,
            )
            locked = [] if passed else one.tries.locked()
            told = [wire.locked_event(attempt, lock) for lock in locked]
            if passed and challenges:
                told.append(wire.verified_event(attempt, reached))
            await self._store.note(transaction, attempt, *told)
            until = max((lock.until for lock in locked if lock.until), default=None)
            left = one.tries.left(forgets=passed and rules.clears(challenges), passed=passed)
            return Result(passed, reached, left, until)

        return await self._store.transact(work)

    async def _open(self, customer_id: str) -> Customer:
        """Who has this id by now, unless erased; looked at before anything is counted or hashed, and not held."""
        customer = await self._owners.get((await self._lineage.of(customer_id))[0])
        if customer is None:
            raise missing("customer", customer_id)
        if customer.erase_time:
            raise erased(customer_id)
        return customer

    async def _held(self, transaction: Any, customer_id: str) -> tuple[str, ...]:
        _, ids = await survivor_held(self._owners, self._lineage, transaction, customer_id)
        return ids

    async def _whole(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Runs `work` to its end, also when whoever waits for it is cancelled, or waits no longer."""
        task = asyncio.create_task(work, context=detached())
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        return await asyncio.shield(task)

    def _settled(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever waited has it; if nobody did, it is nobody's any more.
            task.exception()


@dataclass(frozen=True, slots=True)
class _Try:
    """One try, compared and not yet decided."""

    actor: Actor
    customer_id: str
    ids: Sequence[str]
    contact_id: str
    owners: Mapping[Challenge, str]
    right: bool
    code: str | None
    tries: Tries


def _parts(customer_id: str, challenge: Challenge, value: str) -> tuple[str, ...]:
    return customer_id, challenge.kind.value, challenge.label, value


def _code_parts(customer_id: str, contact_id: str, value: str) -> tuple[str, ...]:
    return customer_id, FactorKind.ONE_TIME_CODE.value, contact_id, value


def _latest(factors: Sequence[Factor], ids: Sequence[str]) -> dict[Challenge, Factor]:
    """Of a merged customer's factors for one challenge, the one that was set last, under whichever of its ids."""
    place = {customer_id: n for n, customer_id in enumerate(ids)}
    found = sorted(factors, key=lambda f: (f.set_time, -place[f.customer_id]))
    return {f.challenge: f for f in found}


def _reachable(customer: Customer, kind: MediumKind, medium: str, at: datetime) -> bool:
    try:
        wanted = READ[kind](medium) if kind in READ else medium
    except ValueError:
        return False
    return any(
        m.kind is kind and m.value == wanted and (m.start is None or m.start <= at) and (m.end is None or at < m.end)
        for m in customer.contact_media
    )


def _entry(
    actor: Actor,
    outcome: Outcome,
    customer_id: str,
    *,
    contact_id: str = "",
    challenges: Sequence[Challenge] = (),
    level: Level = Level.NONE,
    agent: str = "",
) -> Attempt:
    kinds = tuple(dict.fromkeys(c.kind for c in challenges))
    return Attempt(new_id(), outcome, now(), customer_id, contact_id, kinds, level, actor.subject, actor.channel, agent)
