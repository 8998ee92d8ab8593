"""A set of records with the truth about them."""

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from bench.duplicates.corruption import corrupted
from bench.duplicates.records import Record, Town
from services.customer_info.customers.rules import Customer

RECORDED_AGAIN: Final = 0.2
"""The share of customers that stand there twice; of those, as many stand there a third time."""
NAMESAKES: Final = 0.03
"""The share of people of whom there is another of exactly that name, beyond those that chance brings."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Customers, and which two are one: by their positions, the lower first, each with what went wrong between them."""

    customers: tuple[Customer, ...]
    truth: dict[Pair, tuple[str, ...]]


def labelled(count: int, seed: int) -> Labelled:
    """`count` records or a few more: duplicates, households, namesakes, seniors and juniors, sister companies."""
    town = Town(seed)
    records: list[tuple[int, Record, tuple[str, ...]]] = []
    owners = 0
    while len(records) < count:
        for one in town.neighbours():
            records += [(owners, record, kinds) for record, kinds in _recordings(one, town)]
            owners += 1
            if one.family and town.rng.random() < NAMESAKES:
                records.append((owners, _namesake(one, town), ()))
                owners += 1
    town.rng.shuffle(records)
    customers = tuple(record.customer(str(n)) for n, (_, record, _) in enumerate(records))
    positions: dict[int, list[int]] = {}
    for n, (owner, _, _) in enumerate(records):
        positions.setdefault(owner, []).append(n)
    truth = {
        (a, b): tuple(dict.fromkeys(records[a][2] + records[b][2]))
        for together in positions.values()
        for a, b in combinations(together, 2)
    }
    return Labelled(customers, truth)


def _recordings(one: Record, town: Town) -> list[tuple[Record, tuple[str, ...]]]:
    """The records of one customer: the good one, and how it was recorded again."""
    found: list[tuple[Record, tuple[str, ...]]] = [(one, ())]
    while town.rng.random() < RECORDED_AGAIN and len(found) < 3:
        found.append(corrupted(one, town))
    return found


def _namesake(one: Record, town: Town) -> Record:
    """Somebody else of the same name: their own mailbox, telephone and address."""
    return replace(
        one, emails=(town.email(one.given, one.family),), phones=(town.mobile(),), posts=(town.address(),), issued=""
    )
