"""The local MongoDB: authentication, separation of the services, recovery."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo.errors import OperationFailure

from cli.mesh import mongod as mongods
from cli.mesh import ports
from tests.support.mongo import Mongod, start_mongod

UNAUTHORIZED = 13


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """One of its own: these tests kill it. Its path is longer than a Unix socket's may be."""
    mongod = start_mongod(tmp_path_factory.mktemp("mongod") / ("long" * 40))
    yield mongod
    mongod.stop()


def test_a_stranger_may_not_read(running: Mongod) -> None:
    with mongods.connect(f"mongodb://127.0.0.1:{running.port}/", directConnection=True) as stranger:
        with pytest.raises(OperationFailure) as refused:
            stranger["sla"]["clocks"].find_one()
        assert refused.value.code == UNAUTHORIZED
        with pytest.raises(OperationFailure):
            stranger["admin"].command("createUser", "me", pwd="x", roles=["root"])


@pytest.mark.parametrize("other", ["interaction", "retention", "sla", "admin", "local"])
def test_a_services_user_can_neither_read_nor_write_another_database(running: Mongod, other: str) -> None:
    with mongods.connect(running.uris["customer_info"]) as client:
        for attempt in (client[other]["c"].find_one, lambda: client[other]["c"].insert_one({"a": 1})):
            with pytest.raises(OperationFailure) as refused:
                attempt()
            assert refused.value.code == UNAUTHORIZED


def test_a_services_user_has_transactions_change_streams_indexes_and_validators_on_its_own(running: Mongod) -> None:
    with mongods.connect(running.uris["sla"]) as client:
        clocks = client.get_default_database()["clocks"]
        clocks.create_index("due")
        clocks.database.command("collMod", "clocks", validator={"$jsonSchema": {"required": ["due"]}})
        with clocks.watch() as stream, client.start_session() as session:
            with session.start_transaction():
                clocks.insert_one({"due": 1}, session=session)
            change = stream.next()
        assert change["fullDocument"]["due"] == 1
        with clocks.database.watch() as whole:
            assert whole.alive


def test_an_acknowledged_write_survives_a_killed_mongod(running: Mongod) -> None:
    uri = running.fresh_database("sla")
    with mongods.connect(uri) as client:
        client.get_default_database()["c"].insert_many([{"_id": number} for number in range(100)])
    running.kill()
    running.start()
    with mongods.connect(uri) as client:
        assert client.get_default_database()["c"].count_documents({}) == 100
    running.drop(uri)


def test_the_data_move_to_another_port(running: Mongod) -> None:
    uris = running.uris
    running.stop()
    running.port = ports.from_base(ports.pick_base())["mongod"]
    running.start()
    assert running.uris != uris
    with mongods.connect(running.uris["sla"]) as client:
        client.get_default_database()["moved"].insert_one({"a": 1})


def test_establishing_again_changes_nothing(running: Mongod) -> None:
    def users() -> object:
        with running.admin() as client:
            return client["admin"].command("usersInfo", {"forAllDBs": True})["users"]

    before = users()
    mongods.establish(running.instance, running.port)
    assert users() == before


def test_a_user_who_was_given_more_rights_loses_them_at_the_next_start(running: Mongod) -> None:
    everywhere = [{"role": "readWriteAnyDatabase", "db": "admin"}]
    with running.admin() as client:
        client["sla"].command("grantRolesToUser", "sla", roles=everywhere)
    mongods.establish(running.instance, running.port)
    with running.admin() as client:
        roles = client["sla"].command("usersInfo", "sla")["users"][0]["roles"]
    assert sorted(role["role"] for role in roles) == ["dbAdmin", "readWrite"]


def test_a_dropped_test_database_takes_its_user_along(running: Mongod) -> None:
    uri = running.fresh_database("retention")
    running.drop(uri)
    with mongods.connect(uri, serverSelectionTimeoutMS=2000) as client, pytest.raises(OperationFailure):
        client.get_default_database().list_collection_names()


def test_passwords_and_the_key_are_the_users_alone(running: Mongod) -> None:
    files = list(Path(running.instance.secrets).iterdir())
    assert files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
