"""Records to merge, and merges that hold."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from chassis.rules import Invalid
from services.customer_info.customers.rules import Customer, Individual, check
from services.customer_info.merges.list_rules import LISTS, Keep
from services.customer_info.merges.parting_rules import Held, unmerged
from services.customer_info.merges.rules import FIELDS, Merge, merged, swallowed
from tests.unit.services.customer_info.builders import NOON, later, phone
from tests.unit.services.customer_info.strategies import customers

people = customers.filter(lambda c: isinstance(c.party, Individual))
stored = people.map(lambda c: replace(c, version=1, update_time=NOON, merged_into="", erase_time=None, parent_id=""))


def content(customer: Customer) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in FIELDS}


def consistent(*some: Customer) -> bool:
    for customer in some:
        try:
            check(customer)
        except Invalid:
            return False
    return True


def entries(customer: Customer, name: str) -> set[Any]:
    found = [LISTS[name](entry) for entry in getattr(customer, name)]
    return {(key, found[: n + 1].count(key)) for n, key in enumerate(found)}


# Of few values, so that records share some, and differ in others of the same kind.
spans = st.sampled_from([(None, None), (None, NOON), (later(5), None), (later(5), later(9))])
media = st.builds(
    lambda number, preferred, span: phone(f"+493012345{number}", preferred=preferred, start=span[0], end=span[1]),
    st.integers(1, 2),
    st.booleans(),
    spans,
)
levels = st.dictionaries(st.sampled_from(["care_level", "tier"]), st.sampled_from(["gold", "silver"])).map(
    lambda chosen: tuple(sorted(chosen.items()))
)
alike = st.builds(
    lambda customer, numbers, known: replace(customer, contact_media=tuple(numbers), characteristics=known),
    stored,
    st.lists(media, max_size=4),
    levels,
).filter(consistent)


def held(survivor: Customer, duplicate: Customer, choices: Mapping[str, Keep], minutes: int = 1) -> Held:
    """A merge of two records, made so many minutes after noon."""
    after, outcomes = merged(survivor, duplicate, choices, later(minutes))
    numbers = (survivor.version, after.version)
    merge = Merge(f"m{minutes}", survivor.id, duplicate.id, *numbers, later(minutes), "tester", outcomes)
    return Held(merge, survivor, after, swallowed(duplicate, survivor.id, later(minutes)))


def parted(undone: Held, survivor: Customer, *following: Held) -> tuple[Customer, Customer]:
    """The survivor and the other record after a merge was undone."""
    found = unmerged(undone, following, survivor, later(99))
    return found.survivor[-1], found.duplicate


class Star:
    """A survivor into which records are merged one after the other, as the stores keep all of them."""

    def __init__(self, survivor: Customer) -> None:
        self.survivor = survivor
        self.versions = {survivor.version: survivor}
        self.merges: list[Merge] = []
        self.swallowed: dict[str, Customer] = {}

    def merge(self, duplicate: Customer, choices: Mapping[str, Keep]) -> None:
        """Merges one more record into the survivor."""
        made = held(self.survivor, duplicate, choices, len(self.versions))
        self.merges.append(made.merge)
        self.swallowed[duplicate.id] = made.duplicate
        self.keep(made.after)

    def keep(self, version: Customer) -> None:
        """Keeps the next version of the survivor."""
        self.survivor = self.versions[version.version] = version

    def part(self, duplicate_id: str) -> Customer:
        """Undoes the merge of a record, which is on its own again."""
        holding = [
            Held(m, self.versions[m.survivor_before], self.versions[m.survivor_after], self.swallowed[m.duplicate_id])
            for m in self.merges
        ]
        nth = [m.duplicate_id for m in self.merges].index(duplicate_id)
        parting = unmerged(holding[nth], holding[nth + 1 :], self.survivor, later(99))
        for version in parting.survivor:
            self.keep(version)
        self.merges[nth:] = parting.again
        self.swallowed |= {other.id: other for other in parting.others}
        return parting.duplicate
