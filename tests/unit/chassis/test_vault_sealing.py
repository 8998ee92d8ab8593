"""Sealing and blind tokens: what is opened is what was sealed, in its own place and with its own key only."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.vault.blind import Blind
from chassis.vault.master import FileMasterKey, MasterKeyError, open_master_key
from chassis.vault.sealing import DataKey, SealError

KEY, OTHER = b"k" * 32, b"o" * 32
contents = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8),
    st.text(max_size=20) | st.integers(-(2**40), 2**40) | st.lists(st.text(max_size=5), max_size=4),
    max_size=5,
)


@given(contents)
def test_what_was_sealed_is_opened(content: dict[str, object]) -> None:
    key = DataKey(KEY)
    assert key.open("customers:1", key.seal("customers:1", content)) == content


def test_the_same_content_is_never_sealed_the_same_way_twice() -> None:
    key = DataKey(KEY)
    assert len({key.seal("c:1", {"name": "Ada"}) for _ in range(100)}) == 100


@given(st.integers(0, 60), st.integers(0, 7))
def test_whoever_changes_a_bit_is_found_out(place: int, bit: int) -> None:
    key = DataKey(KEY)
    sealed = bytearray(key.seal("c:1", {"name": "Ada"}))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealError):
        key.open("c:1", bytes(sealed))


def test_nothing_opens_in_another_place_or_with_another_key() -> None:
    sealed = DataKey(KEY).seal("customers:1", {"name": "Ada"})
    for key, context in ((KEY, "customers:2"), (OTHER, "customers:1")):
        with pytest.raises(SealError) as refused:
            DataKey(key).open(context, sealed)
        assert "Ada" not in str(refused.value)
    with pytest.raises(SealError):
        DataKey(KEY).open("customers:1", b"")


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_tokens_tell_kinds_and_parts_apart(kind: str, first: str, second: str) -> None:
    blind = Blind(KEY)
    assert blind.token(kind, first) == blind.token(kind, first)
    assert len(blind.token(kind, first, second)) == 16
    one, other, again = blind.shorts(kind, [first, second, first])
    assert 0 <= one == again < 2**63
    if first != second:
        assert blind.token(kind, first) != blind.token(kind, second)
        assert one != other
    assert blind.shorts(f"{kind}x", [first]) != [one]
    assert blind.token(kind, first) != Blind(OTHER).token(kind, first)


async def test_a_master_key_unwraps_what_it_wrapped_and_nothing_else(tmp_path: Path) -> None:
    paths = []
    for name, key in (("one", KEY), ("two", OTHER)):
        paths.append(tmp_path / name)
        paths[-1].write_text(base64.b64encode(key).decode() + "\n")
    one, two = (FileMasterKey(str(path)) for path in paths)
    assert await one.unwrap(await one.wrap(b"root")) == b"root"
    with pytest.raises(MasterKeyError, match="another master key"):
        await two.unwrap(await one.wrap(b"root"))


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), ("not base64!", "not base64"), (base64.b64encode(b"short").decode(), "5 bytes")],
)
def test_a_file_that_holds_no_key_is_refused_with_its_reason(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "master.key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MasterKeyError, match=why):
        open_master_key(str(path), "")


def test_a_url_that_names_no_key_is_refused() -> None:
    with pytest.raises(MasterKeyError, match="/keys/"):
        open_master_key("https://kms.example:8200/v1/transit", "")
