"""Impression tokens: a slot's word that it was shown by us, signed and expiring.

Without one a click teaches nothing: the threat is forged clicks that promote an item. The signature
is HMAC-SHA256 (RFC 2104) cut to 16 bytes, over a MessagePack array; both together in base64url.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64

import msgspec

from equipoise.errors import TokenError
from equipoise.types import Impression, Milliseconds

SIGNATURE = 16
"""Bytes."""
SHORTEST_SECRET = 16
LONGEST = 2_048
"""Characters that a token may have before it is looked at."""
AHEAD = 60_000
"""Milliseconds by which the clock of the worker that signed may be ahead of ours."""

_PURPOSE = b"equipoise impression 1\0"
_FROM_URL = str.maketrans("-_", "+/")


class Claim(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a token says."""

    decision_id: str
    slot: int
    item_id: str
    placement: str
    policy: str
    propensity: float
    issued: Milliseconds


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Claim)


def sign(secret: bytes, claim: Claim) -> str:
    """The token of a claim. TokenError if the secret has fewer than 16 bytes."""
    payload = _ENCODER.encode(claim)
    return urlsafe_b64encode(_signature(secret, payload) + payload).rstrip(b"=").decode()


def check(secret: bytes, token: str, *, now: Milliseconds, lifetime_ms: int) -> Claim:
    """What the token says, if it is ours and alive; else TokenError.

    It lives from its issue for ``lifetime_ms``, the end left out. One from the future is refused:
    a clock that jumped back must not make tokens live longer.
    """
    raw = _bytes(token)
    signature, payload = raw[:SIGNATURE], raw[SIGNATURE:]
    if not hmac.compare_digest(signature, _signature(secret, payload)):
        raise TokenError("the token is not signed by this shop")
    try:
        claim = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise TokenError("the token is of another version") from error
    age = now - claim.issued
    if not -AHEAD <= age < lifetime_ms:
        raise TokenError(f"the token is {age} ms old; it lives from 0 to {lifetime_ms} ms")
    return claim


def impression(
    secret: bytes, item_id: str, token: str, now: Milliseconds, lifetime_ms: int
) -> Impression | None:
    """The slot that a line was seen in, if its token is good and speaks of this very item."""
    try:
        claim = check(secret, token, now=now, lifetime_ms=lifetime_ms)
    except TokenError:
        return None
    if claim.item_id != item_id:
        return None
    return Impression(decision_id=claim.decision_id, slot=claim.slot)


def _signature(secret: bytes, payload: bytes) -> bytes:
    if len(secret) < SHORTEST_SECRET:
        raise TokenError(
            f"the secret has {len(secret)} bytes; at least {SHORTEST_SECRET} are wanted"
        )
    return hmac.digest(secret, _PURPOSE + payload, "sha256")[:SIGNATURE]


def _bytes(token: str) -> bytes:
    if len(token) > LONGEST or not token.isascii():
        raise TokenError("the token is no base64url")
    try:
        raw = a2b_base64(token.translate(_FROM_URL) + "=" * (-len(token) % 4))
    except Base64Error as error:
        raise TokenError("the token is no base64url") from error
    # Some texts decode to the same bytes; only the one that we wrote is a token.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != token or len(raw) < SIGNATURE:
        raise TokenError("the token is no base64url")
    return raw
