"""The other balances: margin, sellers, tail and variety, held by prices and logged truly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import chi2

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.errors import SettingsError
from equipoise.exploration import Constraint, Constraints
from equipoise.randomness import derive
from equipoise.ranking.directions import Head, directions
from equipoise.settings import bounds, build
from equipoise.types import Decision, Event, Floats, Item, Kind, Line, Positions, Query

Open = Callable[..., Any]

N, SLOTS, WARM_UP, LISTS = 60, 6, 1_000, 2_200
LOOK = 0.8 ** np.arange(SLOTS)
FALSE_ALARM = 1e-6
ASKED = {"margin": (0.35, False), "tail": (0.75, False), "variety": (0.85, False),
         "sellers.v5": (0.3, False), "sellers.v0": (0.05, True)}  # fmt: skip


def goods(seed: int = 4) -> list[Item]:
    """Sixty items of six sellers in eight categories; margins of 5 to 50 %."""
    rng = derive(seed, "test balances")
    price = np.exp(rng.normal(3.0, 0.5, N))
    cost = price * rng.uniform(0.5, 0.95, N)
    category = rng.integers(0, 8, N)
    return [
        Item(item_id=f"sku-{i}", categories=(f"C{category[i]}",), seller_id=f"v{i % 6}",
             price=float(price[i]), cost=float(cost[i]))
        for i in range(N)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def shelf() -> Engine:
    engine = Engine.in_memory(clock=ManualClock())
    engine.store([engine.item_record(item) for item in goods()])
    return engine


# ---------------------------------------------------------------- in a world that is known


class World:
    """Beliefs that are right: each list's greedy slate of ``mean + added``, and what it gave."""

    def __init__(self, shelf: Engine, name: str) -> None:
        catalogue, head = shelf.knowledge.catalogue, Head()
        self.best = np.exp(0.5 * derive(9, "test balances").normal(size=N))
        head.tell(self.best, np.ones(N, bool))
        self.direction = directions([name], catalogue, head, orders=0.2)[name]
        self.items = np.arange(N, dtype=np.int32)

    def lists(self, seed: int) -> list[Floats]:
        """Some matter more than others, and tastes differ."""
        rng = derive(seed, "test balances")
        return [
            0.02 * self.best * np.exp(rng.normal() + 0.4 * rng.normal(size=N)) for _ in range(LISTS)
        ]

    def run(self, added: Callable[[Floats], Floats], constraints: Constraints | None = None) -> Any:
        """(reward, amount, base) a list after warm-up."""
        rows = []
        for ts, mean in enumerate(self.lists(1)):
            chosen = np.argsort(-(mean + added(mean)), kind="stable")[:SLOTS].astype(np.int32)
            amount, base = self.direction.given(chosen, mean[chosen])
            rows.append((LOOK @ mean[chosen], LOOK @ amount, LOOK @ base))
            if constraints is not None:
                constraints.take("home", chosen, mean[chosen], LOOK, ts)
        return np.array(rows)[WARM_UP:].mean(axis=0)

    def boosted(self, factor: float, sign: float, target: float) -> Any:
        """A fixed factor on whatever gives more (or, for a cap, less) than is asked."""

        def added(mean: Floats) -> Floats:
            order = np.argsort(-mean, kind="stable").astype(np.int32)
            amount, base = self.direction.given(order, mean[order])
            more = np.zeros(N)
            more[order] = sign * (amount - target * base) > 0
            return factor * mean * more

        return self.run(added)


@pytest.mark.parametrize("name", ASKED)
def test_each_is_reached_and_costs_less_than_a_fixed_boost(shelf: Engine, name: str) -> None:
    """Within 10 % of its target after warm-up, at less reward than a constant factor on the same
    items that gives as much, found in hindsight; without help it is missed by far."""
    (target, cap), world = ASKED[name], World(shelf, name)
    constraints = Constraints({"home": {name: (Constraint(name, target, cap), world.direction)}})

    def added(mean: Floats) -> Floats:
        found = constraints.added("home", world.items, mean)
        return np.zeros(N) if found is None else found

    reward, amount, base = world.run(added, constraints)
    free, free_amount, free_base = world.run(np.zeros_like)
    sign, low, high = -1.0 if cap else 1.0, 0.0, 8.0
    for _ in range(8):
        middle = 0.5 * (low + high)
        _, given, of = world.boosted(middle, sign, target)
        low, high = (middle, high) if sign * (given / of - amount / base) < 0 else (low, middle)
    boost = world.boosted(high, sign, target)[0]

    assert amount / base == pytest.approx(target, rel=0.1)
    assert sign * (free_amount / free_base - target) < -0.1 * target
    assert free > reward > boost


# ---------------------------------------------------------------- in a shop that learns


class Visits:
    """Visitors who click by the items' true rates, in a shop that is asked for balances."""

    def __init__(self, seed: int = 1, **balances: Any) -> None:
        home = {"sources": ["anything"], "n": SLOTS, "balances": balances}
        self.clock = ManualClock()
        settings = build({"placements": {"home": home}})
        self.engine = Engine.in_memory(seed=seed, clock=self.clock, settings=settings)
        self.engine.store([self.engine.item_record(item) for item in goods()])
        self.rng = derive(seed, "test balances: visits")
        self.rate = 0.04 * np.exp(0.7 * self.rng.normal(size=N))
        self.lists = 0

    def come(self, visits: int) -> list[Decision]:
        return [self.visit() for _ in range(visits)]

    def visit(self) -> Decision:
        engine, who = self.engine, f"c-{self.lists}"
        self.lists += 1
        shown = engine.recommend(Query(placement="home", anonymous_id=who, n=SLOTS))
        lines = [
            Line(item_id=slot.item_id, token=engine.token(shown, place))
            for place, slot in enumerate(shown.slots)
        ]
        position, look = np.array([(slot.position, slot.look) for slot in shown.slots]).T
        clicked = self.rng.random(SLOTS) < look * self.rate[position.astype(int)]
        said = [("view_item_list", lines)]
        said += [("select_item", [lines[place]]) for place in np.flatnonzero(clicked)]
        engine.store([engine.decision_record(shown)])
        engine.store(
            engine.event_records(
                [
                    Event(event_id=f"{who}-{number}", event=name, ts=self.clock(),
                          anonymous_id=who, items=tuple(items))
                    for number, (name, items) in enumerate(said)
                ]
            )
        )  # fmt: skip
        self.clock.advance(seconds=30)
        return shown


@pytest.fixture(scope="module")
def asked() -> Visits:
    """A seller's third, three quarters of categories: after a thousand visits."""
    visits = Visits(sellers={"v5": ">= 0.33"}, variety=">= 0.75")
    visits.come(1_000)
    return visits


def position_of(decision: Decision) -> Positions:
    return np.array([slot.position for slot in decision.slots])


def test_both_targets_are_held_while_the_shop_learns(asked: Visits) -> None:
    """Within 10 % over the last 700 lists, or over it while its price is 0: then its items are
    thought to be the best anyhow. Merit alone gives that seller a sixth."""
    constraints = asked.engine.knowledge.constraints
    shown = asked.engine.newest_decisions(700)
    look = np.array([slot.look for slot in shown[0].slots])
    theirs = np.array([look @ (position_of(one) % 6 == 5) for one in shown]) / look.sum()
    category = asked.engine.knowledge.catalogue.category
    first = [
        look
        @ np.isin(np.arange(SLOTS), np.unique(category[position_of(one)], return_index=True)[1])
        for one in shown
    ]

    assert theirs.mean() > 0.9 * 0.33
    assert np.mean(first) / look.sum() > 0.9 * 0.75
    for name in ("sellers.v5", "variety"):
        one, state = constraints.of("home")[name], constraints.state("home", name)
        assert one.measured(state) > 0.85 * one.target
        pushed = np.array([one_list.prices.get(name, 0.0) > 0.0 for one_list in reversed(shown)])
        assert one.measured(state) < 1.15 * one.target or not pushed[-100:].any()
    assert constraints.moves("home", "sellers.v5")
    assert constraints.moves("home", "sellers.v5")[0].reason.startswith("seller v5 was")


def test_computed_again_the_lists_are_the_same(asked: Visits) -> None:
    """Bit for bit, from what each stored; most of them were pushed."""
    shown = asked.engine.newest_decisions(300)
    pushed = [one for one in shown if one.prices]

    assert len(pushed) > 250
    for stored in shown:
        assert asked.engine.replay(stored.decision_id) == stored


def test_folded_again_the_balances_are_the_same(asked: Visits, differing: Any) -> None:
    """Replay is live: the same states, moves and head, to the byte; and from a checkpoint."""
    again = Engine.in_memory(settings=asked.engine.settings, clock=asked.clock)
    again.apply(list(asked.engine.log.read()))
    loaded = Engine.in_memory(settings=asked.engine.settings, clock=asked.clock)
    loaded.knowledge.load(again.checkpoint())

    assert differing(again.checkpoint(), asked.engine.checkpoint()) == []
    assert differing(loaded.checkpoint(), again.checkpoint()) == []


def test_what_is_believed_stays_in_units_of_reward(asked: Visits) -> None:
    """A slot's mean is what it would be with nothing asked; what the policy saw is more by the
    prices that the decision names; what was expected is the reward of its greedy list."""
    engine = asked.engine
    free = Engine.in_memory(settings=build({"placements": {"home": {"sources": ["anything"]}}}))
    free.apply(list(engine.log.read()))
    free.walk._clock = asked.clock
    query = Query(placement="home", anonymous_id="c-x", n=SLOTS)
    pushed, plain = engine.recommend(query), free.recommend(query)
    believed = dict(zip(column(plain, "items"), column(plain, "mean"), strict=True))
    saw = dict(zip(column(pushed, "items"), column(pushed, "mean"), strict=True))
    price = pushed.prices["sellers.v5"]
    gain = {item: saw[item] - believed[item] for item in saw}
    theirs = [gain[item] for item in saw if item % 6 == 5]
    rest = [gain[item] for item in saw if item % 6 != 5]
    greedy = sorted(saw, key=lambda item: -saw[item])[:SLOTS]
    look = np.array([slot.look for slot in pushed.slots])

    assert [slot.mean for slot in pushed.slots] == [believed[s.position] for s in pushed.slots]
    assert min(rest) == pytest.approx(0.0, abs=1e-6)
    assert min(theirs) == pytest.approx(price, rel=1e-4)
    assert pushed.expected == pytest.approx(look @ [believed[item] for item in greedy], rel=1e-5)
    assert pushed.expected < look @ [saw[item] for item in greedy]


def column(decision: Decision, name: str) -> list[float]:
    kind = "<i4" if name == "items" else "<f4"
    return [float(value) for value in np.frombuffer(getattr(decision, name), kind)]


def test_lists_are_drawn_as_the_log_says(asked: Visits) -> None:
    """Propensities are true with balances at work: drawn frequencies of the first slot fit them."""
    drawn, chance = Counter(), {}
    home = {"sources": ["anything"], "policy": "plackett_luce", "fixed_level": 1.0, "floor": 0.1,
            "balances": {"sellers": {"v5": ">= 0.33"}, "variety": ">= 0.75"}}  # fmt: skip
    engine = Engine.in_memory(settings=build({"placements": {"home": home}}), clock=asked.clock)
    engine.apply(list(asked.engine.log.read()))
    query = Query(placement="home", anonymous_id="c-x", n=1)
    for _ in range(3_000):
        decision = engine.recommend(query)
        slot = decision.slots[0]
        drawn[slot.position] += 1
        chance[slot.position] = slot.propensity
    often = [item for item, p in chance.items() if 3_000 * p >= 5]
    expected = np.array([3_000 * chance[item] for item in often])
    seen = np.array([drawn[item] for item in often])
    rest = 3_000 - expected.sum()
    statistic = float((((seen - expected) ** 2) / expected).sum())
    statistic += (3_000 - seen.sum() - rest) ** 2 / max(rest, 1.0)

    assert len(often) > 20
    assert decision.prices
    assert statistic < chi2.ppf(1 - FALSE_ALARM, len(often))


def test_what_is_met_anyhow_changes_no_list() -> None:
    """Nothing is pushed, and the lists are those of a shop that asks for nothing."""
    slack, free = Visits(sellers={"v5": "<= 0.95"}, variety=">= 0.05"), Visits()
    ours, theirs = slack.come(60), free.come(60)

    assert slack.engine.knowledge.constraints.prices("home") == {"sellers.v5": 0.0, "variety": 0.0}
    assert [one.slots for one in ours] == [one.slots for one in theirs]
    assert [one.mean for one in ours] == [one.mean for one in theirs]
    assert not any(one.prices for one in ours)


def test_nobody_else_may_say_what_balances_did(front: Any) -> None:
    """What a caller sends under those names is the caller's, and changes nothing."""
    shown = front.show(context={"besides": 1e9, "prices": {"margin": 1.0}, "coin": {"ours": 0.0}})

    assert (shown.besides, shown.prices, shown.coin) == (0.0, {}, {})
    assert front.engine.replay(shown.decision_id) == shown


def test_lists_that_browsers_steer_are_not_counted(asked: Visits) -> None:
    """Nobody fills a seller's quota by asking for its items again and again."""
    knowledge = asked.engine.knowledge
    before = knowledge.constraints.state("home", "sellers.v5")
    query = Query(placement="home", anonymous_id="c-y", n=SLOTS, filter={"seller_id": "v5"},
                  context={"_door": {"browser": True}})  # fmt: skip
    shown = asked.engine.recommend(query)
    twin = Engine.in_memory(settings=asked.engine.settings, clock=asked.clock)
    twin.apply(list(asked.engine.log.read()))
    twin.store([twin.decision_record(shown)])

    assert twin.knowledge.constraints.state("home", "sellers.v5") == before
    assert set(position_of(shown) % 6) == {5}


def test_a_record_keeps_what_balances_did(asked: Visits, nouns: Any) -> None:
    """On the log, with the prices of that time."""
    stored = nouns(asked.engine, Kind.DECISION)[-1]

    assert stored.prices.keys() == {"sellers.v5", "variety"}
    assert msgspec.json.decode(msgspec.json.encode(stored), type=Decision) == stored


# ---------------------------------------------------------------- what may be asked


def test_bounds_are_read() -> None:
    """A floor or a cap on a share; sellers in a table of their own; nothing asked, nothing held."""
    asked = {"margin": ">= 0.25", "sellers": {"a.co": "<=.4"}}

    assert bounds(asked) == {"margin": (0.25, False), "sellers.a.co": (0.4, True)}
    assert bounds({}) == {}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"margin": "0.25"}, 'home.balances.margin is \'0.25\'; bounds are ">= 0.25" or "<= 0.4"'),
        ({"tail": ">= 1.5"}, "home.balances.tail is '>= 1.5'"),
        ({"tail": ">= 0.0"}, "home.balances.tail is '>= 0.0'"),
        ({"tails": ">= 0.5"}, "home.balances.tails: there are margin, tail, variety, sellers.NAME"),
        ({"sellers": ">= 0.5"}, "home.balances.sellers: there are margin"),
    ],
)
def test_bounds_that_cannot_be(asked: dict[str, Any], message: str) -> None:
    """With the place, the value and what would be right."""
    with pytest.raises(SettingsError) as refusal:
        build({"placements": {"home": {"balances": asked}}})

    assert message in str(refusal.value)
