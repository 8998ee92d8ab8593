"""What happens to families, on a store in memory; and how long they stay at hand."""

from dataclasses import replace

import pytest

from chassis.rules import Conflict, Invalid, NotFound
from services.customer_info.catalogue.rules import Characteristic, Families, Family, Status
from services.customer_info.catalogue.usecases import LIFE_SECONDS, CatalogueUseCases
from services.customer_info.history import rules as history_rules
from tests.support.fakes.catalogue import FakeCatalogue
from tests.unit.services.customer_info.builders import NOON

VOICE = Family("voice", "Voice", "voice", open=True, update_time=NOON)
FAX = Family("fax", "Fax", "voice", update_time=NOON)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def house(*families: Family) -> tuple[CatalogueUseCases, FakeCatalogue, Clock]:
    store, clock = FakeCatalogue(*families), Clock()
    return CatalogueUseCases(store, clock), store, clock


async def test_a_catalogue_begins_with_what_it_lacks_and_changes_nothing_that_is_there() -> None:
    mine = replace(VOICE, title="My voice", status=Status.RETIRED)
    catalogue, store, _ = house(mine)
    await catalogue.start([VOICE, FAX])
    assert store.kept["voice"] == mine
    assert (store.kept["fax"].version, store.kept["fax"].status) == (1, Status.ACTIVE)


async def test_a_family_is_made_changed_and_taken_off_sale() -> None:
    catalogue, store, _ = house()
    made = await catalogue.define(FAX, "")
    assert await catalogue.get("fax") == made
    changed = await catalogue.define(replace(FAX, title="Telefax"), "v1")
    assert (changed.title, changed.version) == ("Telefax", 2)
    assert await catalogue.define(replace(FAX, title="Telefax"), "v2") == changed
    retired = await catalogue.retire("fax", "v2")
    assert (retired.status, retired.version) == (Status.RETIRED, 3)
    assert await catalogue.retire("fax", "") == retired
    assert store.former == [made, changed]
    assert (await catalogue.define(changed, "v3")).status is Status.ACTIVE


async def test_every_change_of_a_family_is_told_and_its_versions_can_be_read() -> None:
    catalogue, store, _ = house()
    await catalogue.define(FAX, "")
    await catalogue.define(replace(FAX, title="Telefax"), "")
    await catalogue.define(replace(FAX, title="Telefax"), "")
    await catalogue.retire("fax", "")
    await catalogue.retire("fax", "")
    assert [(e.subject, e.sequence, e.data.DESCRIPTOR.name) for e in store.events] == [
        ("fax", 1, "FamilyDefined"),
        ("fax", 2, "FamilyDefined"),
        ("fax", 3, "FamilyRetired"),
    ]
    first, token = await catalogue.versions("fax", 2, "")
    assert [m.record.version for m in first] == [3, 2]
    last, end = await catalogue.versions("fax", 2, token)
    assert ([m.record.title for m in last], end) == (["Fax"], "")
    with pytest.raises(NotFound):
        await catalogue.versions("telex", 2, "")
    with pytest.raises(Invalid) as foreign:
        await catalogue.versions("telex", 2, token)
    assert foreign.value.reason == "INVALID_PAGE_TOKEN"
    made_up = history_rules.token((NOON, "fax:x"), history_rules.mark_of("fax", ["family"]))
    with pytest.raises(Invalid):
        await catalogue.versions("fax", 2, made_up)


async def test_a_change_needs_the_current_etag_of_a_family_that_is_there() -> None:
    catalogue, _, _ = house(VOICE)
    for stale in (catalogue.define(VOICE, "v2"), catalogue.retire("voice", "v2")):
        with pytest.raises(Conflict) as refused:
            await stale
        assert refused.value.metadata == {"etag": "v1"}
    for nobody in (catalogue.define(FAX, "v1"), catalogue.retire("fax", ""), catalogue.get("fax")):
        with pytest.raises(NotFound) as missing:
            await nobody
        assert missing.value.metadata == {"type": "family", "id": "fax"}
    twice = (Characteristic("a"), Characteristic("a"))
    with pytest.raises(Invalid):
        await catalogue.define(replace(FAX, characteristics=twice), "")


async def test_a_family_that_somebody_else_made_first_is_changed() -> None:
    catalogue, store, _ = house()
    store.rival = replace(FAX, title="Theirs")
    made = await catalogue.define(FAX, "")
    assert (made.title, made.version) == ("Fax", 2)


async def test_families_stay_at_hand_for_a_short_while() -> None:
    catalogue, store, clock = house(VOICE)
    for _ in range(100):
        assert await catalogue.families("voice") == {"voice": VOICE}
    assert store.reads == 1
    store.kept["fax"] = FAX
    clock.seconds += LIFE_SECONDS
    assert set(await catalogue.families()) == {"voice", "fax"}
    assert store.reads == 2


async def test_a_family_that_is_not_at_hand_is_looked_for_at_once() -> None:
    catalogue, store, _ = house(VOICE)
    await catalogue.families()
    store.kept["fax"] = FAX
    assert "fax" in await catalogue.families("fax")
    assert "telex" not in await catalogue.families("telex")


async def test_a_change_is_seen_at_once_where_it_was_made() -> None:
    catalogue, _, _ = house(VOICE)
    await catalogue.families()
    await catalogue.retire("voice", "")
    assert (await catalogue.families())["voice"].status is Status.RETIRED
    await catalogue.define(replace(VOICE, title="Telephony"), "")
    assert (await catalogue.families())["voice"].title == "Telephony"


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    class Slow(FakeCatalogue):
        async def everything(self) -> Families:
            before = await super().everything()
            if self.reads == 1:
                await catalogue.retire("voice", "")
            return before

    catalogue = CatalogueUseCases(Slow(VOICE), Clock())
    assert (await catalogue.families())["voice"].status is Status.ACTIVE
    assert (await catalogue.families())["voice"].status is Status.RETIRED
