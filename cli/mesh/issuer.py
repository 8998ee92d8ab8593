"""The development issuer: signs tokens for one instance. A real deployment has its own OpenID provider instead."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterable
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cli.console import CommandError
from cli.mesh.files import SECRET, write_atomically, write_if_changed
from cli.mesh.instance import Instance

ISSUER: Final = "https://issuer.holdfast.local"
AUDIENCE: Final = "holdfast"
ALGORITHM: Final = "ES256"
ROLES: Final = ("agent", "supervisor", "customer", "partner", "auditor", "service", "admin")
SERVICE_TOKEN_SECONDS: Final = 30 * 86_400
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Issuer:
    """Signs with the instance's key pair, which is made at first use: key 0600, public half as a JWKS file."""

    def __init__(self, instance: Instance) -> None:
        self._key = _load_or_make(instance)
        public = _public_jwk(self._key)
        self._key_id = str(public["kid"])
        write_if_changed(instance.jwks, json.dumps({"keys": [public]}, indent=2) + "\n")

    def token(
        self,
        roles: Iterable[str],
        subject: str,
        ttl: int = 3_600,
        *,
        customer_id: str = "",
        partner_id: str = "",
        **claims: Any,
    ) -> str:
        """A signed token that expires in `ttl` seconds. `claims` replace the usual ones; None leaves one out."""
        now = int(time.time())
        usual: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + ttl,
            "roles": list(roles),
            "customer_id": customer_id or None,
            "partner_id": partner_id or None,
        }
        chosen = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(chosen, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})


def write_service_tokens(instance: Instance, issuer: Issuer, services: Iterable[str]) -> None:
    """Mint each service's own token anew, good for 30 days, into files that only the user may read."""
    for service in services:
        write_atomically(instance.token(service), issuer.token(["service"], service, SERVICE_TOKEN_SECONDS), SECRET)


def check_role(role: str, customer_id: str, partner_id: str) -> str:
    """The role, if it exists and has the identity it needs; else CommandError."""
    if role not in ROLES:
        raise CommandError(f"ROLE must be one of {', '.join(ROLES)}, not {role!r}", exit_code=2)
    if role == "customer" and not customer_id:
        raise CommandError("the role customer needs --customer-id", exit_code=2)
    if role == "partner" and not partner_id:
        raise CommandError("the role partner needs --partner-id", exit_code=2)
    return role


def parse_ttl(text: str) -> int:
    """Seconds of `90s`, `30m`, `1h` or `7d`. Raises CommandError for anything else, and for nothing."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not seconds:
        raise CommandError(f"--ttl must be a number and s, m, h or d, such as 1h, not {text!r}", exit_code=2)
    return seconds


def _load_or_make(instance: Instance) -> ec.EllipticCurvePrivateKey:
    path = instance.secrets / "issuer.pem"
    if path.exists():
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError:
            raise CommandError(f"{path} is not a private key: remove it to have a new one made") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CommandError(f"{path} is not an elliptic-curve key: remove it to have a new one made")
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_atomically(path, pem.decode("ascii"), SECRET)
    return key


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The public key as a JWK; its id is the RFC 7638 thumbprint."""
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    key_id = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**members, "kid": key_id, "alg": ALGORITHM, "use": "sig"}
