"""The walk: query → candidates → scores → probabilities → slate → decision. There is no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from equipoise.candidates.eligibility import FilterCache, eligible
from equipoise.candidates.pool import Pool, merge
from equipoise.candidates.sources import (
    Anything,
    CoViewed,
    Favourites,
    New,
    Recommended,
    Similar,
    Trending,
)
from equipoise.clock import Clock
from equipoise.errors import InvalidInput
from equipoise.exploration import Gittins, Greedy, policy_from
from equipoise.exploration.ahead import Outlook
from equipoise.exploration.coin import WEIGHT, Toss
from equipoise.interfaces import Source
from equipoise.knowledge import Knowledge
from equipoise.plans import led, restrained
from equipoise.randomness import derive
from equipoise.ranking.features import compute
from equipoise.recommenders import Recommender
from equipoise.settings import Placement, Settings
from equipoise.slates.draw import draw
from equipoise.slates.fallback import level_of, reason_for
from equipoise.slates.rules import Rules
from equipoise.types import (
    Bools,
    Decision,
    Draw,
    Floats,
    PolicyUsed,
    Query,
    Scored,
    Shopper,
    Slot,
)

NEVER_SHOWN = np.iinfo(np.int32).max
"""The position of an item that has no record and never will."""
PROPOSALS = 200
"""Candidates that one source may propose."""


class Walk:
    """From a query to a decision, over what is known now. Computes; changes nothing."""

    def __init__(
        self,
        knowledge: Knowledge,
        settings: Settings,
        *,
        seed: int,
        clock: Clock,
        new_id: Callable[[int], str],
    ) -> None:
        self.knowledge = knowledge
        self.settings = settings
        self.snapshot_id = ""
        self._seed = seed
        self._clock = clock
        self._new_id = new_id
        self._filters = FilterCache()
        self._learnt: dict[str, Recommended] = {}
        self._sources: dict[str, Source] = self._online_sources()

    def recommend(self, query: Query) -> Decision:
        """A list for a placement: decided, not yet stored, nothing changed.

        Raises:
            InvalidInput: the placement is unknown, or the filter cannot be.
        """
        now = self._clock()
        placement = self._placement(query.placement)
        shopper, allowed, pool = self._pooled(query, placement, now)
        plan = self.knowledge.plan(query, shopper.key, now)
        baseline = self._sources.get(placement.baseline)
        pool, marks = led(plan, pool, baseline, query, shopper, allowed)
        features = compute(pool, shopper, self.knowledge.catalogue, now)
        groups = self.knowledge.catalogue.category[pool.items]
        rate, scored = self.knowledge.model.score(pool.items, groups, features)
        boosted = self._boosted(query, scored)
        believed = restrained(plan, boosted, self._filters, self.knowledge.catalogue)
        scored = self._balanced(query.placement, believed)
        rules = Rules.of(
            n=len(scored),
            groups=self.knowledge.catalogue.group[pool.items],
            max_per_group=placement.max_per_group,
        )
        decision_id = self._new_id(now)
        look = self.knowledge.examination.look(query.placement, query.n)
        policy = self._policy(query.placement, placement, plan.level, look)
        drawn, marks = self._draw(decision_id, scored, rules, policy, marks, look)
        slots = self._slots(drawn, believed, pool, rate, features, look)
        besides, prices = 0.0, {}
        if scored is not believed:
            besides = self._besides(decision_id, scored, believed, rules, look)
            prices = self.knowledge.constraints.prices(query.placement)
        return Decision(
            decision_id=decision_id,
            ts=now,
            query=query,
            shopper=shopper.key,
            policy=policy,
            slots=slots,
            fallback_level=level_of(slot.source for slot in slots),
            reason=reason_for(len(slots), query.n, int(allowed.sum()), len(scored)),
            expected=drawn.expected - besides,
            cost=drawn.cost,
            snapshot=self.snapshot_id,
            seq=self.knowledge.seq,
            items=scored.items.astype("<i4").tobytes(),
            mean=scored.mean.astype("<f4").tobytes(),
            variance=scored.variance.astype("<f4").tobytes(),
            noise=b"" if scored.noise is None else scored.noise.astype("<f4").tobytes(),
            groups=rules.groups.astype("<i4").tobytes(),
            max_per_group=rules.max_per_group,
            pins=rules.pins,
            coin=marks,
            prices=prices,
            besides=besides,
        )

    def outlook(self, name: str) -> Outlook:
        """What is known of a placement now, by what a stranger would be shown: to look ahead from.

        Raises:
            InvalidInput: the placement is unknown; or it has served no list yet, or has nothing to
                show, and there is nothing to go by.
        """
        placement, now, known = self._placement(name), self._clock(), self.knowledge
        shopper, _, pool = self._pooled(Query(placement=name), placement, now)
        lists = known.tempo.lists_per_day(name)
        if not lists or not len(pool):
            raise InvalidInput(
                f"placement {name} has served {'no list yet' if not lists else 'lists'} and has "
                f"{len(pool)} items to show; looking ahead needs both",
                code="nothing_to_go_by",
                pointer="/placement",
            )
        features = compute(pool, shopper, known.catalogue, now)
        groups = known.catalogue.category[pool.items]
        stranger = np.append(pool.items, NEVER_SHOWN).astype(np.int32)
        _, scored = known.model.score(
            stranger, np.append(groups, -1), np.vstack([features, features.mean(axis=0)])
        )
        noise = scored.variance if scored.noise is None else scored.noise
        balance = known.balance(name)
        return Outlook(
            mean=scored.mean[:-1],
            variance=scored.variance[:-1],
            noise=noise[:-1],
            look=known.examination.look(name, placement.n),
            newcomer=(float(scored.mean[-1]), float(scored.variance[-1]), float(noise[-1])),
            lists_per_day=lists,
            days=self.settings.exploration.planning_days,
            turnover=known.tempo.turnover,
            outdating=known.clicks.outdating,
            step=balance.step,
            level_max=balance.level_max,
            level_start=balance.start,
        )

    def _pooled(self, query: Query, placement: Placement, now: int) -> tuple[Shopper, Bools, Pool]:
        """Who asks, what may be shown, and what of it will be scored."""
        shopper = self.knowledge.shoppers.view(query, self.knowledge.catalogue)
        allowed = eligible(
            query,
            shopper,
            self.knowledge.catalogue,
            now,
            exclude_bought=placement.exclude_bought,
            cache=self._filters,
        )
        # What was not trained yet has nothing to propose.
        asked = [name for name in placement.sources if name in self._sources]
        proposed = [
            self._sources[name].propose(query, shopper, allowed, PROPOSALS) for name in asked
        ]
        shares = self.knowledge.sources.shares(query.placement, asked)
        return shopper, allowed, merge(proposed, placement.pool, shares)

    def replay(self, stored: Decision) -> Decision:
        """The decision computed again from what it stored alone: equal, bit for bit."""
        scored, rules = considered(stored)
        # Slots that stayed empty then have no look on record, and none now.
        look = np.zeros(stored.query.n)
        look[: len(stored.slots)] = [slot.look for slot in stored.slots]
        drawn, _ = self._draw(stored.decision_id, scored, rules, stored.policy, stored.coin, look)
        return msgspec.structs.replace(
            stored,
            slots=tuple(
                msgspec.structs.replace(
                    slot,
                    item_id=self.knowledge.catalogue.ids[scored.items[index]],
                    position=int(scored.items[index]),
                    propensity=float(drawn.propensity[place]),
                    explored=bool(drawn.explored[place]),
                    pinned=bool(drawn.pinned[place]),
                    # What balances add to it is no part of what is believed of an item.
                    mean=slot.mean if stored.prices else float(scored.mean[index]),
                    variance=float(scored.variance[index]),
                )
                for place, (index, slot) in enumerate(zip(drawn.chosen, stored.slots, strict=True))
            ),
            expected=drawn.expected - stored.besides,
            cost=drawn.cost,
        )

    def _draw(
        self,
        decision_id: str,
        scored: Scored,
        rules: Rules,
        policy: PolicyUsed,
        marks: dict[str, float],
        look: Floats,
    ) -> tuple[Draw, dict[str, float]]:
        """The one place where a slate comes to be; live and replay meet here."""
        drawn, weight = Toss.of(policy_from(policy.name, policy.parameters), marks).draw(
            scored,
            rules,
            len(look),
            policy.level,
            look,
            derive(self._seed, "slate", decision_id),
        )
        return drawn, marks if weight is None else marks | {WEIGHT: weight}

    def _slots(
        self, drawn: Draw, scored: Scored, pool: Pool, rate: Any, features: Any, look: Floats
    ) -> tuple[Slot, ...]:
        ids = self.knowledge.catalogue.ids
        return tuple(
            Slot(
                item_id=ids[scored.items[index]],
                position=int(scored.items[index]),
                propensity=float(drawn.propensity[place]),
                explored=bool(drawn.explored[place]),
                pinned=bool(drawn.pinned[place]),
                source=pool.source(index),
                mean=float(scored.mean[index]),
                variance=float(scored.variance[index]),
                look=float(look[place]),
                rate=float(rate[index]),
                features=tuple(features[index].tolist()),
            )
            for place, index in enumerate(drawn.chosen.tolist())
        )

    def _boosted(self, query: Query, scored: Scored) -> Scored:
        """Boosts multiply the mean (and its spread); rounded to what the decision stores."""
        factor = np.ones(len(scored))
        for boost in query.boosts:
            admitted = self._filters.mask(boost.get("filter", {}), self.knowledge.catalogue)
            factor[admitted[scored.items]] *= float(boost.get("factor", 1.0))
        return Scored(
            items=scored.items,
            mean=_rounded(scored.mean * factor),
            variance=_rounded(scored.variance * factor**2),
            noise=None if scored.noise is None else _rounded(scored.noise * factor**2),
        )

    def _balanced(self, placement: str, believed: Scored) -> Scored:
        """What the placement's other balances want more of is worth more to its policy."""
        added = self.knowledge.constraints.added(placement, believed.items, believed.mean)
        if added is None:
            return believed
        return replace(believed, mean=_rounded(believed.mean + added))

    def _besides(
        self, decision_id: str, scored: Scored, believed: Scored, rules: Rules, look: Floats
    ) -> float:
        """What of the greedy list's worth is no reward."""
        luck = derive(self._seed, "greedy", decision_id)
        best = draw(Greedy(), scored, rules, len(look), 0.0, look, luck).chosen
        return float(look[: len(best)] @ (scored.mean - believed.mean)[best])

    def _placement(self, name: str) -> Placement:
        placement = self.settings.placements.get(name)
        if placement is None:
            raise InvalidInput(
                f"{name!r} is no placement of this shop; "
                f"its placements are {', '.join(sorted(self.settings.placements))}",
                code="unknown_placement",
                pointer="/placement",
            )
        return placement

    def _policy(self, name: str, placement: Placement, level: float, look: Floats) -> PolicyUsed:
        parameters = placement.parameters | ({"floor": placement.floor} if placement.floor else {})
        if placement.policy == Gittins.name and "horizon" not in parameters:
            # An answer is used in any of the slots: at the looks that one gets on average.
            parameters["horizon"] = max(self.horizon(name) * float(look.mean()), 1.0)
        policy = policy_from(placement.policy, parameters)
        return PolicyUsed(
            name=placement.policy,
            version=getattr(policy, "version", "1"),
            level=level,
            parameters=parameters,
        )

    def level(self, placement: str) -> float:
        """How strongly a placement explores now, for whoever is in no segment."""
        self._placement(placement)
        return self.knowledge.plan(Query(placement=placement), "", self._clock()).level

    def horizon(self, placement: str) -> float:
        """Lists for which what is learnt at a placement now will be of use (``state.tempo``)."""
        days = self.settings.exploration.planning_days
        known = self.knowledge
        return known.tempo.horizon(placement, days, known.clicks.outdating)

    def use(self, snapshot_id: str, recommenders: Sequence[Recommender]) -> None:
        """Serve with these fitted recommenders from the next list on."""
        self._learnt = {
            fitted.name: Recommended(fitted, self.knowledge.catalogue) for fitted in recommenders
        }
        self._sources = self._online_sources() | self._learnt
        self.snapshot_id = snapshot_id

    def _online_sources(self) -> dict[str, Source]:
        catalogue, counts = self.knowledge.catalogue, self.knowledge.counts
        sources: tuple[Source, ...] = (
            Similar(counts, catalogue, self._learnt.get("content"), clock=self._clock),
            CoViewed(counts),
            Favourites(counts, catalogue, clock=self._clock),
            Trending(counts, clock=self._clock),
            New(catalogue),
            Anything(catalogue),
        )
        return {source.name: source for source in sources}


def considered(stored: Decision) -> tuple[Scored, Rules]:
    """What a decision chose from, and under which rules: all that its policy saw."""

    def column(data: bytes) -> Floats:
        return np.frombuffer(data, "<f4").astype(np.float64)

    scored = Scored(
        items=np.frombuffer(stored.items, "<i4"),
        mean=column(stored.mean),
        variance=column(stored.variance),
        noise=column(stored.noise) if stored.noise else None,
    )
    rules = Rules(
        closed=np.zeros(len(scored), bool),
        pins=stored.pins,
        groups=np.frombuffer(stored.groups, "<i4"),
        max_per_group=stored.max_per_group,
    )
    return scored, rules


def _rounded(column: Any) -> Any:
    """To float32 and back: the policy must see just what the decision stores."""
    return column.astype(np.float32).astype(np.float64)
