"""The 360 view of a customer as one page."""

from datetime import datetime

from holdfast.gateway.v1.experience_pb2 import GetCustomer360Response, SectionStatus
from rich.console import Group, RenderableType
from rich.text import Text

from cli.pages import contacts, portfolio, promises, risk, tickets, who
from cli.pages.frame import Freshness, section

LIMPING = (Freshness.FRESHNESS_STALE, Freshness.FRESHNESS_MISSING, Freshness.FRESHNESS_UNSPECIFIED)


def page(story: GetCustomer360Response, now: datetime) -> RenderableType:
    """Who, at what risk, with what, what is open, whether promises were kept, what happened; for 100 columns."""
    names = portfolio.names(story.portfolio.portfolio)
    sections = [
        ("Customer", story.customer.status, who.body(story.customer.customer, story.customer_id, now)),
        ("Risk and value", story.score.status, risk.body(story.score.score, now)),
        ("Portfolio", story.portfolio.status, portfolio.body(story.portfolio.portfolio, now)),
        ("Open tickets", story.tickets.status, tickets.body(story.tickets.open_tickets, now)),
        ("Promises (SLA)", story.sla.status, promises.body(story.sla, names, now)),
        ("Last contacts", story.interactions.status, contacts.body(story.interactions.interactions, now)),
    ]
    panels: list[RenderableType] = [section(title, status, body, now) for title, status, body in sections]
    return Group(*panels, _footer([(title, status) for title, status, _ in sections], now))


def _footer(statuses: list[tuple[str, SectionStatus]], now: datetime) -> Text:
    limping = [title for title, status in statuses if status.freshness in LIMPING]
    at = Text(f"Times in UTC; seen at {now:%Y-%m-%d %H:%M}.", style="dim")
    if not limping:
        return at
    warning = f"Incomplete: {', '.join(limping)} not current. `holdfast status` tells what is down. "
    return Text.assemble((warning, "bold yellow"), at)
