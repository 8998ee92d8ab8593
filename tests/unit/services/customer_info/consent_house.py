"""The use cases of consents around some customers, on stores in memory."""

from collections.abc import Sequence
from datetime import datetime

from services.customer_info.consents.contact_rules import Reason
from services.customer_info.consents.rules import Change, Channel, Record, Source
from services.customer_info.consents.usecases import ConsentUseCases, Write
from services.customer_info.customers.rules import Customer
from services.customer_info.profiles.rules import Profile
from tests.support.fakes.consents import FakeConsents
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.profiles import FakeProfiles
from tests.unit.services.customer_info.consent_builders import SHOP

NOTHING = Write("Record", "", b"")


class House:
    """The use cases around some customers. The clock stands still until it is moved."""

    def __init__(self, *customers: Customer, lines: Sequence[Sequence[str]] = ()) -> None:
        self.customers = FakeCustomers(*customers)
        self.store = FakeConsents()
        self.profiles = FakeProfiles()
        self.usecases = ConsentUseCases(self.store, self.customers, self.profiles, FakeLineage(*lines))

    async def add(self, customer_id: str, change: Change, source: Source = SHOP, write: Write = NOTHING) -> Record:
        return await self.usecases.record(customer_id, change, source, "agent-1", write)

    async def tell(self, profile: Profile) -> None:
        await self.profiles.transact(lambda t: self.profiles.put(t, profile))

    async def reason(self, customer_id: str, purpose: str = "marketing", at: datetime | None = None) -> Reason:
        decision, _ = await self.usecases.may_contact(customer_id, purpose, Channel.EMAIL, at)
        return decision.reason
