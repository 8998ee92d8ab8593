"""Hashes of answers: Argon2id (RFC 9106) over a keyed digest of the answer, with a salt of its own each.

The digest is keyed by the vault: whoever has the store alone cannot try the ten thousand PINs there are. It also binds
a hash to its customer and challenge. Hashing runs in threads, few at a time, so that the event loop goes on and memory
stays bounded.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret, verify_secret

R = TypeVar("R")
SALT_BYTES = 16
HASH_BYTES = 32


class Keyed(Protocol):
    """A keyed digest, as `chassis.vault.blind.Blind.token` is."""

    def __call__(self, kind: str, /, *parts: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What one hash costs.

    RFC 9106 asks for 64 MiB where that is affordable; OWASP for no less than 19 MiB and two passes, in one lane.
    """

    memory_kib: int
    passes: int
    lanes: int


class Hasher:
    """Hashes and compares answers, `at_once` at a time."""

    def __init__(self, cost: Cost, at_once: int, keyed: Keyed) -> None:
        self._cost = cost
        self._keyed = keyed
        self._threads = ThreadPoolExecutor(at_once, "argon2")
        # What an answer to a challenge that is not there is compared with: the refusal takes as long as any.
        self._nobody = self._hash(os.urandom(16))

    async def hash(self, *parts: str) -> str:
        """The hash to be kept of an answer, whose `parts` are the customer's id, the challenge and the answer."""
        return await self._run(lambda: self._hash(self._digest(parts)))

    async def matches(self, kept: str | None, *parts: str) -> bool:
        """Whether `kept` is the hash of the same parts; of None it never is, and says so just as slowly."""
        right = await self._run(lambda: _same(kept or self._nobody, self._digest(parts)))
        return right and kept is not None

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _digest(self, parts: tuple[str, ...]) -> bytes:
        return self._keyed("verification", *parts)

    def _hash(self, digest: bytes) -> str:
        cost = self._cost
        kept = hash_secret(
            digest, os.urandom(SALT_BYTES), cost.passes, cost.memory_kib, cost.lanes, HASH_BYTES, Type.ID
        )
        return kept.decode("ascii")


def _same(kept: str, digest: bytes) -> bool:
    try:
        return verify_secret(kept.encode("ascii"), digest, Type.ID)
    except VerifyMismatchError:
        return False
