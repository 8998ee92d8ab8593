"""The issuer's keys: from a URL as from a file, RS256 as ES256, and a new key soon after it is first met."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from chassis.auth import keys as keys_module
from chassis.auth.keys import KeysError, KeySet
from chassis.auth.tokens import Verifier
from chassis.rules import Unauthenticated
from tests.support.polling import until

CLAIMS = {"iss": "https://issuer.example", "aud": "holdfast", "sub": "ada", "exp": 4_000_000_000, "roles": ["agent"]}


class Issuer:
    """Serves its public keys over HTTP, as an OpenID provider does."""

    def __init__(self) -> None:
        self._private: dict[str, rsa.RSAPrivateKey] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"keys": [outer._public(name) for name in outer._private]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/jwks"

    def add(self, name: str) -> None:
        self._private[name] = rsa.generate_private_key(65537, 2048)

    def token(self, name: str, **claims: Any) -> str:
        return jwt.encode({**CLAIMS, **claims}, self._private[name], "RS256", headers={"kid": name})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _public(self, name: str) -> dict[str, Any]:
        found = RSAAlgorithm.to_jwk(self._private[name].public_key(), as_dict=True)
        return {**found, "kid": name, "alg": "RS256", "use": "sig"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    running = Issuer()
    running.add("first")
    yield running
    running.close()


async def test_tokens_signed_with_rs256_are_verified_with_keys_from_a_url(issuer: Issuer) -> None:
    keys = KeySet(issuer.url)
    await keys.refresh()
    verifier = Verifier(keys, "https://issuer.example", "holdfast")
    caller = verifier.verify(issuer.token("first"))
    assert (caller.subject, caller.roles) == ("ada", frozenset({"agent"}))
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(issuer.token("first", aud="elsewhere"))
    assert refused.value.reason == "WRONG_AUDIENCE"


async def test_a_new_key_is_known_soon_after_it_is_first_met(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "IMPATIENT_SECONDS", 0.01)
    keys = KeySet(issuer.url)
    await keys.refresh()
    job = asyncio.create_task(keys.keep_fresh())
    issuer.add("second")
    await until(lambda: keys.find("second") is not None)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_keys_that_cannot_be_read_are_told_with_the_setting_named() -> None:
    with pytest.raises(KeysError, match="HOLDFAST_JWKS"):
        await KeySet("http://127.0.0.1:9/jwks").refresh()
