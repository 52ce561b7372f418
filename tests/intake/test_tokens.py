"""equipoise.intake.tokens: a slot's word that it was shown by us."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import TokenError
from equipoise.intake import tokens
from equipoise.intake.tokens import Claim, check, impression, sign
from equipoise.types import Impression

SECRET = b"s" * 32
NOW = 1_800_000_000_000
CLAIM = Claim("r-8f2", 3, "sku-1", "home", "thompson", 0.125, NOW)
LIFE = 1_000
TOKEN = sign(SECRET, CLAIM)

CLAIMS = st.builds(
    Claim,
    st.text(max_size=20),
    st.integers(0, 99),
    st.text(max_size=20),
    st.text(max_size=9),
    st.text(max_size=9),
    st.floats(0, 1),
    st.just(NOW),
)


@settings(derandomize=True, max_examples=100)
@given(claim=CLAIMS)
def test_what_was_signed_is_what_is_read(claim: Claim) -> None:
    """Bit for bit, the propensity too."""
    assert check(SECRET, sign(SECRET, claim), now=NOW, lifetime_ms=LIFE) == claim


def test_any_flipped_bit_fails() -> None:
    """Each of the token's bits, those that base64 would ignore too."""
    for place in range(len(TOKEN)):
        for bit in range(8):
            forged = list(TOKEN)
            forged[place] = chr(ord(TOKEN[place]) ^ 1 << bit)
            with pytest.raises(TokenError):
                check(SECRET, "".join(forged), now=NOW, lifetime_ms=LIFE)


@settings(derandomize=True, max_examples=100)
@given(
    token=st.one_of(
        st.text(max_size=200), st.binary(max_size=80).map(lambda b: urlsafe_b64encode(b).decode())
    )
)
def test_no_text_breaks_it(token: str) -> None:
    """Whatever is sent, the answer is TokenError."""
    with pytest.raises(TokenError):
        check(SECRET, token, now=NOW, lifetime_ms=LIFE)


@pytest.mark.parametrize(
    "token", ["", TOKEN[:-1], TOKEN + "=", TOKEN + "A", TOKEN + "\n", "A" * 5_000, "é"]
)
def test_a_token_has_one_spelling(token: str) -> None:
    """Shortened, padded and lengthened ones are none."""
    with pytest.raises(TokenError, match=r"no base64url|not signed by this shop"):
        check(SECRET, token, now=NOW, lifetime_ms=LIFE)


@pytest.mark.parametrize(
    ("age", "alive"),
    [
        (-60_001, False),
        (-60_000, True),
        (0, True),
        (LIFE - 1, True),
        (LIFE, False),
        (10**13, False),
    ],
)
def test_it_expires_and_fails_closed_when_the_clock_jumps(age: int, alive: bool) -> None:
    """From its issue to the end of its life, the end left out; from the future not at all."""
    if alive:
        assert check(SECRET, TOKEN, now=NOW + age, lifetime_ms=LIFE) == CLAIM
    else:
        with pytest.raises(TokenError, match="ms old; it lives from 0 to 1000 ms"):
            check(SECRET, TOKEN, now=NOW + age, lifetime_ms=LIFE)


def test_another_shops_secret_fails() -> None:
    """And a short secret is no secret."""
    with pytest.raises(TokenError, match="not signed by this shop"):
        check(b"t" * 32, TOKEN, now=NOW, lifetime_ms=LIFE)
    with pytest.raises(TokenError, match="15 bytes; at least 16 are wanted"):
        sign(b"s" * 15, CLAIM)


def test_a_token_of_another_version_is_told() -> None:
    """Signed by us, but of another shape."""
    payload = msgspec.msgpack.encode(["r", 1])
    raw = tokens._signature(SECRET, payload) + payload
    old = urlsafe_b64encode(raw).rstrip(b"=").decode()

    with pytest.raises(TokenError, match="of another version"):
        check(SECRET, old, now=NOW, lifetime_ms=LIFE)


def test_a_token_serves_its_item_alone() -> None:
    """A line of another item with it earns nothing; neither does a forged token."""
    assert impression(SECRET, "sku-1", TOKEN, NOW, LIFE) == Impression(decision_id="r-8f2", slot=3)
    assert impression(SECRET, "sku-2", TOKEN, NOW, LIFE) is None
    assert impression(SECRET, "sku-1", "A" + TOKEN[1:], NOW, LIFE) is None
    assert impression(SECRET, "sku-1", TOKEN, NOW + LIFE, LIFE) is None
