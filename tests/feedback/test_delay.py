"""Orders that come late: nobody is bad because he is new, and the end is the plain mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from equipoise.feedback.delay import ENDS, Delay
from equipoise.randomness import derive
from equipoise.types import Floats

DAY = 86_400_000
NOW = 1_700_000_000_000
HOME = ("home", "purchase")


class Told(NamedTuple):
    """Something to tell a ``Delay``, at its time."""

    ts: int
    key: tuple[str, int]
    arm: int
    outcome: str
    worth: float


def clicks(
    n: int, *, seed: int, rate: float, median: float = 0.1, arm: int = 0, days: float = 1.0,
    start: int = NOW,
) -> list[Told]:  # fmt: skip
    """Clicks over some days; a share of them buys, after a log-normal part of the window, and as
    many put the item into the cart, ten times sooner."""
    luck, told = derive(seed, "delays"), []
    for number in range(n):
        key = (f"{seed}-{number}", arm)
        at = start + int(luck.uniform(0, days * DAY))
        told.append(Told(at, key, arm, "click", 0.05))
        for outcome, worth, scale in (("add_to_cart", 0.5, 0.1), ("purchase", 2.0, 1.0)):
            part = 2.0
            while part >= 1.0:
                part = float(median * scale * np.exp(luck.normal()))
            if luck.random() < rate:
                told.append(Told(at + int(part * DAY), key, arm, outcome, worth))
    return sorted(told)


class Heard:
    """A ``Delay`` and the sums of what it has credited, arm by arm."""

    def __init__(self, delay: Delay | None = None) -> None:
        self.delay = Delay() if delay is None else delay
        self.clicks: dict[int, float] = {}
        self.worth: dict[int, float] = {}

    def take(self, heard: object) -> None:
        arm, clicks, worth = heard  # type: ignore[misc]
        self.clicks[arm] = self.clicks.get(arm, 0.0) + clicks
        self.worth[arm] = self.worth.get(arm, 0.0) + worth

    def wait(self, ts: int) -> None:
        for heard in self.delay.until(ts):
            self.take(heard)

    def tell(self, told: Told) -> None:
        self.wait(told.ts)
        if told.outcome == "click":
            self.delay.click(told.key, "home", told.arm, "click", told.worth, told.ts)
        else:
            heard = self.delay.earn(told.key, told.arm, told.outcome, told.worth)
            assert heard is None

    def mean(self, arm: int = 0) -> float:
        return self.worth[arm] / self.clicks[arm]


def shares(sample: Floats) -> Floats:
    """The distribution of delays at the ends of spans, by counting."""
    return np.array([(sample <= end).mean() for end in ENDS])


def delays(told: list[Told], outcome: str) -> Floats:
    clicked = {one.key: one.ts for one in told if one.outcome == "click"}
    return np.array([(t.ts - clicked[t.key]) / DAY for t in told if t.outcome == outcome])


def test_unbiased_at_every_age() -> None:
    """A new item whose clicks are an hour old is worth what it will turn out to be worth; counting
    each click at once sees a fraction of it."""
    rate, n = 0.25, 3_000
    old = clicks(2_000, seed=1, rate=0.1, days=5)
    new = clicks(n, seed=2, rate=rate, arm=1, days=0.0, start=NOW + 6 * DAY)
    heard = Heard()
    for told in old:
        heard.tell(told)
    truth = 0.05 + rate * 2.5
    started, naive, ours, errors = NOW + 6 * DAY, [], [], []
    waiting = list(new)
    for end in ENDS:
        until = started + int(end * DAY) + 1
        while waiting and waiting[0].ts < until - 1:
            heard.tell(waiting.pop(0))
        heard.wait(until)
        ours.append(heard.mean(1))
        naive.append(sum(t.worth for t in new if t.ts < until) / n)
        # Of a mean of n clicks that count as c each, and of F as 200 outcomes tell it.
        share = heard.clicks[1] / n
        errors.append(2.0 * np.sqrt(rate / (n * share)) + truth / np.sqrt(200 * share))

    off = np.abs(np.array(ours) - truth) / np.array(errors)
    assert (off < 3).all()
    assert naive[0] < 0.3 * truth
    assert naive[ENDS.index(0.0625)] < 0.6 * truth
    assert naive[-1] == pytest.approx(truth, rel=0.1)


def test_unbiased_while_nothing_is_known_of_delays_but_what_the_same_clicks_tell() -> None:
    """Many repetitions of a first day: their mean is the truth, not a share of it."""
    truth, means, naive = 0.05 + 0.3 * 2.5, [], []
    for seed in range(40):
        heard = Heard(Delay(strength=0.01))
        told = clicks(400, seed=seed, rate=0.3)
        for one in told:
            if one.ts < NOW + DAY:
                heard.tell(one)
        heard.wait(NOW + DAY)
        means.append(heard.mean())
        come = [one for one in told if one.ts < NOW + DAY]
        naive.append(sum(one.worth for one in come) / 400)

    error = float(np.std(means) / np.sqrt(len(means)))
    assert np.mean(means) == pytest.approx(truth, abs=3 * error + 0.01)
    assert np.mean(naive) < truth - 6 * error


def test_matured_it_is_the_plain_mean() -> None:
    """When every window has closed each click has counted once, and all it earned with it."""
    heard, told = Heard(), clicks(500, seed=3, rate=0.4)
    for one in told:
        heard.tell(one)
    heard.wait(told[-1].ts + DAY)

    assert heard.clicks[0] == 500.0
    assert heard.mean() == pytest.approx(sum(t.worth for t in told) / 500, rel=1e-9)
    assert len(heard.delay) == 0


def test_the_distribution_is_found() -> None:
    """That of the sample, for carts and for orders, once all is matured."""
    heard, told = Heard(Delay(strength=1e-6, memory=1e12)), clicks(1_500, seed=4, rate=0.5)
    for one in told:
        heard.tell(one)
    heard.wait(told[-1].ts + DAY)

    for outcome in ("add_to_cart", "purchase"):
        counted = shares(delays(told, outcome))
        assert heard.delay.arrived("home", outcome) == pytest.approx(counted, abs=1e-4)


def test_fresh_clicks_do_not_make_delays_look_short() -> None:
    """While traffic grows most of what has come in came soon; the estimate knows why."""
    heard = Heard(Delay(strength=1e-6, memory=1e12))
    told = [
        one
        for day in range(5)
        for one in clicks(150 * 3**day, seed=10 + day, rate=0.5, median=0.4, start=NOW + day * DAY)
    ]
    told = sorted(one for one in told if one.ts < NOW + 5 * DAY - DAY // 4)
    for one in told:
        heard.tell(one)
    heard.wait(NOW + 5 * DAY - DAY // 4)
    luck = derive(0, "truth")
    sample = 0.4 * np.exp(luck.normal(size=200_000))
    truth = shares(sample[sample < 1.0])

    found, counted = heard.delay.arrived(*HOME), shares(delays(told, "purchase"))
    assert found == pytest.approx(truth, abs=0.03)
    assert np.abs(counted - truth).max() > 0.06


def test_what_may_still_come() -> None:
    """Against counting: of the clicks that are this old and have no order yet, how many get one."""
    told = clicks(20_000, seed=5, rate=0.3)
    heard = Heard()
    for one in told:
        heard.tell(one)
    heard.wait(told[-1].ts + DAY)
    orders = delays(told, "purchase")
    for age in (0.03, 0.125, 0.5):
        late = (orders > age).sum()
        still = heard.delay.still(*HOME, 0.3, age * DAY)
        assert still == pytest.approx(late / (20_000 - (orders <= age).sum()), rel=0.1)

    assert heard.delay.still(*HOME, 0.3, 0) == pytest.approx(0.3, rel=0.05)
    assert heard.delay.still(*HOME, 0.3, DAY) == 0.0


def test_the_first_guess_and_a_strange_placement() -> None:
    """Equal shares in all spans; a placement that has sold nothing takes after the shop."""
    fresh = Delay().arrived(*HOME)
    assert fresh == pytest.approx(np.arange(1, len(ENDS) + 1) / len(ENDS))

    heard, told = Heard(), clicks(400, seed=6, rate=0.5)
    for one in told:
        heard.tell(one)
    heard.wait(told[-1].ts + DAY)
    own, strange = (heard.delay.arrived(name, "purchase") for name in ("home", "cart"))
    assert np.abs(strange - own).max() < 0.1 < np.abs(strange - fresh).max()


def test_an_order_counts_at_the_end_of_its_span_and_what_is_taken_back_is_gone() -> None:
    """Not at once, since clicks without an order do not either; and a refund undoes it."""
    heard = Heard(Delay(outcomes=("purchase",)))
    for told in (
        Told(NOW, ("d", 0), 0, "click", 0.05),
        Told(NOW + DAY // 5, ("d", 0), 0, "purchase", 2.0),
    ):
        heard.tell(told)
    before = heard.worth[0]
    heard.wait(NOW + DAY // 4)
    after = heard.worth[0]
    heard.tell(Told(NOW + DAY // 3, ("d", 0), 0, "purchase", -2.0))
    heard.wait(NOW + DAY)

    assert before < 0.05
    assert after == pytest.approx(2.0 + 0.05 * heard.delay.arrived(*HOME)[-3], rel=0.05)
    assert heard.worth[0] == pytest.approx(0.05)
    assert heard.clicks[0] == 1.0


def test_a_click_that_is_given_up_stays_as_it_was_heard() -> None:
    """Of an erased person nothing more is heard: not even that there was no order."""
    heard = Heard()
    heard.tell(Told(NOW, ("d", 0), 0, "click", 0.05))
    heard.wait(NOW + DAY // 8)
    rest = heard.delay.stop(("d", 0))
    counted = heard.clicks[0]
    heard.wait(NOW + 3 * DAY)

    assert 0.0 < counted < 1.0
    assert rest == 1.0 - counted
    assert heard.clicks[0] == counted
    assert heard.delay.stop(("d", 0)) == 0.0
    assert len(heard.delay) == 0


def test_after_its_window_a_click_counts_in_full() -> None:
    """What is told of it later is money and no click."""
    heard = Heard()
    heard.tell(Told(NOW, ("d", 0), 7, "click", 0.05))
    heard.wait(NOW + DAY)

    assert heard.delay.earn(("d", 0), 7, "purchase", 2.0) == (7, 0.0, 2.0)


def test_windows_differ_by_placement() -> None:
    """Where an hour is allowed an hour is all."""
    delay = Delay(windows={"cart": DAY // 24})
    for placement in ("cart", "home"):
        delay.click((placement, 0), placement, 0, "click", 0.05, NOW)
    spent = sum(clicks for _, clicks, _ in delay.until(NOW + DAY // 24))

    assert spent == pytest.approx(1.0 + delay.arrived(*HOME)[5], abs=1e-4)
    assert len(delay) == 1


def test_without_late_outcomes_a_click_counts_at_once() -> None:
    """Where carts and orders are worth nothing there is nothing to wait for."""
    delay = Delay(outcomes=())
    delay.click(("d", 0), "home", 0, "click", 0.05, NOW)

    assert next(delay.until(NOW + DAY // 1_000)) == (0, 1.0, 0.05)


def replayed(told: list[Told], stops: tuple[int, ...]) -> Iterator[tuple[float, float]]:
    heard = Heard()
    for place, one in enumerate(told):
        if place in stops:
            loaded = Delay()
            loaded.load(heard.delay.dump())
            heard.delay = loaded
        heard.tell(one)
        yield heard.clicks.get(0, 0.0), heard.worth.get(0, 0.0)


def test_stopped_and_started_is_never_stopped() -> None:
    """A fold that was dumped and loaded goes on to the same bit."""
    told = clicks(200, seed=8, rate=0.5)

    assert list(replayed(told, ())) == list(replayed(told, (50, 51, 150, 300)))


@pytest.mark.parametrize("name", ["window_ms", "strength", "memory"])
def test_numbers_that_cannot_be(name: str) -> None:
    """Refused by name."""
    with pytest.raises(ValueError, match=f"{name} is 0; it must be above 0"):
        Delay(**{name: 0})
    with pytest.raises(ValueError, match="window_ms is -1; it must be above 0"):
        Delay(windows={"home": -1})
