"""What the use case asks of the services, without a word on how they are reached."""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from gateway.experience.rules import Answered, Declined, Failed, Section

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Viewer:
    """All of a caller that decides what a service lets it see."""

    roles: frozenset[str]
    customer_id: str
    partner_id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Whose story, how many `interactions` of it at most, and who asks, proven by `token`."""

    customer_id: str
    interactions: int
    viewer: Viewer
    token: str = field(repr=False)


class Sections(Protocol[C]):
    """The services behind the gateway."""

    async def tell(self, section: Section, ask: Ask, seconds: float) -> Answered[C] | Declined | Failed:
        """What the service of `section` comes to within `seconds`; one that is down is an outcome, not an error."""
