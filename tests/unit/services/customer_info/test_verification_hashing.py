"""Hashes of answers."""

import asyncio
import threading
from collections.abc import Iterator

import argon2.low_level
import pytest

from chassis.vault.blind import Blind
from services.customer_info.verification import hashing
from services.customer_info.verification.hashing import Cost, Hasher
from tests.support.polling import until

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PARTS = ("customer", "pin", "", "2718")


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    made = Hasher(CHEAP, 2, Blind(b"k" * 32).token)
    yield made
    made.close()


async def test_the_right_answer_matches_and_no_other(hasher: Hasher) -> None:
    kept = await hasher.hash(*PARTS)
    assert await hasher.matches(kept, *PARTS)
    for n in range(4):
        assert not await hasher.matches(kept, *PARTS[:n], PARTS[n] + "x", *PARTS[n + 1 :])


async def test_nothing_matches_where_nothing_is_kept(hasher: Hasher) -> None:
    assert not await hasher.matches(None, *PARTS)


async def test_hashes_are_argon2id_of_the_cost_asked_for_each_with_its_own_salt(hasher: Hasher) -> None:
    one, other = await hasher.hash(*PARTS), await hasher.hash(*PARTS)
    assert one != other
    found = argon2.extract_parameters(one)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (argon2.Type.ID, 64, 1, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)


async def test_a_hash_says_nothing_without_the_key_of_the_installation(hasher: Hasher) -> None:
    kept = await hasher.hash(*PARTS)
    elsewhere = Hasher(CHEAP, 1, Blind(b"x" * 32).token)
    assert not await elsewhere.matches(kept, *PARTS)
    elsewhere.close()


async def test_a_hash_of_another_cost_is_still_understood(hasher: Hasher) -> None:
    dearer = Hasher(Cost(128, 2, 1), 1, Blind(b"k" * 32).token)
    assert await dearer.matches(await hasher.hash(*PARTS), *PARTS)
    dearer.close()


async def test_the_event_loop_goes_on_while_few_are_hashed_at_once(
    hasher: Hasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, inside, most = threading.Event(), [0], [0]
    real = argon2.low_level.verify_secret

    def slow(*args: object) -> bool:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        gate.wait(10)
        inside[0] -= 1
        return real(*args)  # type: ignore[arg-type]

    kept = await hasher.hash(*PARTS)
    monkeypatch.setattr(hashing, "verify_secret", slow)
    tries = [asyncio.create_task(hasher.matches(kept, *PARTS)) for _ in range(6)]
    # Only a loop that goes on gets further than this.
    await until(lambda: inside[0] == 2)
    gate.set()
    assert all(await asyncio.gather(*tries))
    assert most[0] == 2


async def test_an_absent_factor_costs_what_a_wrong_answer_costs(
    hasher: Hasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, compared = argon2.low_level.verify_secret, []

    def noted(kept: bytes, *rest: object) -> bool:
        compared.append(argon2.extract_parameters(kept.decode()))
        return real(kept, *rest)  # type: ignore[arg-type]

    kept = await hasher.hash(*PARTS)
    monkeypatch.setattr(hashing, "verify_secret", noted)
    for tried in (kept, None):
        assert not await hasher.matches(tried, "wrong")
    # One comparison each, of the same memory, passes and lanes.
    assert len(compared) == 2
    assert compared[0] == compared[1]
