"""The walk: what a list may show, what changes it, and that it is drawn as its log says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.types import Consent, Decision, Item, Kind, Line, Query

Open = Callable[..., Any]
ItemOf = Callable[..., Item]

FALSE_ALARM = 1e-6


def ids(decision: Decision) -> list[str]:
    return [slot.item_id for slot in decision.slots]


def shelf(item_id: str) -> int:
    return int(item_id.removeprefix("sku-")) % 6


# ---------------------------------------------------------------- what changes a list


def test_an_untrained_shop_answers_full_lists(front: Any) -> None:
    """A catalogue is enough: every placement, every length, no item twice, exact propensities."""
    for placement, seeds in (("home", ()), ("feed", ()), ("product", ("sku-3",)), ("cart", ())):
        for n in (1, 12, 50):
            decision = front.show("stranger", placement=placement, n=n, item_ids=seeds)

            assert len(set(ids(decision))) == n
            assert all(0 < slot.propensity <= 1 for slot in decision.slots)
            assert decision.fallback_level != "none"
            assert decision.reason == ""


def test_reads_its_own_writes(front: Any) -> None:
    """After one view the matches on its shelf are believed to be better, for this visitor alone."""
    mine, theirs = (Query(placement="home", anonymous_id=who, n=12) for who in ("c-1", "c-2"))
    before = belief(front.engine.recommend(mine))
    front.say("view_item", Line(item_id="sku-4"))
    after, others = (belief(front.engine.recommend(query)) for query in (mine, theirs))
    lift = {position: after[position] / others[position] for position in after}

    assert before == belief_of_all(front)
    assert min(lift[p] for p in lift if p % 6 == 4) > max(lift[p] for p in lift if p % 6 != 4)


def belief_of_all(front: Any) -> dict[int, float]:
    """What is believed where nobody has done anything: every item alike."""
    untouched = Engine.in_memory(clock=front.engine.clock)
    untouched.store([s.record for s in front.engine.log.read(kinds=(Kind.ITEM,))])
    return belief(untouched.recommend(Query(placement="home", anonymous_id="x", n=12)))


def belief(decision: Decision) -> dict[int, float]:
    """Mean reward by position."""
    items = np.frombuffer(decision.items, "<i4").tolist()
    return dict(zip(items, np.frombuffer(decision.mean, "<f4").tolist(), strict=True))


def test_a_click_changes_the_next_lists_inputs(front: Any) -> None:
    """Of the item that was clicked, for everybody; of its shelf, for the one who clicked."""
    decision = front.show(n=6)
    front.see(decision)
    stranger = Query(placement="home", anonymous_id="c-9", n=6)
    before = belief(front.engine.recommend(stranger))
    front.say("select_item", front.line(decision, 2))
    after = belief(front.engine.recommend(stranger))
    clicked = decision.slots[2].position

    assert after[clicked] > before[clicked]


def test_first_views_shift_the_next_list(opened: Open, item_of: ItemOf) -> None:
    """Three views on one shelf of six, and the next list of that visitor holds more of it.

    Of 60 visitors, a list of 12 each, before and after; untrained, by categories alone. Before,
    nothing draws a visitor to that shelf more than to others.
    """
    front = opened(seed=11)
    front.stock(*(item_of(number) for number in range(240)))
    before, after = [], []
    for visitor in range(60):
        who, liked = f"v-{visitor}", visitor % 6
        before.append(share(front.show(who), liked))
        for step in range(3):
            front.say("view_item", Line(item_id=f"sku-{liked + 6 * step}"), who=who)
        after.append(share(front.show(who), liked))

    assert sum(before) / 60 < 1 / 4
    assert sum(after) / 60 > 2 * sum(before) / 60
    assert sum(b < a for b, a in zip(before, after, strict=True)) > 45


def share(decision: Decision, liked: int) -> float:
    return sum(shelf(name) == liked for name in ids(decision)) / len(decision.slots)


def test_a_refusal_is_not_personalised(front: Any) -> None:
    """Whoever says no gets the list of a stranger, whatever they did before."""
    for step in range(3):
        front.say("view_item", Line(item_id=f"sku-{6 * step}"))
    query = Query(placement="home", anonymous_id="c-1", n=60)
    allowed = front.engine.recommend(query)
    front.say("view_item", Line(item_id="sku-1"), consent=Consent(personalization=False))
    refused = front.engine.recommend(query)
    stranger = front.engine.recommend(Query(placement="home", anonymous_id="nobody", n=60))

    assert belief(refused) == belief(stranger)
    assert belief(allowed) != belief(stranger)
    assert {"favourites", "co_viewed"}.isdisjoint(slot.source for slot in refused.slots)
    assert {"favourites"} & {slot.source for slot in allowed.slots}


def test_boosts_lift_what_they_admit(front: Any) -> None:
    """The mean times the factor, exactly; the rest is left alone."""
    boost = {"filter": {"category": "Shelf 2"}, "factor": 3.0}
    query = {"placement": "home", "anonymous_id": "x", "n": 12}
    plain = belief(front.engine.recommend(Query(**query)))
    boosted = front.engine.recommend(Query(**query, boosts=(boost,)))

    for position, mean in belief(boosted).items():
        factor = 3.0 if position % 6 == 2 else 1.0
        assert mean == pytest.approx(factor * plain[position], rel=1e-6)
    assert share(boosted, 2) > share(front.engine.recommend(Query(**query)), 2)


# ---------------------------------------------------------------- what may be shown


@pytest.mark.parametrize("n", [1, 7, 10])
def test_a_filter_comes_before_the_length(front: Any, n: int) -> None:
    """What admits just n items gives n, out of however many: no list runs short."""
    chosen = [f"sku-{6 * k + 4}" for k in range(n)]
    wanted = front.show(n=n, filter={"item_id": chosen})
    short = front.show(n=n + 1, filter={"item_id": chosen})

    assert sorted(ids(wanted)) == sorted(chosen)
    assert wanted.reason == ""
    assert len(short.slots) == n
    assert f"{n} item" in short.reason


def test_what_may_not_be_shown_is_not(opened: Open, item_of: ItemOf, clock: ManualClock) -> None:
    """Out of stock, hidden, before and after its dates, excluded, the seed: never."""
    front, now = opened(), clock()
    front.stock(
        *(item_of(number) for number in range(10)),
        item_of(10, stock=0.0),
        item_of(11, hidden=True),
        item_of(12, available_from=now + 1),
        item_of(13, available_until=now),
    )
    forbidden = {"sku-10", "sku-11", "sku-12", "sku-13", "sku-0", "sku-1"}
    for _ in range(20):
        shown = front.show(n=14, item_ids=("sku-0",), exclude_item_ids=("sku-1", "unknown"))

        assert len(shown.slots) == 8
        assert forbidden.isdisjoint(ids(shown))
    front.stock(item_of(10, stock=3.0))
    clock.advance(ms=1)

    assert {"sku-10", "sku-12"} <= set(ids(front.show(n=14)))


def test_bought_items_stay_away_where_the_placement_says_so(opened: Open, item_of: ItemOf) -> None:
    """For who bought, not for others."""
    front = opened(placements={"home": {"exclude_bought": True}})
    front.stock(*(item_of(number) for number in range(8)))
    front.say("purchase", Line(item_id="sku-5"), transaction_id="o-1")

    assert "sku-5" not in ids(front.show(n=8))
    assert "sku-5" in ids(front.show("c-2", n=8))


@pytest.mark.parametrize("most", [1, 2])
def test_variants_of_one_product_do_not_crowd_a_list(
    opened: Open, item_of: ItemOf, most: int
) -> None:
    """At most so many of a group; what belongs to none is not counted. A short list says why."""
    front = opened(placements={"home": {"max_per_group": most}})
    grouped = [item_of(number, group_id=f"g-{number // 5}") for number in range(20)]
    front.stock(*grouped, item_of(20), item_of(21))
    for _ in range(20):
        shown = front.show(n=22)
        per_group = Counter(int(name[4:]) // 5 for name in ids(shown) if int(name[4:]) < 20)

        assert max(per_group.values()) == most
        assert len(shown.slots) == 4 * most + 2
        assert "rules closed the rest" in shown.reason


def test_an_unknown_placement_names_the_known(front: Any) -> None:
    """With a code for programs and the field it stands in."""

    with pytest.raises(InvalidInput, match=r"'attic' is no placement.*cart, feed, home") as caught:
        front.show(placement="attic")
    assert (caught.value.code, caught.value.pointer) == ("unknown_placement", "/placement")


def test_a_filter_that_cannot_be_names_the_field(front: Any) -> None:
    """In a filter, and in the filter of a boost."""

    with pytest.raises(InvalidInput, match="colour"):
        front.show(filter={"colour": "red"})
    with pytest.raises(InvalidInput, match="colour"):
        front.show(boosts=({"filter": {"colour": "red"}, "factor": 2.0},))


def test_level_zero_shows_the_best(opened: Open, item_of: ItemOf) -> None:
    """Nothing is explored and nothing is spent; ties are drawn evenly, so p may be below one."""
    front = opened(placements={"home": {"fixed_level": 0.0}})
    front.stock(*(item_of(number) for number in range(30)))
    front.say("view_item", Line(item_id="sku-2"))
    decision = front.show(n=12)
    means = [slot.mean for slot in decision.slots]

    assert not any(slot.explored for slot in decision.slots)
    assert decision.cost == pytest.approx(0.0, abs=1e-12)
    assert means == sorted(means, reverse=True)


# ---------------------------------------------------------------- drawn as logged


def taught(opened: Open, clock: ManualClock, policy: str) -> Engine:
    """Six items on two shelves that have earned differently, so that beliefs differ."""
    table = {"sources": ["trending", "new", "anything"], "policy": policy, "fixed_level": 1.0}
    front = opened(placements={"home": table})
    front.stock(*(Item(item_id=f"i{k}", categories=(f"c{k % 2}",)) for k in range(6)))
    for step in range(60):
        decision = front.show(f"v{step}", n=4)
        front.see(decision, f"v{step}")
        for place, slot in enumerate(decision.slots):
            if (step * 7 + slot.position * 5) % 13 < slot.position:
                front.say("select_item", front.line(decision, place), who=f"v{step}")
        clock.advance(seconds=2_000)
        front.tick()
    engine: Engine = front.engine
    return engine


@pytest.mark.parametrize(
    ("policy", "lists"),
    [("thompson", 20_000), ("plackett_luce", 4_000), ("epsilon_greedy", 4_000)],
)
def test_drawn_as_often_as_logged(
    opened: Open, clock: ManualClock, policy: str, lists: int
) -> None:
    """Over 100,000 slots the frequencies agree with the logged propensities (χ², fixed seed).

    Nothing is learnt meanwhile, so an item has the same propensity whenever the slots before it are
    the same, to the last bit; and by that propensity it must be drawn.
    """
    engine = taught(opened, clock, policy)
    query = Query(placement="home", anonymous_id="x", n=5)
    drawn: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    logged: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for _ in range(lists):
        slots = engine.recommend(query).slots
        for place, slot in enumerate(slots):
            before = tuple(one.item_id for one in slots[:place])
            drawn[before][slot.item_id] += 1

            assert logged[before].setdefault(slot.item_id, slot.propensity) == slot.propensity

    assert sum(counts.total() for counts in drawn.values()) == 5 * lists
    assert sum(logged[()].values()) == pytest.approx(1.0, abs=1e-9)
    # All places together for their number, the first alone for its power.
    for places in (drawn, {(): drawn[()]}):
        statistic, freedom = chi_square(places, logged)

        assert freedom >= 5
        assert chi2.sf(statistic, freedom) > FALSE_ALARM


def chi_square(
    drawn: dict[tuple[str, ...], Counter[str]], logged: dict[tuple[str, ...], dict[str, float]]
) -> tuple[float, int]:
    """Pearson's, over every place a slate can be at; cells that expect too few are put together."""
    statistic, freedom = 0.0, 0
    for before, counts in drawn.items():
        total, p = counts.total(), logged[before]
        unseen = (max(total * (1.0 - sum(p.values())), 0.0), 0)
        cells = sorted([unseen, *((total * p[name], counts[name]) for name in p)])
        while len(cells) > 1 and cells[0][0] < 5:
            (few, seen), (more, also), *others = cells
            cells = sorted([(few + more, seen + also), *others])
        statistic += sum((seen - wanted) ** 2 / wanted for wanted, seen in cells)
        freedom += len(cells) - 1
    return statistic, freedom
