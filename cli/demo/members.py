"""The operator's customers with their accounts, stories and fates, before they become messages."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from cli.demo import accounts, enterprises, leaving, stories
from cli.demo.accounts import Account
from cli.demo.chance import DAY, MONTH, stream, uuid_of
from cli.demo.leaving import Fate
from cli.demo.stories import Story

ENTERPRISE_SHARE = 0.03
"""Enterprises to customers; with their divisions and departments they are some 15 % of all."""


Life = tuple[Account, Story, Fate]


@dataclass(frozen=True, slots=True)
class Member:
    """A customer: `end` is when its story ends, in seconds since 1970; `parent_id` is empty at the top of a tree."""

    index: int
    id: str
    account: Account
    story: Story
    fate: Fate
    end: int
    since: int
    name: str = ""
    parent_id: str = ""
    level: int = 0

    @property
    def departure(self) -> int | None:
        """When it was gone; None: it is still there."""
        return self.end + self.fate.notice if self.fate.left else None

    def rng(self, seed: str, part: str) -> random.Random:
        """The generator of one part of this customer."""
        return stream(seed, self.index, part)


def members(seed: str, count: int, as_of: int) -> Iterator[Member]:
    """`count` customers, parents before children, enterprises first."""
    index = 0
    for place in range(max(1, round(count * ENTERPRISE_SHARE))):
        tree = enterprises.enterprise(stream(seed, "enterprise", place), place)
        if index + len(tree.nodes) > count:
            break
        yield from _tree(seed, tree, index, as_of)
        index += len(tree.nodes)
    for one in range(index, count):
        rng = stream(seed, one, "account")
        account = accounts.person(rng)
        story = stories.write(account, stream(seed, one, "story"))
        yield _member(seed, one, (account, story, leaving.fate(account, story, rng)), as_of)


def _tree(seed: str, tree: enterprises.Enterprise, first: int, as_of: int) -> Iterator[Member]:
    made: list[Member] = []
    for place, node in enumerate(tree.nodes):
        rng = stream(seed, first + place, "account")
        account = accounts.business(rng, tree.tier, tree.tenure, node.level)
        story = stories.write(account, stream(seed, first + place, "story"))
        # A company leaves as a whole: its head decides.
        fate = made[0].fate if made else leaving.fate(account, story, rng)
        parent_id = made[node.parent].id if node.parent >= 0 else ""
        life = (account, story, fate)
        made.append(_member(seed, first + place, life, as_of, node=node, parent_id=parent_id))
    yield from made


def _member(
    seed: str, index: int, life: Life, as_of: int, *, node: enterprises.Node | None = None, parent_id: str = ""
) -> Member:
    account, story, fate = life
    rng = stream(seed, index, "identity")
    # Drawn first: others find the id of a customer by this stream alone.
    member_id = uuid_of(rng)
    end = as_of - fate.gap
    # A few days more than the whole months, never a month more.
    since = end - account.tenure * MONTH - rng.randint(1, 27) * DAY
    return Member(
        index=index,
        id=member_id,
        account=account,
        story=story,
        fate=fate,
        end=end,
        since=since - since % DAY,
        name=node.name if node else "",
        parent_id=parent_id,
        level=node.level if node else 0,
    )
