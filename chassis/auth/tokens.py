"""Verifies bearer tokens. One that was verified is remembered until it expires: a busy caller costs a look-up."""

import time

import jwt

from chassis.auth.keys import ALGORITHMS, KeySet
from chassis.call import Caller
from chassis.rules import Unauthenticated

MOST_REMEMBERED = 10_000
LEEWAY_SECONDS = 5


class Verifier:
    """Tells who a bearer token speaks for."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        """Trusts tokens signed by `keys` that name `issuer` and `audience`."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: dict[str, Caller] = {}

    def verify(self, token: str) -> Caller:
        """The caller that `token` speaks for.

        Raises:
            Unauthenticated: forged, malformed, expired, or meant for somebody else; the reason says which.
        """
        caller = self._known.get(token)
        if caller is not None and caller.expires > time.time():
            return caller
        self._known.pop(token, None)
        caller = self._decode(token)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[token] = caller
        return caller

    def _decode(self, token: str) -> Caller:
        try:
            key = self._keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise Unauthenticated("the token is signed by an unknown key", reason="INVALID_TOKEN")
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise Unauthenticated("the token has expired, or is not valid yet", reason="EXPIRED_TOKEN") from error
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError) as error:
            raise Unauthenticated(
                "the token was issued for another audience or by another issuer", reason="WRONG_AUDIENCE"
            ) from error
        except jwt.PyJWTError as error:
            raise Unauthenticated("the token is malformed or forged", reason="INVALID_TOKEN") from error
        roles = claims.get("roles")
        if not isinstance(roles, list) or not all(isinstance(r, str) for r in roles):
            raise Unauthenticated("the token's claim roles is not a list of names", reason="INVALID_TOKEN")
        return Caller(
            subject=str(claims["sub"]),
            roles=frozenset(roles),
            customer_id=str(claims.get("customer_id", "")),
            partner_id=str(claims.get("partner_id", "")),
            token=token,
            expires=float(claims["exp"]) + LEEWAY_SECONDS,
        )
