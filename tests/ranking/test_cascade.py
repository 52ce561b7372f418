"""Read from the top, and left after a click: the chain is found, and says what was looked at."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from equipoise.randomness import derive
from equipoise.ranking.cascade import Cascade
from equipoise.ranking.position import SLOTS, STRENGTH, Browsed, first_guess
from equipoise.types import Bools, Floats

N = 8
ON = 0.85
AGAIN = 0.3


def browse(
    luck: np.random.Generator, rates: Floats, *, on: float = ON, again: float = AGAIN
) -> tuple[Bools, Bools]:
    """One shopper: which slots were clicked, and which were looked at."""
    clicked, looked = np.zeros(len(rates), bool), np.zeros(len(rates), bool)
    for k, rate in enumerate(rates):
        looked[k] = True
        clicked[k] = luck.random() < rate
        if luck.random() >= on * (again if clicked[k] else 1.0):
            break
    return clicked, looked


def browsed(clicked: Bools, rates: Floats, places: np.ndarray | None = None) -> Browsed:
    where = np.arange(len(rates)) if places is None else places
    return Browsed(where, np.asarray(clicked, bool), rates, np.ones(len(rates)))


def known(on: float = ON, again: float = AGAIN) -> Cascade:
    """A chain whose every chance is given."""
    cascade = Cascade(on ** np.arange(SLOTS))
    cascade.load(cascade.arrays() | {"after": np.array([1e12 * again, 1e12])})
    return cascade


def test_the_true_chain_is_found() -> None:
    """How far lists are read, what a click leaves of it, and how often each place is looked at."""
    luck, cascade, lists = derive(0, "cascade"), Cascade(first_guess(SLOTS)), 6_000
    looks = np.zeros(N)
    for _ in range(lists):
        rates = luck.uniform(0.02, 0.5, N)
        clicked, looked = browse(luck, rates)
        looks += looked
        cascade.learn(browsed(clicked, rates))
    truth = ON ** np.arange(N)
    expected = 0.26 * lists * 0.74 ** np.arange(N)
    error = truth * np.sqrt(1 / (expected * truth) + 1 / expected[0])

    assert (np.abs(cascade.reach[:N] - truth) < 3.5 * error + STRENGTH / expected).all()
    assert cascade.again == pytest.approx(AGAIN, abs=0.04)
    assert cascade.looks()[:N] == pytest.approx(looks / lists, abs=0.04)


def test_it_looks_at_what_the_chain_says() -> None:
    """Likelihood and looks of every outcome of a list of four, against all paths one by one."""
    cascade, rates = known(), np.array([0.3, 0.1, 0.6, 0.2])
    total = 0.0
    for outcome in product([False, True], repeat=4):
        clicked = np.array(outcome)
        chance, looked = by_paths(clicked, rates)
        total += chance

        given = browsed(clicked, rates)
        assert np.exp(cascade.likelihood(given)) == pytest.approx(chance)
        assert cascade.looked(given) == pytest.approx(looked)

    assert total == pytest.approx(1.0)


def by_paths(clicked: Bools, rates: Floats) -> tuple[float, Floats]:
    """P(clicks), and P(looked at | clicks), over how far the shopper read."""
    chance, looked = 0.0, np.zeros(len(rates))
    for last in range(len(rates)):
        if clicked[last + 1 :].any():
            continue
        path = 1.0
        for k in range(last + 1):
            path *= rates[k] if clicked[k] else 1 - rates[k]
            on = ON * (AGAIN if clicked[k] else 1.0)
            path *= (on if k < last else 1 - on) if k < len(rates) - 1 else 1.0
        chance += path
        looked[: last + 1] += path
    return chance, looked / chance


def test_slots_after_the_last_click_count_less() -> None:
    """What stands above it was looked at for certain, what stands below it hardly."""
    looked = known().looked(browsed(np.array([0, 0, 1, 0, 0]), np.full(5, 0.2)))
    quiet = known().looked(browsed(np.zeros(5), np.full(5, 0.2)))

    assert looked[:3].tolist() == [1.0, 1.0, 1.0]
    assert looked[3] < AGAIN
    assert looked[4] < looked[3] < quiet[3]


def test_slots_that_never_came_into_view_are_passed_over() -> None:
    """As if the list had been shorter, with the way between its parts longer."""
    cascade, rates = known(), np.array([0.3, 0.2])
    far = browsed(np.array([0, 0]), rates, np.array([0, 4]))
    near = browsed(np.array([0, 0]), rates, np.array([0, 1]))

    assert cascade.looked(far)[1] < cascade.looked(near)[1]
    assert cascade.looked(far)[1] == pytest.approx(by_two(ON**4, rates))


def by_two(on: float, rates: Floats) -> float:
    return float(on * (1 - rates[1]) / (1 - on + on * (1 - rates[1])))


def test_order_hardly_matters_and_what_is_loaded_is_what_was_dumped() -> None:
    """The curve is a ratio of sums; only the share that follows a click leans on it as it stood."""
    luck = derive(2, "order")
    lists = []
    for _ in range(300):
        rates = luck.uniform(0.1, 0.5, 6)
        lists.append(browsed(browse(luck, rates)[0], rates))
    one, other, loaded = (Cascade(first_guess(SLOTS)) for _ in range(3))
    for given in lists:
        one.learn(given)
    for given in reversed(lists):
        other.learn(given)
    loaded.load(one.arrays())

    assert other.reach == pytest.approx(one.reach, rel=1e-9)
    assert other.again == pytest.approx(one.again, rel=0.1)
    assert np.array_equal(loaded.looks(), one.looks())
    assert loaded.again == one.again
