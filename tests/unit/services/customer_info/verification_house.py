"""Verification on stores in memory, around one customer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.customer_info.customers.rules import Customer, MediumKind
from services.customer_info.verification.ports import Result, Spans
from services.customer_info.verification.rules import Actor, Answer, Challenge, FactorKind, Outcome
from services.customer_info.verification.usecases import VerificationUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.verification import FakeVerifications
from tests.unit.services.customer_info.builders import NOON, email, person, phone

AGENT = Actor("agent-1", "call")
SYSTEM = Actor("ivr", "call", person=False, trusted=True)
SUPERVISOR = Actor("lead-1", "call", trusted=True)
PIN, CODE = Challenge(FactorKind.PIN), Challenge(FactorKind.ONE_TIME_CODE)
BIRTH, PET = Challenge(FactorKind.DATE_OF_BIRTH), Challenge(FactorKind.SECRET_ANSWER, "first_pet")
RIGHT, WRONG = Answer(PIN, "2718"), Answer(PIN, "3141")
ADDRESS = "ada@example.com"


class Plain:
    """Hashes that anybody can read, so that tests can. While one is made, `meanwhile` happens."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] = lambda: None

    async def hash(self, *parts: str) -> str:
        self.meanwhile()
        return "/".join(parts)

    async def matches(self, kept: str | None, *parts: str) -> bool:
        await asyncio.sleep(0)
        self.meanwhile()
        return kept == "/".join(parts)


class House:
    """Everything around one customer. The clock stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, customer: Customer | None = None) -> None:
        self.customer = customer or person(contact_media=(email(ADDRESS), phone("+4930123456", end=NOON)))
        self.customers = FakeCustomers(self.customer)
        self.owners = self.customers.kept
        self.lineage = FakeLineage()
        self.store = FakeVerifications()
        self.clock = datetime.now(UTC).replace(microsecond=0)
        spans = Spans(timedelta(minutes=15), timedelta(minutes=10))
        self.hashes = Plain()
        self.usecases = VerificationUseCases(self.store, self.customers, self.lineage, self.hashes, spans)
        for place in ("usecases", "counting"):
            monkeypatch.setattr(f"services.customer_info.verification.{place}.now", lambda: self.clock)

    async def merge(self, absorbed: Customer) -> None:
        """Makes another one part of the customer."""
        self.owners[absorbed.id] = replace(absorbed, merged_into=self.customer.id)
        await self.lineage.put(None, [(self.customer.id, absorbed.id)])

    async def part(self, absorbed: Customer) -> None:
        """Makes that one a customer of its own again."""
        self.owners[absorbed.id] = absorbed
        await self.lineage.put(None, [(self.customer.id,), (absorbed.id,)])

    async def set(self, *answers: Answer, customer_id: str = "") -> None:
        for answer in answers:
            await self.usecases.set_factor(SUPERVISOR, customer_id or self.customer.id, answer, "")

    async def verify(
        self, *answers: Answer, actor: Actor = AGENT, contact: str = "call-1", customer_id: str = ""
    ) -> Result:
        return await self.usecases.verify(actor, customer_id or self.customer.id, contact, answers)

    async def code(self, contact: str = "call-1", customer_id: str = "") -> str:
        whose = customer_id or self.customer.id
        return (await self.usecases.issue_code(SYSTEM, whose, contact, MediumKind.EMAIL, ADDRESS)).code

    def outcomes(self) -> list[Outcome]:
        return [a.outcome for a in self.store.attempts]
