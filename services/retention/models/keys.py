"""The key that signs models: from a file of the operator's, or one that the store keeps."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.rules import Invalid, Refused
from chassis.serve import StartError
from chassis.times import now
from services.retention.models.encoding import digest
from services.retention.models.registry import Entry, id_of
from services.retention.models.rules import Model
from services.retention.models.signing import (
    Signature,
    generate_key,
    keyring,
    open_signed,
    private_pem,
    read_private_pem,
    sign,
)


class KeyKeeper(Protocol):
    """What is asked of a store that keeps a key."""

    async def signing_key(self, fresh: Callable[[], bytes], at: datetime) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs models, and opens those it has signed."""

    key: Ed25519PrivateKey

    def sign(self, text: bytes) -> Signature:
        """Signs a model's canonical text."""
        return sign(text, self.key)

    def open(self, entry: Entry) -> Model:
        """The model of an entry.

        Raises:
            Refused: it is not signed by this key, was changed since, or stands under another model's id;
            Invalid: it is signed, and no valid model.
        """
        model = open_signed(entry.text, entry.signature, keyring(self.key.public_key()))
        if entry.id != id_of(digest(entry.text)):
            raise Refused("the model stands under the id of another")
        return model


async def signer(key_file: str, keeper: KeyKeeper) -> Signer:
    """The signer with the key in `key_file` or, where no file is named, with the one that the store keeps.

    A file that is named must be there: a key made in the place of one that was not found would disown every model.

    Raises:
        StartError: the file cannot be read, or holds no such key.
    """
    if not key_file:
        return Signer(read_private_pem(await keeper.signing_key(lambda: private_pem(generate_key()), now())))
    try:
        return Signer(read_private_pem(await asyncio.to_thread(Path(key_file).read_bytes)))
    except OSError as error:
        raise StartError(f"HOLDFAST_MODEL_KEY_FILE {key_file} cannot be read ({error.strerror})") from error
    except Invalid as refused:
        raise StartError(f"HOLDFAST_MODEL_KEY_FILE {key_file}: {refused.message}") from refused
