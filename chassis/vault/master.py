"""The master key, which wraps the root keys of a vault: from a file, or in a key management service that never gives
it away.

The service is anything that speaks the transit API of HashiCorp Vault and OpenBao. It is asked once at start.
"""

import base64
import binascii
from pathlib import Path
from typing import Protocol

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from chassis.auth.own import OwnToken
from chassis.vault.sealing import KEY_BYTES, SealError, decrypt, encrypt

CONTEXT = "holdfast root key"
KMS_SECONDS = 20.0


class MasterKeyError(Exception):
    """The master key cannot be had, or is another one; the message says why, without any key in it."""


class MasterKey(Protocol):
    """What wraps the root keys."""

    async def wrap(self, key: bytes) -> bytes:
        """`key` as it may be kept."""

    async def unwrap(self, wrapped: bytes) -> bytes:
        """The key that was wrapped.

        Raises:
            MasterKeyError: it was wrapped by another master key, or the key service does not answer.
        """


class FileMasterKey:
    """A master key of 32 bytes in a file, in base64: a mounted secret, say."""

    def __init__(self, path: str) -> None:
        """Reads `path`.

        Raises:
            MasterKeyError: there is no such file, or it does not hold a key.
        """
        try:
            key = base64.b64decode(Path(path).read_bytes().strip(), validate=True)
        except OSError as error:
            raise MasterKeyError(f"the master key cannot be read: {error.strerror or error}") from error
        except binascii.Error as error:
            raise MasterKeyError("the file of the master key is not base64") from error
        if len(key) != KEY_BYTES:
            raise MasterKeyError(f"the master key has {len(key)} bytes; it needs {KEY_BYTES}, in base64")
        self._key = key

    async def wrap(self, key: bytes) -> bytes:
        """`key` under the master key."""
        return encrypt(self._key, key, CONTEXT)

    async def unwrap(self, wrapped: bytes) -> bytes:
        """The key that was wrapped.

        Raises:
            MasterKeyError: another master key wrapped it.
        """
        try:
            return decrypt(self._key, wrapped, CONTEXT)
        except SealError as error:
            raise MasterKeyError("the keys of this store were wrapped by another master key") from error


class TransitMasterKey:
    """A master key inside a key management service, used through its transit API."""

    def __init__(self, url: str, token_file: str) -> None:
        """`url` is that of the key, such as https://kms:8200/v1/transit/keys/holdfast; `token_file` holds the token."""
        self._url = url
        self._token = OwnToken(token_file)

    async def wrap(self, key: bytes) -> bytes:
        """`key` as the service wraps it.

        Raises:
            MasterKeyError: the service does not answer, or refuses.
        """
        answer = await self._ask("encrypt", {"plaintext": base64.b64encode(key).decode()}, "ciphertext")
        return answer.encode()

    async def unwrap(self, wrapped: bytes) -> bytes:
        """The key that was wrapped.

        Raises:
            MasterKeyError: the service does not answer, or refuses; or a file's key wrapped it, which is no text.
        """
        try:
            return base64.b64decode(await self._ask("decrypt", {"ciphertext": wrapped.decode()}, "plaintext"))
        except ValueError as error:
            raise MasterKeyError("the keys of this store were not wrapped by the key service") from error

    async def _ask(self, verb: str, body: dict[str, str], wanted: str) -> str:
        url = f"/{verb}/".join(self._url.rsplit("/keys/", 1))
        try:
            async with httpx.AsyncClient(timeout=5.0) as client:
                async for attempt in AsyncRetrying(
                    stop=stop_after_delay(KMS_SECONDS),
                    wait=wait_exponential_jitter(multiplier=0.1, max=2.0),
                    retry=retry_if_exception(_worth_another_try),
                    reraise=True,
                ):
                    with attempt:
                        answer = await client.post(url, json=body, headers={"X-Vault-Token": self._token.get()})
                        answer.raise_for_status()
            return str(answer.json()["data"][wanted])
        except httpx.HTTPStatusError as error:
            raise MasterKeyError(f"the key service refuses: status {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise MasterKeyError(f"the key service does not answer: {type(error).__name__}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MasterKeyError(f"the key service cannot be used: {type(error).__name__}") from error


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def open_master_key(where: str, token_file: str) -> MasterKey:
    """The master key at `where`: the URL of a key in a key service, or the path of a file.

    Raises:
        MasterKeyError: it makes no sense or cannot be read.
    """
    if where.startswith(("https://", "http://")):
        if "/keys/" not in where:
            raise MasterKeyError("the URL of a master key ends with /keys/ and its name")
        return TransitMasterKey(where, token_file)
    return FileMasterKey(where)
