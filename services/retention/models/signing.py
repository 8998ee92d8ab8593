"""Who vouches for a model: an Ed25519 signature (RFC 8032) over its digest.

A signed model is three things kept side by side: the canonical text, the id of the key and the signature. The reader
checks the signature before it parses a byte of the model.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from chassis.rules import Invalid, Refused
from services.retention.models.encoding import decode
from services.retention.models.rules import Model

# Says what is signed, so that no signature over a model can be passed off as one over something else.
DOMAIN: Final = b"holdfast.retention.model.v1\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the id of the key that made it (see `key_id`)."""

    key_id: str
    value: bytes


def key_id(key: Ed25519PublicKey) -> str:
    """The id of a key: the first 16 hex digits of the sha256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def keyring(*keys: Ed25519PublicKey) -> dict[str, Ed25519PublicKey]:
    """The trusted keys by id."""
    return {key_id(key): key for key in keys}


def generate_key() -> Ed25519PrivateKey:
    """A new signing key."""
    return Ed25519PrivateKey.generate()


def private_pem(key: Ed25519PrivateKey) -> bytes:
    """A signing key as unencrypted PKCS#8 PEM: a secret, to be kept as one."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A verifying key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_private_pem(pem: bytes) -> Ed25519PrivateKey:
    """A signing key from PEM.

    Raises:
        Invalid: it is no unencrypted Ed25519 private key.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise Invalid("the signing key is not an unencrypted PEM private key", field="key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("the signing key is not an Ed25519 key", field="key")
    return key


def read_public_pem(pem: bytes) -> Ed25519PublicKey:
    """A verifying key from PEM.

    Raises:
        Invalid: it is no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise Invalid("the verifying key is not a PEM public key", field="key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("the verifying key is not an Ed25519 key", field="key")
    return key


def sign(data: bytes, key: Ed25519PrivateKey) -> Signature:
    """Sign a model's canonical text."""
    return Signature(key_id(key.public_key()), key.sign(_message(data)))


def verify(data: bytes, signature: Signature, trusted: Mapping[str, Ed25519PublicKey]) -> None:
    """Check that a trusted key signed exactly this text.

    Raises:
        Refused: the key is not trusted, or the text or signature was changed.
    """
    key = trusted.get(signature.key_id)
    if key is None:
        raise Refused("the model is signed by a key that is not trusted here")
    try:
        key.verify(signature.value, _message(data))
    except InvalidSignature:
        raise Refused("the model's signature does not fit its content") from None


def open_signed(data: bytes, signature: Signature, trusted: Mapping[str, Ed25519PublicKey]) -> Model:
    """The model of a signed text; the signature is checked first.

    Raises:
        Refused: as `verify`.
        Invalid: the signed text is no valid model.
    """
    verify(data, signature, trusted)
    return decode(data)


def _message(data: bytes) -> bytes:
    return DOMAIN + hashlib.sha256(data).digest()
