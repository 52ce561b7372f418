"""Which way a placement's lists are read, and that low slots are not taken for bad items."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import spearmanr

from equipoise.exploration import GaussianBelief, RateBelief
from equipoise.randomness import derive
from equipoise.ranking.examination import (
    CLICKED,
    EVIDENCE,
    LEFT,
    MODELS,
    UNSEEN,
    Awaited,
    Examination,
)
from equipoise.ranking.features import NAMES, PRIOR_MEAN, PRIOR_PRECISION
from equipoise.ranking.model import RewardModel
from equipoise.ranking.position import SLOTS, first_guess
from equipoise.settings import EXAMINATION
from equipoise.types import Bools, Decision, Floats, PolicyUsed, Query, Slot

N = 8
THETA = (np.arange(N) + 1.0) ** -0.8
ON, AGAIN = 0.85, 0.1
Eyes = Callable[[np.random.Generator, Floats], Bools]


def by_position(luck: np.random.Generator, rates: Floats) -> Bools:
    return luck.random(len(rates)) < THETA[: len(rates)] * rates


def from_the_top(luck: np.random.Generator, rates: Floats) -> Bools:
    clicked = np.zeros(len(rates), bool)
    for k, rate in enumerate(rates):
        clicked[k] = luck.random() < rate
        if luck.random() >= ON * (AGAIN if clicked[k] else 1.0):
            break
    return clicked


def slot(item: int, rate: float = 0.1, *, look: float = 1.0, propensity: float = 0.5) -> Slot:
    g = tuple(float(name == "base") for name in NAMES)
    return Slot(item_id=str(item), position=item, propensity=propensity, explored=False,
                pinned=False, source="als", mean=rate, variance=0.0, look=look, rate=rate,
                features=g)  # fmt: skip


def listed(name: str, *slots: Slot, placement: str = "home") -> Decision:
    return Decision(decision_id=name, ts=0, query=Query(placement=placement), shopper="",
                    policy=PolicyUsed(name="greedy", version="1", level=0.0), slots=slots,
                    fallback_level="", reason="", expected=0.0, cost=0.0, snapshot="", seq=0,
                    items=b"", mean=b"", variance=b"", groups=b"", max_per_group=1)  # fmt: skip


def serve(
    examination: Examination, name: str, rates: Floats, *, placement: str = "home", now: int = 0
) -> None:
    decision = listed(name, *(slot(k) for k in range(len(rates))), placement=placement)
    examination.begin(decision, rates.tolist(), np.full(len(rates), 0.25).tolist(), now)


def browse(examination: Examination, eyes: Eyes, lists: int, *, seed: int = 0) -> None:
    luck = derive(seed, "lists")
    for number in range(lists):
        rates = luck.uniform(0.02, 0.5, N)
        serve(examination, str(number), rates)
        for place, clicked in enumerate(eyes(luck, rates)):
            examination.settle(str(number), place, CLICKED if clicked else LEFT)
        examination.close()


@pytest.mark.parametrize(("eyes", "name"), [(by_position, "position"), (from_the_top, "cascade")])
def test_the_model_that_holds_is_found(eyes: Eyes, name: str) -> None:
    """By what it foretold, in worlds of each kind; and its curve is how often places are seen."""
    examination = Examination()
    browse(examination, eyes, 1_500)

    assert examination.model("home") == name
    assert abs(examination.lead("home")) > 3 * EVIDENCE
    luck = derive(1, "truth")
    rates = np.full(N, 0.26)
    truth = np.mean([eyes(luck, rates) for _ in range(20_000)], axis=0) / rates
    assert examination.look("home", N) == pytest.approx(truth, abs=0.09)


def test_what_is_stated_is_held() -> None:
    """Whatever the log says; settings and models have the same names."""
    examination = Examination({"home": "position", "feed": "auto"})
    browse(examination, from_the_top, 600)

    assert examination.lead("home") > EVIDENCE
    assert examination.model("home") == "position"
    assert Examination({"home": "cascade"}).model("home") == "cascade"
    assert Examination().model("home") == "position"
    assert MODELS == EXAMINATION


def test_a_model_of_another_name_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(
        ValueError, match=r"'dbn' is no model .*'home'.*; the models are auto, position, cascade"
    ):
        Examination({"home": "dbn"})


def test_before_any_list() -> None:
    """The first guess, for lists of every length."""
    examination = Examination()

    assert np.array_equal(examination.look("home", 7), first_guess(7))
    assert len(examination.look("home", 0)) == 0
    long = examination.look("home", SLOTS + 20)
    assert (long[SLOTS:] == long[SLOTS - 1]).all()


def test_placements_do_not_share_a_curve() -> None:
    """What the home page's visitors skip, the product page's may read."""
    examination = Examination()
    for number in range(320):
        serve(examination, str(number), np.full(4, 0.5))
        for place in range(4):
            state = CLICKED if place == 0 and number % 2 else LEFT
            examination.settle(str(number), place, state)
        examination.close()

    assert examination.look("home", 4)[3] < 0.25
    assert np.array_equal(examination.look("product", 4), first_guess(4))


def test_only_what_came_into_view_counts() -> None:
    """A list of which nothing was seen teaches nothing at all, and unseen slots of another no more
    than if it had ended above them."""
    seen, shorter, nothing = Examination(), Examination(), Examination()
    untouched = nothing.arrays()
    for number in range(200):
        clicked = {0: number % 4 == 0, 2: number % 9 == 0}
        for examination, length in ((seen, 6), (shorter, 3), (nothing, 6)):
            serve(examination, str(number), np.full(length, 0.3))
            for place in range(length):
                known = place < 3 and examination is not nothing
                state = (CLICKED if clicked.get(place) else LEFT) if known else UNSEEN
                examination.settle(str(number), place, state)
            examination.close()

    assert np.array_equal(seen.look("home", 9), shorter.look("home", 9))
    assert seen.lead("home") == shorter.lead("home")
    assert nothing.arrays().keys() == untouched.keys()
    assert all(np.array_equal(nothing.arrays()[key], untouched[key]) for key in untouched)


def test_a_slot_is_settled_once_and_gives_back_what_was_under_way() -> None:
    """Unknown lists, and slots that were settled before, give nothing."""
    examination = Examination()
    serve(examination, "a", np.full(2, 0.1))

    assert examination.settle("a", 1, LEFT) == Awaited(1, 0.25)
    assert examination.settle("a", 1, CLICKED) is None
    assert examination.settle("b", 0, LEFT) is None
    assert examination.looked("a", 0) is None
    assert examination.looked("b", 0) is None
    examination.close()
    assert len(examination) == 1
    examination.settle("a", 0, UNSEEN)
    examination.close()
    assert len(examination) == 0


def test_a_list_of_which_nothing_more_is_heard_is_over() -> None:
    """After its time, so that what was withheld does not stay under way for ever."""
    examination = Examination()
    for now in (0, 10, 20):
        serve(examination, str(now), np.full(3, 0.1), now=now)
    examination.settle("0", 1, CLICKED)

    assert [awaited[:2] for awaited in examination.expire(11)] == [
        (0, 0.25), (2, 0.25), (0, 0.25), (1, 0.25), (2, 0.25),
    ]  # fmt: skip
    examination.close()
    assert len(examination) == 1
    assert list(examination.expire(20)) == []


def test_what_comes_into_view_is_under_way_no_longer() -> None:
    """By the share that counts already; both parts come back when the slot is settled, once."""
    examination = Examination()
    serve(examination, "a", np.full(2, 0.1))
    moved = examination.view("a", 0, 0.5, 7)

    assert moved == Awaited(0, 0.125, 0.125, 7)
    assert examination.view("a", 0, 0.5, 8) is None
    assert examination.view("b", 0, 0.5, 8) is None
    again = Examination()
    again.load(examination.arrays())
    assert again.settle("a", 0, CLICKED) == Awaited(0, 0.125, 0.125, 7)
    assert examination.settle("a", 1, LEFT) == Awaited(1, 0.25)
    assert examination.view("a", 1, 0.5, 8) is None


def test_what_was_looked_at() -> None:
    """A click is a look; a slot that was left is one by its place, or by what was clicked below."""
    by_place, chain = Examination({"home": "position"}), Examination({"home": "cascade"})
    for examination in (by_place, chain):
        serve(examination, "a", np.full(4, 0.2))
        for place, state in enumerate((LEFT, LEFT, CLICKED, LEFT)):
            examination.settle("a", place, state)

    theta = first_guess(4)[1]
    assert by_place.looked("a", 1) == pytest.approx(theta * 0.8 / (1 - theta * 0.2))
    assert chain.looked("a", 1) == 1.0
    assert by_place.looked("a", 2) == chain.looked("a", 2) == 1.0
    last = chain.looked("a", 3)
    assert last is not None
    assert last < 0.5


def test_lists_longer_than_any_curve() -> None:
    """Their ends count as the last known place does, and teach nothing of places."""
    for stated in ("position", "cascade"):
        examination = Examination({"home": stated})
        serve(examination, "a", np.full(SLOTS + 5, 0.1))
        for place in range(SLOTS + 5):
            examination.settle("a", place, LEFT)
        end = examination.looked("a", SLOTS + 4)

        assert end == examination.looked("a", SLOTS - 1)
        examination.close()
        assert len(examination) == 0


def test_stopped_and_started_is_never_stopped() -> None:
    """A fold that was dumped with lists under way goes on to the same bit."""
    whole, first = Examination(), Examination()
    for examination in (whole, first):
        browse(examination, from_the_top, 200)
        serve(examination, "open", np.full(5, 0.3))
        examination.settle("open", 2, CLICKED)
    stopped = Examination()
    stopped.load(first.arrays())
    for examination in (whole, stopped):
        for place in (0, 1, 3, 4):
            examination.settle("open", place, LEFT)
        examination.close()
        browse(examination, by_position, 100, seed=2)
    one, other = whole.arrays(), stopped.arrays()

    assert one.keys() == other.keys()
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


# ---------------------------------------------------------------- items and places together

ITEMS = 24
SPREAD = 2.0


def drawn(luck: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Places from the shop's order by Plackett and Luce, each with its propensity."""
    weight, order, propensities = np.exp(-np.arange(ITEMS) / SPREAD), [], []
    for _ in range(N):
        chance = weight / weight.sum()
        item = int(luck.choice(ITEMS, p=chance))
        order.append(item)
        propensities.append(chance[item])
        weight[item] = 0.0
    return np.array(order), np.array(propensities)


class Shop:
    """Lists whose order is the shop's own, good items last, but for a few draws; learnt from as the
    service learns."""

    def __init__(self, eyes: Eyes, seed: int = 0) -> None:
        luck = derive(seed, "shop")
        self.rates = np.sort(luck.beta(2, 8, ITEMS))
        clicks = RateBelief(prior_mean=0.1, prior_variance=0.1, arm_strength=20.0)
        worth = RateBelief()
        lift = GaussianBelief(
            len(PRIOR_MEAN), prior_mean=PRIOR_MEAN, prior_precision=PRIOR_PRECISION
        )
        self.model, self.examination = RewardModel(clicks, worth, lift), Examination()
        self.shown, self.clicked = np.zeros(ITEMS), np.zeros(ITEMS)
        for number in range(4_000):
            self.show(str(number), eyes, luck)

    def show(self, name: str, eyes: Eyes, luck: np.random.Generator) -> None:
        order, propensities = drawn(luck)
        looks = self.examination.look("home", N)
        rates, _ = self.model.score(
            order.astype(np.int32), np.zeros(N, int), np.array([slot(0).features] * N)
        )
        slots = [
            slot(int(item), float(rate), look=float(look), propensity=float(propensity))
            for item, rate, look, propensity in zip(order, rates, looks, propensities, strict=True)
        ]
        self.examination.begin(
            listed(name, *slots), [self.model.expected_clicks(one) for one in slots], [0.0] * N, 0
        )
        clicked = eyes(luck, self.rates[order])
        self.shown[order] += 1
        self.clicked[order] += clicked
        for place, hit in enumerate(clicked):
            self.examination.settle(name, place, CLICKED if hit else LEFT)
        for place, hit in enumerate(clicked):
            looked = self.examination.looked(name, place)
            self.model.learn(slots[place], 0, bool(hit), looked)
        self.examination.close()

    def believed(self) -> Floats:
        arms = np.arange(ITEMS, dtype=np.int32)
        return self.model.score(arms, np.zeros(ITEMS, int), np.array([slot(0).features] * ITEMS))[0]


@pytest.mark.parametrize("eyes", [by_position, from_the_top])
def test_low_places_are_not_taken_for_bad_items(eyes: Eyes) -> None:
    """The best items of the shop stand lowest. By clicks a show their order is half lost; with
    places learnt at the same time it is found, within the items that were shown."""
    shop = Shop(eyes, seed=1)
    met = shop.shown > 300
    naive = spearmanr(shop.clicked[met] / shop.shown[met], shop.rates[met]).statistic
    ours = spearmanr(shop.believed()[met], shop.rates[met]).statistic

    assert met.sum() >= 10
    assert ours > 0.8
    assert ours > naive + 0.2
