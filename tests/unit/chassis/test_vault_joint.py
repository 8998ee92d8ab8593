"""Joint keys: what holds the data of several opens with the keys of all of them, and with no fewer."""

import os

import pytest

from chassis.vault.joint import SEALED_WITH, key_of
from chassis.vault.sealing import KEY_BYTES, DataKey, SealError

KEYS = {name: DataKey(os.urandom(KEY_BYTES)) for name in ("ann", "ben", "cat")}


def without(name: str) -> dict[str, DataKey]:
    return {who: key for who, key in KEYS.items() if who != name}


def test_a_record_of_one_opens_with_its_own_key() -> None:
    assert key_of("ann", {}, KEYS) is KEYS["ann"]
    assert key_of("ann", {}, without("ann")) is None


def test_a_record_of_several_opens_with_the_keys_of_all_and_not_without_any_of_them() -> None:
    document = {SEALED_WITH: ["ben", "cat"]}
    key = key_of("ann", document, KEYS)
    assert key is not None
    sealed = key.seal("x", {"name": "Ada"})
    again = key_of("ann", document, dict(KEYS))
    assert again is not None
    assert again.open("x", sealed) == {"name": "Ada"}
    for name, alone in KEYS.items():
        assert key_of("ann", document, without(name)) is None
        with pytest.raises(SealError):
            alone.open("x", sealed)
    fewer = key_of("ann", {SEALED_WITH: ["ben"]}, KEYS)
    assert fewer is not None
    with pytest.raises(SealError):
        fewer.open("x", sealed)
