"""The vault on a real store: keys made once, found again, destroyed for ever; and a key service over real HTTP."""

import asyncio
import base64
import http.server
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.mongo.client import Store, open_store
from chassis.rules import Refused
from chassis.settings import Settings
from chassis.vault import keys as keys_module
from chassis.vault import vault as vault_module
from chassis.vault.keys import KEYS, ROOTS, VAULT_COLLECTIONS, KeyStore, root_key
from chassis.vault.master import FileMasterKey, MasterKeyError, TransitMasterKey
from chassis.vault.sealing import DataKey, decrypt, encrypt
from chassis.vault.vault import Vault, open_vault
from tests.support.explain import SLOW, overheard, stages
from tests.unit.services.customer_info.builders import new_uuid


@pytest.fixture
async def store(mongo_uri: Callable[[str], str]) -> AsyncIterator[Store]:
    driver = os.environ.get("HOLDFAST_MONGO_DRIVER", "pymongo")
    values = {"listen": "127.0.0.1:0", "jwks": "-", "jwt_issuer": "-", "mongo_driver": driver}
    opened = await open_store(mongo_uri("vault"), Settings.model_validate(values), "test")
    await opened.ensure(VAULT_COLLECTIONS)
    # Each test with roots of its own: some wrap them by other master keys.
    await opened.collection(ROOTS.name).delete_many({})
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> FileMasterKey:
    return another_master(tmp_path_factory.mktemp("master") / "master.key")


def another_master(path: Path) -> FileMasterKey:
    path.write_text(base64.b64encode(os.urandom(32)).decode())
    return FileMasterKey(str(path))


def sealed_with(key: DataKey) -> bytes:
    return key.seal("x", {"name": "Ada"})


async def test_another_replica_opens_what_one_has_sealed(store: Store, master: FileMasterKey) -> None:
    one, two = await open_vault(store, master), await open_vault(store, master)
    owner = new_uuid()
    assert await two.key(owner) is None
    sealed = sealed_with((await one.make([owner]))[owner])
    key = await two.key(owner)
    assert key is not None
    assert key.open("x", sealed) == {"name": "Ada"}
    assert one.token("email", "a@b.example") == two.token("email", "a@b.example")


async def test_replicas_that_make_keys_at_once_agree_on_them(store: Store, master: FileMasterKey) -> None:
    vaults = [await open_vault(store, master) for _ in range(4)]
    owners = [new_uuid() for _ in range(50)]
    made = await asyncio.gather(*(vault.make(owners) for vault in vaults))
    for owner in owners:
        sealed = sealed_with(made[0][owner])
        assert all(keys[owner].open("x", sealed) == {"name": "Ada"} for keys in made)


async def test_a_destroyed_key_is_gone_for_good_and_never_made_again(store: Store, master: FileMasterKey) -> None:
    vault, owner, never = await open_vault(store, master), new_uuid(), new_uuid()
    await vault.make([owner])
    await vault.destroy([owner, never])
    for one in (vault, await open_vault(store, master)):
        assert await one.key(owner) is None
        assert await one.keys([owner, never]) == {}
        for gone in (owner, never):
            with pytest.raises(Refused) as refused:
                await one.make([gone])
            assert refused.value.reason == "ERASED"
    kept = await store.collection(KEYS.name).find_one({"_id": owner})
    assert "wrapped" not in kept


class Held(KeyStore):
    """Keys whose answer, once read, stays under way until it is let go."""

    def __init__(self, store: Store, root: bytes) -> None:
        super().__init__(store, root)
        self.read_once, self.let_go = asyncio.Event(), asyncio.Event()

    async def read(self, owners: Sequence[str]) -> dict[str, bytes | None]:
        found = await super().read(owners)
        self.read_once.set()
        await self.let_go.wait()
        return found


@pytest.mark.parametrize("question", ["key", "keys", "make"])
async def test_a_key_that_was_under_way_while_it_was_destroyed_is_not_kept(
    store: Store, master: FileMasterKey, question: str
) -> None:
    owner, root = new_uuid(), await root_key(store, "data", master)
    await Vault(KeyStore(store, root), b"i" * 32).make([owner])
    held = Held(store, root)
    vault = Vault(held, b"i" * 32)
    asked: Any = {"key": vault.key, "keys": vault.keys, "make": vault.make}[question]
    under_way = asyncio.ensure_future(asked(owner if question == "key" else [owner]))
    await held.read_once.wait()
    await vault.destroy([owner])
    held.let_go.set()
    if question == "make":
        with pytest.raises(Refused):
            await under_way
    else:
        assert not await under_way
    assert await vault.key(owner) is None
    assert await vault.keys([owner]) == {}
    with pytest.raises(Refused) as refused:
        await vault.make([owner])
    assert refused.value.reason == "ERASED"


async def test_marks_of_destroyed_keys_are_made_once_and_read_from_their_index(
    mongo_uri: Callable[[str], str], store: Store, master: FileMasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "MARKS_AT_ONCE", 4)
    gone, there = [new_uuid() for _ in range(10)], [new_uuid() for _ in range(200)]
    async with overheard(mongo_uri("vault")) as (watched, heard):
        vault = await open_vault(watched, master)
        await vault.make([*gone, *there])
        await vault.destroy(gone)
        marks = {d["_id"]: d["destroy_time"] async for d in store.collection(KEYS.name).find({"_id": {"$in": gone}})}
        await vault.destroy(gone)
        again = {d["_id"]: d["destroy_time"] async for d in store.collection(KEYS.name).find({"_id": {"$in": gone}})}
        assert again == marks
        heard.commands.clear()
        pages = [page async for page in vault.destroyed()]
        assert {len(page) for page in pages[:-1]} == {4}
        found = [owner for page in pages for owner in page]
        assert set(gone) <= set(found)
        assert set(found).isdisjoint(there)
        (command,) = heard.commands
        used = await stages(store, command)
        assert used
        assert not used & {*SLOW, "FETCH"}


async def test_no_key_lies_in_the_store_as_it_is(store: Store, master: FileMasterKey) -> None:
    vault, owner = await open_vault(store, master), new_uuid()
    key = (await vault.make([owner]))[owner]
    kept = await store.collection(KEYS.name).find_one({"_id": owner})
    assert key._key not in kept["wrapped"]
    roots = [d async for d in store.collection(ROOTS.name).find({})]
    assert sorted(d["_id"] for d in roots) == ["data", "index"]


async def test_another_master_key_does_not_open_the_store(store: Store, master: FileMasterKey, tmp_path: Path) -> None:
    await open_vault(store, master)
    with pytest.raises(MasterKeyError, match="another master key"):
        await open_vault(store, another_master(tmp_path / "other.key"))


async def test_a_new_master_key_takes_over_from_the_former_one_for_good(store: Store, tmp_path: Path) -> None:
    former, new = another_master(tmp_path / "former.key"), another_master(tmp_path / "new.key")
    before = await open_vault(store, former)
    sealed = sealed_with((await before.make([owner := new_uuid()]))[owner])
    replicas = await asyncio.gather(*(open_vault(store, new, former) for _ in range(4)))
    for vault in (*replicas, await open_vault(store, new), await open_vault(store, new, former)):
        key = await vault.key(owner)
        assert key is not None
        assert key.open("x", sealed) == {"name": "Ada"}
        assert vault.token("x", "1") == before.token("x", "1")
    with pytest.raises(MasterKeyError, match="another master key"):
        await open_vault(store, former)
    assert await store.collection(ROOTS.name).count_documents({"rewrap_time": {"$exists": True}}) == 2


async def test_a_former_master_key_that_is_not_the_one_changes_nothing(store: Store, tmp_path: Path) -> None:
    right = another_master(tmp_path / "right.key")
    await open_vault(store, right)
    kept = [d async for d in store.collection(ROOTS.name).find({})]
    with pytest.raises(MasterKeyError, match="another master key"):
        await open_vault(store, another_master(tmp_path / "one.key"), another_master(tmp_path / "two.key"))
    assert [d async for d in store.collection(ROOTS.name).find({})] == kept
    await open_vault(store, right)


async def test_more_people_than_fit_into_memory_are_served(
    store: Store, master: FileMasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "MOST_CACHED", 16)
    vault, owners = await open_vault(store, master), [new_uuid() for _ in range(50)]
    made = await vault.make(owners)
    assert len(vault._cache) <= 16
    for owner in owners:
        key = await vault.key(owner)
        assert key is not None
        assert key.open("x", sealed_with(made[owner])) == {"name": "Ada"}
    assert len(vault._cache) <= 16


class Transit(http.server.BaseHTTPRequestHandler):
    """The two calls of a transit engine that a master key needs, with a real cipher behind them."""

    key = os.urandom(32)
    failures = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Transit.failures:
            Transit.failures -= 1
            return self._answer(503, {})
        if self.headers["X-Vault-Token"] != "s.good":
            return self._answer(403, {})
        if self.path == "/v1/transit/encrypt/holdfast":
            sealed = encrypt(self.key, base64.b64decode(body["plaintext"]), "transit")
            return self._answer(200, {"ciphertext": "vault:v1:" + base64.b64encode(sealed).decode()})
        if self.path == "/v1/transit/decrypt/holdfast":
            sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
            return self._answer(200, {"plaintext": base64.b64encode(decrypt(self.key, sealed, "transit")).decode()})
        return self._answer(404, {})

    def _answer(self, status: int, data: dict[str, str]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"data": data}).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def transit() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Transit)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/transit/keys/holdfast"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_key_service_wraps_the_roots(store: Store, transit: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s.good\n")
    Transit.failures = 2
    vault: Vault = await open_vault(store, TransitMasterKey(transit, str(token)))
    again = await open_vault(store, TransitMasterKey(transit, str(token)))
    assert vault.token("x", "1") == again.token("x", "1")
    wrapped = (await store.collection(ROOTS.name).find_one({"_id": "data"}))["wrapped"]
    assert wrapped.startswith(b"vault:v1:")


async def test_a_key_service_takes_over_from_a_file_and_a_file_from_it(
    store: Store, master: FileMasterKey, transit: str, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("s.good\n")
    service = TransitMasterKey(transit, str(token))
    before = await open_vault(store, master)
    with pytest.raises(MasterKeyError, match="not wrapped by the key service"):
        await open_vault(store, service)
    for new, former in ((service, master), (master, service)):
        for vault in (await open_vault(store, new, former), await open_vault(store, new)):
            assert vault.token("x", "1") == before.token("x", "1")


async def test_a_key_service_that_refuses_says_so(transit: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s.bad")
    with pytest.raises(MasterKeyError, match="status 403"):
        await TransitMasterKey(transit, str(token)).wrap(b"k" * 32)
