"""A model as canonical text, its digest and its signature."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, Refused
from services.retention.models.encoding import MAX_BYTES, decode, digest, encode
from services.retention.models.rules import Model, score
from services.retention.models.signing import (
    Signature,
    generate_key,
    keyring,
    open_signed,
    private_pem,
    public_pem,
    read_private_pem,
    read_public_pem,
    sign,
    verify,
)
from tests.unit.services.retention.builders import hand_made_model, models, restless_customer, vectors

KEY = generate_key()
TRUSTED = keyring(KEY.public_key())


@given(models(), vectors)
def test_a_model_survives_its_text_to_the_last_bit(model: Model, vector: dict[str, Any]) -> None:
    read = decode(encode(model))
    assert read == model
    assert encode(read) == encode(model)
    assert score(read, vector) == score(model, vector)


@given(models(), st.data())
def test_any_changed_byte_changes_the_digest_breaks_the_signature(model: Model, data: st.DataObject) -> None:
    text = encode(model)
    signature = sign(text, KEY)
    verify(text, signature, TRUSTED)
    place = data.draw(st.integers(0, len(text) - 1))
    changed = bytearray(text)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert digest(bytes(changed)) != digest(text)
    with pytest.raises(Refused):
        open_signed(bytes(changed), signature, TRUSTED)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_never_crash_the_reader(data: bytes) -> None:
    with pytest.raises(Invalid):
        decode(data)


@given(st.data())
def test_a_model_with_one_changed_byte_is_refused_or_is_another_valid_model(data: st.DataObject) -> None:
    text = bytearray(encode(hand_made_model()))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        model = decode(bytes(text))
    except Invalid:
        return
    assert encode(model) == bytes(text)


def edited(change: Callable[[Any], object]) -> bytes:
    document = json.loads(encode(hand_made_model()))
    change(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _set(*path: str | int, to: object) -> Callable[[Any], object]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda model: model.pop("intercept"), "intercept"),
        (lambda model: model.update(more=1), "model"),
        (_set("format", to="pickle"), "format"),
        (_set("schema_version", to=99), "schema_version"),
        (_set("schema_version", to=True), "schema_version"),
        (_set("intercept", to="1.0"), "intercept"),
        (_set("intercept", to=1), "intercept"),
        (_set("intercept", to=1e9), "intercept"),
        (_set("horizon_months", to=0), "horizon_months"),
        (_set("calibration", "slope", to=0.0), "calibration.slope"),
        (_set("calibration", "slope", to=-1.0), "calibration.slope"),
        (_set("calibration", to=[]), "calibration"),
        (lambda model: model["calibration"].pop("offset"), "calibration.offset"),
        (_set("provenance", "positives", to=201), "provenance.positives"),
        (_set("provenance", "data_digest", to="AB" * 32), "provenance.data_digest"),
        (_set("tables", to={}), "tables"),
        (_set("tables", 0, to=1), "tables[0].kind"),
        (_set("tables", 0, "feature", to="gender"), "tables[0].feature"),
        (_set("tables", 0, "feature", to=["x"]), "tables[0].feature"),
        (_set("tables", 0, "feature", to="senior"), "tables[0].kind"),
        (_set("tables", 0, "edges", 1, to=6.0), "tables[0].edges[1]"),
        (_set("tables", 0, "edges", 0, to=None), "tables[0].edges[0]"),
        (_set("tables", 0, "edges", to="6"), "tables[0].edges"),
        (lambda model: model["tables"][0]["scores"].append(0.5), "tables[0].scores"),
        (_set("tables", 0, "scores", 2, to=101.0), "tables[0].scores[2]"),
        (_set("tables", 1, "scores", "lifelong", to=0.0), "tables[1].scores"),
        (_set("tables", 1, "scores", "one_year", to="x"), "tables[1].scores.one_year"),
        (_set("tables", 1, "scores", to={}), "tables[1].scores"),
        (_set("tables", 1, "missing", to=False), "tables[1].missing"),
        (lambda model: model["tables"].reverse(), "tables[1].feature"),
        (lambda model: model["tables"].insert(0, model["tables"][0]), "tables[1].feature"),
    ],
)
def test_a_faulty_model_is_refused_with_the_path_of_the_fault(change: Callable[[Any], object], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decode(edited(change))
    assert refusal.value.field == path


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"a":1,"a":1}',
        b" " * (MAX_BYTES + 1),
        encode(hand_made_model()) + b"\n",
        encode(hand_made_model()).replace(b'"intercept":-1.0', b'"intercept":-1.00'),
        encode(hand_made_model()).replace(b'"intercept":-1.0', b'"intercept":NaN'),
        encode(hand_made_model()).replace(b'"intercept":-1.0', b'"intercept":1e999'),
        encode(hand_made_model()).replace(b'"format"', b'"f\\u006frmat"'),
    ],
)
def test_text_that_is_not_the_canonical_text_of_a_model_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        decode(text)
    assert refusal.value.field == "model"


def test_the_text_of_a_model_is_pinned() -> None:
    assert digest(encode(hand_made_model())) == "1d6ae82057a108671a152caab370eb24163aa839dbf945d7091d395539830091"


def test_a_signed_model_opens_and_scores() -> None:
    text = encode(hand_made_model())
    model = open_signed(text, sign(text, KEY), TRUSTED)
    assert score(model, restless_customer()) == score(hand_made_model(), restless_customer())


def test_an_untrusted_key_is_refused() -> None:
    text = encode(hand_made_model())
    with pytest.raises(Refused, match="not trusted"):
        verify(text, sign(text, generate_key()), TRUSTED)


def test_a_foreign_signature_under_a_trusted_key_id_is_refused() -> None:
    text = encode(hand_made_model())
    forged = Signature(sign(text, KEY).key_id, sign(text, generate_key()).value)
    for signature in (forged, Signature(forged.key_id, b""), Signature(forged.key_id, b"x" * 64)):
        with pytest.raises(Refused, match="does not fit"):
            verify(text, signature, TRUSTED)


def test_keys_survive_their_pem() -> None:
    text = encode(hand_made_model())
    signature = sign(text, read_private_pem(private_pem(KEY)))
    verify(text, signature, keyring(read_public_pem(public_pem(KEY.public_key()))))


def test_other_keys_and_other_text_are_refused_as_keys() -> None:
    other = generate_ec_key(SECP256R1())
    foreign_private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    foreign_public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (b"", b"nothing", foreign_private):
        with pytest.raises(Invalid):
            read_private_pem(pem)
    for pem in (b"", b"nothing", foreign_public):
        with pytest.raises(Invalid):
            read_public_pem(pem)
