"""The development issuer."""

import json
from pathlib import Path

import jwt
import pytest

from cli.console import CommandError
from cli.mesh.instance import Instance, prepare
from cli.mesh.issuer import AUDIENCE, ISSUER, Issuer, check_role, parse_ttl, write_service_tokens


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = Instance(tmp_path / "data")
    prepare(made)
    return made


def claims(instance: Instance, token: str) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_json(instance.jwks.read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)


def test_a_token_verifies_with_the_published_key_and_carries_the_contracts_claims(instance: Instance) -> None:
    decoded = claims(instance, Issuer(instance).token(["customer"], "someone", 60, customer_id="c-1"))
    assert (decoded["sub"], decoded["roles"], decoded["customer_id"]) == ("someone", ["customer"], "c-1")
    assert "partner_id" not in decoded
    assert int(str(decoded["exp"])) - int(str(decoded["iat"])) == 60


def test_a_later_issuer_signs_with_the_same_key(instance: Instance) -> None:
    first = Issuer(instance).token(["agent"], "a")
    Issuer(instance)
    assert claims(instance, first)["sub"] == "a"


def test_the_private_key_is_the_users_alone_and_the_published_set_has_no_private_part(instance: Instance) -> None:
    Issuer(instance)
    assert (instance.secrets / "issuer.pem").stat().st_mode & 0o777 == 0o600
    assert [sorted(key) for key in json.loads(instance.jwks.read_text())["keys"]] == [
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    ]


def test_each_service_gets_a_token_of_its_own_that_only_the_user_can_read(instance: Instance) -> None:
    write_service_tokens(instance, Issuer(instance), ["sla", "retention"])
    for service in ("sla", "retention"):
        decoded = claims(instance, instance.token(service).read_text())
        assert (decoded["sub"], decoded["roles"]) == (service, ["service"])
        assert instance.token(service).stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_key_is_refused_with_its_path(instance: Instance) -> None:
    (instance.secrets / "issuer.pem").write_text("nonsense")
    with pytest.raises(CommandError, match=r"issuer\.pem is not a private key"):
        Issuer(instance)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h", 3600), ("7d", 604_800)])
def test_a_lifetime_has_a_unit(text: str, seconds: int) -> None:
    assert parse_ttl(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1w", "1h30m", "1.5h"])
def test_any_other_lifetime_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="--ttl"):
        parse_ttl(text)


@pytest.mark.parametrize(
    ("role", "setting"), [("boss", "ROLE"), ("customer", "--customer-id"), ("partner", "--partner")]
)
def test_a_role_that_does_not_exist_or_lacks_its_identity_is_refused(role: str, setting: str) -> None:
    with pytest.raises(CommandError, match=setting):
        check_role(role, "", "")
