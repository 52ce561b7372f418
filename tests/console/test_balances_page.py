"""Cards of balances in words and money, and the chart of other caps."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.console.balances import cards, costs, stands, verdict
from equipoise.engine import Engine
from equipoise.exploration import Constraint, ConstraintState
from equipoise.exploration.ahead import Ahead
from equipoise.settings import build
from equipoise.types import Item, Query

Browse = Callable[[Engine], TestClient[Litestar]]

CAPS = (0.0, 0.02, 0.08)


@pytest.fixture
def asked(clock: ManualClock) -> Engine:
    """A hundred lists of a shop that asks for a seller's looks beyond what there is, and for a
    variety that comes by itself."""
    home = {"balances": {"sellers": {"nordlicht": ">= 0.9"}, "variety": ">= 0.01"}}
    engine = Engine.in_memory(clock=clock, settings=build({"placements": {"home": home}}))
    engine.store(
        [
            engine.item_record(
                Item(item_id=f"i-{k}", categories=(f"C{k % 5}",),
                     seller_id="nordlicht" if k < 6 else "other")
            )
            for k in range(40)
        ]
    )  # fmt: skip
    for visit in range(100):
        decision = engine.recommend(Query(placement="home", anonymous_id=f"c-{visit}"))
        engine.store([engine.decision_record(decision)])
        clock.advance(seconds=60)
    return engine


def test_a_card_for_each(asked: Engine) -> None:
    """Exploring first; each with what is wanted, what is, what it costs, and its moves."""
    exploring, seller, variety = cards(asked, "home")

    assert exploring.title == "Exploring"
    assert exploring.costs.endswith("EUR of expected reward in 1,000 lists")
    assert seller.title == "Looks at seller nordlicht"
    assert seller.wish == "at least 90 %"
    assert seller.stands == "below: pushed more and more"
    assert re.fullmatch(
        r"a look at seller nordlicht counts [\d.]+ EUR more; "
        r"at most [\d.]+ EUR of reward in 1,000 lists",
        seller.costs,
    )
    assert seller.moves
    assert seller.moves[0]["reason"].startswith("seller nordlicht was")
    assert seller.spark.startswith("M0 ")
    assert variety.stands == "met without help"
    assert variety.costs == "nothing: no list is changed for it"
    assert variety.moves == []


def test_the_page(asked: Engine, browse: Browse) -> None:
    """Of one placement or of all; nothing unsaid, no number that is none."""
    client = browse(asked)
    for placement in ("", "home", "cart"):
        answer = client.get("/console/balances", params={"placement": placement})

        assert answer.status_code == 200, answer.text
        assert not re.search(r"\b(nan|inf|NaN|None)\b", answer.text)
    page = client.get("/console/balances", params={"placement": "home"}).text
    unknown = client.get("/console/balances", params={"placement": "attic"})

    assert "Looks at seller nordlicht" in page
    assert "/console/ahead?placement=home" in page
    assert unknown.status_code == 404
    assert "is no placement of this shop" in unknown.text


def test_what_other_caps_would_earn(asked: Engine, browse: Browse) -> None:
    """A chart and a table, a row a cap, in money; what is set now is marked."""
    page = browse(asked).get("/console/ahead", params={"placement": "home"}).text

    assert page.count('<tr><th scope="row">') == 7
    assert page.count("<circle") == 7
    assert page.count('r="6"') == 1
    assert "set now" in page
    assert "EUR" in page
    assert not re.search(r"\b(nan|inf|None)\b", page)


@pytest.mark.parametrize(
    ("placement", "words"),
    [("cart", "has served no list yet"), ("attic", "is no placement of this shop")],
)
def test_nothing_to_go_by_is_said(
    asked: Engine, browse: Browse, placement: str, words: str
) -> None:
    """In words, in the place of the chart."""
    page = browse(asked).get("/console/ahead", params={"placement": placement}).text

    assert words in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ConstraintState(), "nothing measured yet"),
        (ConstraintState(amount=3.0, base=10.0), "met without help"),
        (ConstraintState(amount=1.0, base=10.0, multiplier=0.5), "below: pushed more and more"),
        (ConstraintState(amount=1.9, base=10.0, multiplier=0.5), "held"),
        (ConstraintState(amount=2.2, base=10.0, multiplier=0.5), "held"),
        (
            ConstraintState(amount=1.0, base=10.0, multiplier=10.0),
            "out of reach with what there is to show: pushed as far as it may",
        ),
    ],
)
def test_how_a_constraint_stands(state: ConstraintState, words: str) -> None:
    """At least a fifth is wanted."""

    assert stands(Constraint("x", 0.2), state) == words


def test_how_a_cap_stands_and_costs() -> None:
    """Held back, counted less; what a cap costs at most is not known by its price."""
    cap = Constraint("seller a", 0.2, cap=True)
    state = ConstraintState(amount=5.0, base=10.0, reward=1.0, decisions=10.0, multiplier=0.5)

    assert stands(cap, state) == "above: held back more and more"
    assert costs(cap, state, "sellers.a", "EUR") == "a look at seller a counts 0.05 EUR less"
    assert costs(Constraint("margin", 0.2), state, "margin", "EUR") == (
        "a unit of margin counts 0.05 EUR more"
    )
    assert costs(Constraint("tail", 0.2), state, "tail", "EUR") == (
        "a look at it counts 0.05 EUR more; at most 25.00 EUR of reward in 1,000 lists"
    )


def told(gain: float, error: float) -> Ahead:
    zero, gains = np.zeros(3), np.array([0.0, gain, 0.5 * gain])
    return Ahead(
        caps=CAPS, reward=0.1 + gains, low=zero, high=zero, gain=gains,
        gain_error=np.array([0.0, error, error]), spent=zero, lists=1_000.0, unknown=0.3,
    )  # fmt: skip


def test_the_verdict() -> None:
    """The best cap, unless it cannot be told from not exploring."""

    assert verdict(told(0.02, 0.005), "EUR") == (
        "By what is believed now, a cap of 2.0 % would earn 20.00 EUR more than never exploring "
        "(± 5.00 EUR)."
    )
    for unclear in (told(0.02, 0.02), told(-0.02, 0.001)):
        assert verdict(unclear, "EUR") == (
            "By what is believed now, no cap can be told from never exploring."
        )
