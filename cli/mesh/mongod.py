"""The local MongoDB: replica set, users and passwords. Everything here may be repeated after any crash."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from cli.console import CommandError
from cli.mesh.files import SECRET, write_atomically
from cli.mesh.instance import Instance
from cli.mesh.mongod_program import REPLICA_SET, key_file
from cli.mesh.ports import LOOPBACK

DATABASES: Final = ("customer_info", "customer_info_keys", "interaction", "retention", "sla")
ROOT: Final = "root"
PRIMARY_SECONDS: Final = 60.0

# Codes of the server's error table.
UNAUTHORIZED, AUTHENTICATION_FAILED, ALREADY_INITIALIZED, NOT_YET_INITIALIZED = 13, 18, 23, 94

Client = MongoClient[dict[str, Any]]


def make_secrets(instance: Instance) -> dict[str, str]:
    """Passwords by user, and the keys; made once, before any user is created, readable by the user only."""
    if not key_file(instance).exists():
        write_atomically(key_file(instance), secrets.token_urlsafe(384).replace("-", "+").replace("_", "/"), SECRET)
    if not instance.master_key.exists():
        write_atomically(instance.master_key, base64.b64encode(secrets.token_bytes(32)).decode() + "\n", SECRET)
    path = instance.secrets / "credentials.json"
    passwords = _passwords(path)
    # An instance made before one of the databases was there gets its user now.
    missing = {user: secrets.token_urlsafe(24) for user in (ROOT, *DATABASES) if user not in passwords}
    if missing:
        passwords |= missing
        write_atomically(path, json.dumps(passwords, indent=2) + "\n", SECRET)
    return passwords


def _passwords(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        return {str(user): str(password) for user, password in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, AttributeError):
        raise CommandError(f"{path} is damaged: restore it; the databases cannot be opened without it") from None


def uris(instance: Instance, port: int) -> dict[str, str]:
    """Connection string of each service: its own user, its own database."""
    passwords = make_secrets(instance)
    return {name: uri(name, passwords[name], port, name) for name in DATABASES}


def admin_uri(instance: Instance, port: int) -> str:
    return uri(ROOT, make_secrets(instance)[ROOT], port, "admin")


def uri(user: str, password: str, port: int, database: str) -> str:
    return f"mongodb://{user}:{password}@{LOOPBACK}:{port}/{database}?replicaSet={REPLICA_SET}&authSource={database}"


def is_up(port: int) -> bool:
    """Whether a mongod answers on `port`, in whatever state."""
    return _hello(port) is not None


def is_serving(port: int) -> bool:
    """Whether it accepts writes."""
    return bool((_hello(port) or {}).get("isWritablePrimary"))


def establish(instance: Instance, port: int) -> None:
    """Make it the primary of its set, with the root user and one user for each database.

    Raises CommandError when the data files do not know the passwords of this instance, or no primary appears.
    """
    root = admin_uri(instance, port)
    _join_set(root, port)
    _wait(lambda: is_serving(port), "mongod did not become primary")
    _create_root(root, port, make_secrets(instance)[ROOT])
    with connect(root) as client:
        for name in DATABASES:
            create_user(client, name, make_secrets(instance)[name])


def create_user(client: Client, name: str, password: str) -> None:
    """A user `name` in the database `name`, with rights on that database and nothing else; harmless when it exists."""
    existing = client[name].command("usersInfo", name)["users"]
    roles = [{"role": role, "db": name} for role in ("dbAdmin", "readWrite")]
    if not existing:
        client[name].command("createUser", name, pwd=password, roles=roles)
    elif sorted(existing[0]["roles"], key=lambda role: str(role["role"])) != roles:
        client[name].command("updateUser", name, roles=roles)


def drop_databases(client: Client, names: Iterable[str]) -> None:
    """Drop databases with their users."""
    for name in names:
        client[name].command("dropAllUsersFromDatabase")
        client.drop_database(name)


def _join_set(root: str, port: int) -> None:
    me = f"{LOOPBACK}:{port}"
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": me}]}
    with connect(f"mongodb://{me}/", directConnection=True) as stranger:
        try:
            stranger.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            # Refused: users exist, so this set was made before, perhaps on another port.
            if error.code == UNAUTHORIZED:
                _wait(lambda: _adopt_port(root, me), "mongod did not load the configuration of its replica set")
            elif error.code != ALREADY_INITIALIZED:
                raise CommandError(f"mongod refuses its replica set: {error}") from None


def _adopt_port(root: str, me: str) -> bool:
    with connect(root.replace(f"replicaSet={REPLICA_SET}", "directConnection=true")) as client:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code == NOT_YET_INITIALIZED:
                return False
            raise _mismatch(error) from None
        if config["members"][0]["host"] != me:
            config["members"][0]["host"] = me
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
    return True


def _create_root(root: str, port: int, password: str) -> None:
    try:
        with connect(root) as client:
            client.admin.command("ping")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
    else:
        return
    # The first user, and only the first, may be created from loopback without authentication.
    with connect(f"mongodb://{LOOPBACK}:{port}/", directConnection=True) as stranger:
        try:
            stranger.admin.command("createUser", ROOT, pwd=password, roles=["root"])
        except OperationFailure as error:
            raise _mismatch(error) from None


def _mismatch(error: OperationFailure) -> CommandError:
    if error.code in (UNAUTHORIZED, AUTHENTICATION_FAILED):
        return CommandError("secrets/credentials.json does not have the passwords of this data directory's databases")
    return CommandError(f"mongod refuses: {error}")


def _hello(port: int) -> dict[str, Any] | None:
    try:
        with connect(f"mongodb://{LOOPBACK}:{port}/", directConnection=True, serverSelectionTimeoutMS=500) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return None


def connect(target: str, **options: Any) -> Client:
    """A client that gives up on an absent server after ten seconds and not thirty. Close it."""
    return MongoClient(target, **{"serverSelectionTimeoutMS": 10_000, "connectTimeoutMS": 2_000, **options})


def _wait(condition: Callable[[], bool], failure: str) -> None:
    until = time.monotonic() + PRIMARY_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise CommandError(f"{failure} within {PRIMARY_SECONDS:.0f} s")
        time.sleep(0.05)
