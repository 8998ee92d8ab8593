"""Who leaves: the hidden truth that a model has to find again. Nothing else of the operator knows these numbers."""

import random
from dataclasses import dataclass
from typing import Final

from cli.demo.accounts import CHECK, Account
from cli.demo.chance import DAY, HOUR, sigmoid
from cli.demo.stories import WINDOW, Story

INTERCEPT: Final = -1.62
BUSINESS: Final = -0.6
"""Added for an enterprise: changing the operator is a project."""
TERM: Final = {0: 0.0, 12: -1.1, 24: -1.9}
FIRST_GAP, LAST_GAP = 10, 270
"""Days between the observation of a leaver and the present: 270 leave the 90 days before it within the year."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Whether a customer leaves. Its story ends `gap` seconds before the present; it is gone `notice` seconds later."""

    left: bool = False
    gap: int = 0
    notice: int = 0


def fate(account: Account, story: Story, rng: random.Random) -> Fate:
    """Draw whether the account leaves at its story's end."""
    if rng.random() >= sigmoid(log_odds(account, story)):
        return Fate()
    # At least two days: what is done on leaving must not fall into the last day that is learned from.
    notice = rng.randint(2, 9) * DAY + rng.randint(8, 17) * HOUR
    return Fate(left=True, gap=rng.randint(FIRST_GAP, LAST_GAP) * DAY, notice=notice)


def log_odds(account: Account, story: Story) -> float:
    """The log-odds of leaving, from what is known at the story's end."""
    lately = [contact for contact in story.contacts if 0 < contact.age <= WINDOW]
    moods = [contact.topic.mood for contact in lately if contact.topic.mood is not None]
    tickets = [ticket for ticket in story.tickets if ticket.age <= WINDOW]
    return (
        INTERCEPT
        + TERM[account.term]
        + (BUSINESS if account.tier else _household(account))
        - 0.032 * min(account.tenure, 60)
        + 0.85 * min(3, sum(contact.topic.complaint for contact in lately))
        + 0.30 * min(3, len(tickets))
        + 0.55 * min(2, sum(ticket.late for ticket in tickets))
        - 0.6 * (sum(moods) / len(moods) if moods else 0.0)
    )


def _household(account: Account) -> float:
    internet = account.has("internet")
    fiber = account.has("internet", ("technology", "fiber"))
    return (
        (0.75 if fiber else 0.0)
        + (0.4 if internet and not account.has("tech_support") else 0.0)
        + (0.4 if internet and not account.has("online_security") else 0.0)
        + (0.45 if account.payment == CHECK else 0.0)
        + (0.15 if account.paperless else 0.0)
        + (0.2 if account.senior else 0.0)
        - (0.25 if account.dependents else 0.0)
        + 0.009 * (account.cents / 100 - 65)
    )
