"""Several outcomes as a chain: moments of the whole from moments of its parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from equipoise.exploration import ArmBank, BetaBelief, Outcomes, ValueBelief
from equipoise.randomness import derive
from equipoise.types import Floats

WORTH = {"click": 0.1, "add_to_cart": 0.5, "purchase": 0.2}
ONE = np.array([0])


def outcomes(**worth: float) -> Outcomes:
    return Outcomes(
        worth or WORTH,
        clicks=BetaBelief(prior_mean=0.1, refit=0),
        carts=BetaBelief(prior_mean=0.2, arm_strength=20.0, refit=0),
        purchases=BetaBelief(prior_mean=0.4, arm_strength=10.0, refit=0),
        values=ValueBelief(prior_value=20.0),
    )


def story(n: int = 300) -> list[dict[str, float]]:
    """Looks at four arms, each with all that came of it."""
    rng = derive(0, "test outcomes")
    told = []
    for _ in range(n):
        click = rng.random() < 0.3
        cart = click and rng.random() < 0.5
        bought = cart and rng.random() < 0.5
        look = {"arm": int(rng.integers(4)), "looks": 1.0, "clicks": click, "carts": cart}
        value = {"purchases": 1.0, "value": float(rng.lognormal(3.0, 0.4))} if bought else {}
        told.append({**look, **value})
    return told


def learnt(told: list[dict[str, float]], into: Outcomes | None = None) -> Outcomes:
    belief = into or outcomes()
    for add in told:
        belief.add(**add)  # type: ignore[arg-type]
    return belief


def beta(rng: np.random.Generator, belief: BetaBelief, n: int) -> Floats:
    (mean,), (variance,) = belief.predict(ONE)
    strength = mean * (1 - mean) / variance - 1
    return rng.beta(strength * mean, strength * (1 - mean), size=n)


def test_moments_are_those_of_drawn_worlds() -> None:
    """Mean, variance and noise of a look's worth, from 400,000 worlds and one look in each."""
    belief, rng, n = learnt(story()), derive(1, "test outcomes"), 400_000
    chances = [
        beta(rng, b, n)
        for b in (belief.clicks, belief.carts, belief.purchases)
        if isinstance(b, BetaBelief)
    ]
    value = belief.values.predict(ONE)
    sigma2 = belief.values.variance
    belief_sd = np.sqrt(np.log1p(value.variance[0] / value.mean[0] ** 2))
    centre = np.log(value.mean[0]) - 0.5 * (sigma2 + belief_sd**2)
    log = centre + belief_sd * rng.normal(size=n)
    expected = chances[0] * (
        0.1 + chances[1] * (0.5 + chances[2] * 0.2 * np.exp(log + 0.5 * sigma2))
    )
    went = [rng.random(n) < chance for chance in chances]
    order = 0.2 * np.exp(log + np.sqrt(sigma2) * rng.normal(size=n))
    reward = went[0] * (0.1 + went[1] * (0.5 + went[2] * order))
    (mean,), (variance,), (noise,) = belief.predict(ONE)

    assert mean == pytest.approx(expected.mean(), rel=0.01)
    assert variance == pytest.approx(expected.var(), rel=0.03)
    assert noise == pytest.approx(((reward - expected) ** 2).mean(), rel=0.03)


def test_clicks_alone_are_the_belief_in_clicks() -> None:
    """With a worth of 1 a click and nothing else: its moments, and a Bernoulli's noise."""
    belief = learnt(story(), outcomes(click=1.0))
    mean, variance, noise = belief.predict(np.arange(5))
    rate, spread = belief.clicks.predict(np.arange(5))

    np.testing.assert_allclose(mean, rate)
    np.testing.assert_allclose(variance, spread, rtol=1e-9)
    np.testing.assert_allclose(noise, rate * (1 - rate) - spread, rtol=1e-9)


def test_variance_of_a_product_of_independents() -> None:
    """Π(s² + m²) − Πm² where purchases alone are worth something."""
    belief = learnt(story(), outcomes(purchase=1.0))
    mean, variance, _ = belief.predict(ONE)
    value = belief.values.predict(ONE)
    parts = [b.predict(ONE) for b in (belief.clicks, belief.carts, belief.purchases)]
    means = np.array([*(m for m, _ in parts), value.mean])
    spreads = np.array([*(v for _, v in parts), value.variance])

    np.testing.assert_allclose(mean, means.prod(axis=0))
    np.testing.assert_allclose(
        variance, (spreads + means**2).prod(axis=0) - means.prod(axis=0) ** 2, rtol=1e-9
    )
    np.testing.assert_allclose(belief.chances(ONE), means[:3])


def test_outcomes_may_come_one_by_one() -> None:
    """A look now, its click, cart and order later: the same as all at once."""
    late = outcomes()
    for add in story():
        arm = int(add["arm"])
        late.add(arm, looks=1.0)
        for name in ("clicks", "carts"):
            late.add(arm, **{name: add[name]})  # type: ignore[arg-type]
        if "value" in add:
            late.add(arm, purchases=1.0, value=add["value"])

    for a, b in zip(late.predict(np.arange(4)), learnt(story()).predict(np.arange(4)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_what_is_taken_back_was_never_told() -> None:
    """A forged order with its click: undone, σ of values included."""
    belief = learnt(story())
    forged = {"looks": 3.0, "clicks": 2.0, "carts": 1.0, "purchases": 1.0, "value": 9_000.0}
    belief.add(1, **forged)  # type: ignore[arg-type]
    belief.add(1, **{name: -number for name, number in forged.items()})  # type: ignore[arg-type]

    assert belief.values.variance == pytest.approx(learnt(story()).values.variance, rel=1e-9)
    for a, b in zip(
        belief.predict(np.arange(4)), learnt(story()).predict(np.arange(4)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_clicks_teach_before_orders_do() -> None:
    """An arm twice as often clicked, with no order yet, is worth more: as its group buys."""
    belief = outcomes(purchase=1.0)
    for arm in range(2, 12):
        belief.add(arm, looks=500, clicks=50, carts=20, purchases=10, value=200.0, group=0)
    belief.add(0, looks=100, clicks=10, carts=4, group=0)
    belief.add(1, looks=100, clicks=20, carts=8, group=0)
    worth, _, _ = belief.predict(np.array([0, 1]))

    assert 1.2 < worth[1] / worth[0] < 2.0


def test_one_huge_order_does_not_rule() -> None:
    """An order a thousand times the usual: its arm's value rises, but not by ten."""
    belief = ValueBelief(prior_value=20.0)
    for arm in range(10):
        for _ in range(5):
            belief.add(arm, 1.0, 20.0)
    before = belief.predict(np.arange(10)).mean
    belief.add(3, 1.0, 20_000.0)
    after = belief.predict(np.arange(10)).mean

    assert 1.5 < after[3] / before[3] < 10.0
    assert (np.delete(after / before, 3) < 2.0).all()


def test_spread_of_values_is_that_within_arms() -> None:
    """Prices from 1 to 1,000 between arms, orders within 30 %: σ is .3, and values are found."""
    belief, rng = ValueBelief(), derive(2, "test outcomes")
    price = np.exp(rng.uniform(0.0, 7.0, size=40))
    for arm in np.repeat(np.arange(40), 25):
        belief.add(int(arm), 1.0, float(price[arm] * rng.lognormal(0.0, 0.3)))
    value = belief.predict(np.arange(40))

    assert np.sqrt(belief.variance) == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(value.mean, price * np.exp(0.045), rtol=0.25)
    assert (np.sqrt(value.variance) / value.mean < 0.1).all()


def test_values_told_together_count_by_their_average() -> None:
    """Ten orders of 50 in all are ten of 5; a gift counts as a cent."""
    together, single, gift, cent = (ValueBelief() for _ in range(4))
    together.add(0, 10.0, 50.0)
    for _ in range(10):
        single.add(0, 1.0, 5.0)
    gift.add(0, 1.0, 0.0)
    cent.add(0, 1.0, 0.01)

    np.testing.assert_allclose(
        together.predict(ONE).mean / np.exp(0.5 * together.variance),
        single.predict(ONE).mean / np.exp(0.5 * single.variance),
        rtol=0.05,
    )
    assert gift.predict(ONE).mean == cent.predict(ONE).mean


def test_decay_forgets_towards_the_priors() -> None:
    """All forgotten is what was believed before; half forgotten is wider."""
    belief, full = learnt(story()), learnt(story())
    belief.decay(0.5)
    assert (belief.predict(np.arange(4))[1] > full.predict(np.arange(4))[1]).all()
    belief.decay(0.0)

    for a, b in zip(belief.predict(np.arange(4)), outcomes().predict(np.arange(4)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_what_is_pending_narrows() -> None:
    """Looks, clicks or carts whose outcome is awaited: same mean, less spread, till it is known."""
    belief = learnt(story())
    mean, variance, _ = belief.predict(ONE)
    for stage in ("looks", "clicks", "carts"):
        belief.pending(0, **{stage: 5.0})
        np.testing.assert_allclose(belief.predict(ONE)[0], mean)
        assert belief.predict(ONE)[1] < variance
        belief.pending(0, **{stage: -5.0})

        np.testing.assert_array_equal(belief.predict(ONE)[1], variance)


def test_an_arm_takes_its_record_along() -> None:
    """Moved to a group of dear and popular things, a new arm is worth more."""
    belief = outcomes()
    for arm in range(5):
        belief.add(arm, looks=100, clicks=40, carts=30, purchases=25, value=2_500.0, group=7)
        belief.add(20 + arm, looks=100, clicks=5, carts=1, purchases=1, value=2.0, group=8)
    before = belief.predict(np.array([9]))[0]
    belief.reassign(9, 7)

    assert belief.predict(np.array([9]))[0] > 3.0 * before
    np.testing.assert_array_equal(
        belief.predict(np.array([9]))[0], belief.predict(np.array([50]), np.array([7]))[0]
    )


def test_load_continues_to_the_bit() -> None:
    """Saved and loaded in the midst, stages in banks: what follows is the same as without."""

    def banked() -> Outcomes:
        return Outcomes(WORTH, clicks=ArmBank(BetaBelief, (50.0, 500.0)))

    straight, first, second = learnt(story(), banked()), learnt(story()[:100], banked()), banked()
    second.load(first.arrays())
    learnt(story()[100:], second)

    assert len(straight.arrays()) == len(second.arrays()) > 20
    for name, array in straight.arrays().items():
        assert array.tobytes() == second.arrays()[name].tobytes(), name


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda o: Outcomes({"refund": 1.0}), "worth of 'refund' is given; the outcomes are click"),
        (lambda o: Outcomes({"click": -1.0}), "worth of click is -1.0; it must be finite"),
        (lambda o: o.add(0, value=3.0), "0.0 purchases of 3.0 in all"),
        (lambda o: o.add(0, purchases=1.0, value=-3.0), "of one sign with its purchases"),
        (lambda o: o.add(0, looks=-1.0), "arm 0 would be left with -1 looks"),
        (lambda o: o.pending(0, carts=-1.0), "arm 0 would be left with -1 pending looks"),
        (lambda o: ValueBelief(prior_value=0.0), "prior_value is 0.0; it must be above 0"),
        (lambda o: ValueBelief(arm_strength=0.0), "arm_strength is 0.0; it must be above 0"),
    ],
)
def test_refusals(attempt: Callable[[Outcomes], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(outcomes())

    assert message in str(refusal.value)
