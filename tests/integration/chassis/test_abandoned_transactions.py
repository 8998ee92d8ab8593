"""What a process leaves behind that dies in the middle of a transaction is cleared away; what lives is left alone."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from chassis.mongo.abandoned import end_abandoned
from chassis.mongo.client import Store
from tests.support.explain import overheard

PROGRAM = """
import sys, time, pymongo
client = pymongo.MongoClient(sys.argv[1])
session = client.start_session()
session.start_transaction()
client.get_default_database()["things"].update_one({"_id": int(sys.argv[2])}, {"$inc": {"count": 1}}, session=session)
print("under way", flush=True)
time.sleep(600)
"""


@contextmanager
def half_done(uri: str, thing: int = 1) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in the middle of a transaction that has written the thing."""
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, uri, str(thing)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"under way\n"
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.fixture
async def store(mongo_uri: Callable[[str], str]) -> AsyncIterator[Store]:
    async with overheard(mongo_uri("chassis")) as (opened, _):
        await opened.collection("things").replace_one({"_id": 1}, {"count": 0}, upsert=True)
        yield opened


async def ended(store: Store) -> int:
    """Waits until the store has noticed the death, and ends what was left behind."""
    async with asyncio.timeout(30):
        while not (count := await end_abandoned(store)):  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.02)
    return count


async def count(store: Store) -> int:
    """Adds one to the thing in a transaction; what it counts then."""

    async def work(transaction: object) -> None:
        await store.collection("things").update_one({"_id": 1}, {"$inc": {"count": 1}}, session=transaction)

    async with asyncio.timeout(30):
        await store.transact(work)
    found = await store.collection("things").find_one({"_id": 1})
    return int(found["count"])


async def test_the_transaction_of_a_killed_process_is_undone_and_locks_nothing_any_more(
    store: Store, mongo_uri: Callable[[str], str]
) -> None:
    with half_done(mongo_uri("chassis")) as child:
        child.kill()
        child.wait()
        assert await ended(store) == 1
        assert await count(store) == 1


async def test_the_transaction_of_a_process_that_only_takes_its_time_is_left_alone(
    store: Store, mongo_uri: Callable[[str], str]
) -> None:
    with half_done(mongo_uri("chassis")), half_done(mongo_uri("chassis"), 2) as other:
        other.kill()
        other.wait()
        # Only the dead one's: both have waited longer than any that is ended.
        assert await ended(store) == 1
        assert await end_abandoned(store) == 0
    assert await ended(store) == 1
