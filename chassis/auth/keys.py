"""The issuer's public keys: a JWKS from a file or a URL, kept fresh in the background."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson

from chassis.log import logger

REFRESH_SECONDS = 300.0
# How soon an unknown key id may ask for another look: a flood of forged tokens must not become a flood of requests.
IMPATIENT_SECONDS = 5.0
ALGORITHMS = ("RS256", "ES256")

_log = logger("keys")


class KeysError(Exception):
    """The key set cannot be read; the message says why."""


class KeySet:
    """The keys of one issuer, by key id."""

    def __init__(self, source: str) -> None:
        """Keeps keys of `source`, a path or an http(s) URL; nothing is read yet."""
        self._source = source
        self._keys: dict[str, jwt.PyJWK] = {}
        self._wanted = asyncio.Event()

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key called `key_id`; None if there is none now, in which case the set is soon read again."""
        key = self._keys.get(key_id)
        if key is None:
            self._wanted.set()
        return key

    async def refresh(self) -> None:
        """Reads the set.

        Raises:
            KeysError: it cannot be read, or holds no key of ours (RS256 or ES256).
        """
        document = await self._read()
        try:
            keys = [jwt.PyJWK(k) for k in document["keys"] if k.get("alg", "") in ("", *ALGORITHMS)]
        except (KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
            raise KeysError(f"HOLDFAST_JWKS {self._source}: not a JSON Web Key Set ({type(error).__name__})") from error
        if not keys:
            raise KeysError(f"HOLDFAST_JWKS {self._source}: holds no key for {' or '.join(ALGORITHMS)}")
        self._keys = {key.key_id or "": key for key in keys}

    async def keep_fresh(self) -> None:
        """Reads the set again every few minutes, and soon after a token names a key that is not in it."""
        while True:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            try:
                await self.refresh()
            except KeysError as error:
                _log.warning("keys_not_refreshed", reason=str(error))
            await asyncio.sleep(IMPATIENT_SECONDS)
            self._wanted.clear()

    async def _read(self) -> Any:
        try:
            if self._source.startswith(("http://", "https://")):
                async with httpx.AsyncClient(timeout=10) as client:
                    answer = await client.get(self._source)
                    return orjson.loads(answer.raise_for_status().content)
            return orjson.loads(await asyncio.to_thread(Path(self._source).read_bytes))
        except (OSError, httpx.HTTPError, orjson.JSONDecodeError) as error:
            raise KeysError(f"HOLDFAST_JWKS {self._source}: cannot be read ({error})") from error
