"""What the service knows: all folds together. Delete it, replay the log: the same bytes again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from equipoise.candidates.eligibility import FilterCache
from equipoise.clock import DAY
from equipoise.codec import decode
from equipoise.exploration import (
    ArmBank,
    Balance,
    BalanceState,
    Constraint,
    Constraints,
    Move,
    RateBelief,
)
from equipoise.exploration.steering import Steering
from equipoise.exploration.terms import Plan, Switch
from equipoise.exploration.tuning import LiftBank, SourceShares
from equipoise.feedback.attribution import Attribution, Verdict
from equipoise.feedback.bursts import HOUR, Bursts
from equipoise.feedback.caps import Caps
from equipoise.feedback.credit import Credit
from equipoise.feedback.delay import LATE, Delay, Heard
from equipoise.feedback.demand import Demand
from equipoise.feedback.later import Later
from equipoise.feedback.provenance import is_steered
from equipoise.feedback.views import Views
from equipoise.plans import balance_of, click_rates, looks_of_groups, sentry_of, terms_of
from equipoise.ranking.directions import Head, directions
from equipoise.ranking.examination import CLICKED, LEFT, UNSEEN, Awaited, Examination
from equipoise.ranking.features import PRIOR_MEAN, PRIOR_PRECISION
from equipoise.ranking.model import RewardModel
from equipoise.ranking.value import Worth
from equipoise.settings import (
    Placement,
    Settings,
    attribution_of,
    bounds,
    clickable_ms,
    patience_ms,
    windows_of,
)
from equipoise.state import Catalogue, Counts, Shoppers, Tallies, Tempo
from equipoise.state.segments import Segments
from equipoise.types import Arrays, Decision, Kind, Milliseconds, Query, Stored

FOLDS = 6
"""Counts up when the state of a fold changes its form: a checkpoint of another is read no more."""
MOVES_KEPT = 500
"""Newest moves of a balance that stay in memory, a placement."""


class Knowledge:
    """The folds of one shop, and the order in which a record reaches them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seq = 0
        """The last record that has been folded in."""
        self.catalogue = Catalogue()
        self.shoppers = Shoppers(
            self.catalogue,
            half_life_days=settings.profiles.interest_half_life_days,
            history_length=settings.profiles.history_length,
            personalised_by_default=settings.shop.personalization_default,
        )
        self.counts = Counts(
            self.catalogue, self.shoppers, half_life_days=settings.profiles.trend_half_life_days
        )
        self.worth = Worth(**msgspec.structs.asdict(settings.worth))
        self.attribution = Attribution(
            self.shoppers.identities,
            worth=self.worth.by_outcome(),
            click_window_ms=round(settings.attribution.click_window_s * 1_000),
            purchase_window_ms=round(settings.attribution.purchase_window_s * 1_000),
            rule=settings.attribution.rule,
            placements=windows_of(settings),
        )
        self.credit = _credit(settings, self.shoppers)
        self.demand = _demand(settings, self.shoppers, self.catalogue)
        self.views = _views(settings, self.shoppers)
        self.later = Later()
        self.tallies = Tallies()
        self.tempo = Tempo(self.catalogue)
        self.clicks = click_rates(settings)
        self.model = _reward_model(settings, self.clicks)
        self.sentry = sentry_of(settings, self.clicks.beliefs, self.catalogue)
        self.examination = Examination(
            {name: placement.examination for name, placement in settings.placements.items()}
        )
        self.head = Head()
        self.constraints = _constraints(settings, self.catalogue, self.head)
        self.sources = SourceShares()
        self.delay = _delay(settings)
        self._patience = patience_ms(settings)
        self.balances: dict[str, BalanceState] = {}
        self.moves: dict[str, list[Move]] = {}
        self.segments = Segments()
        clickable = clickable_ms(settings)
        self.steering = Steering(terms_of(settings), window_ms=clickable, tell=self._told)
        self._filters = FilterCache()

    def apply(self, stored: Iterable[Stored]) -> None:
        """Fold records in, in order of seq; what was folded in before is passed over."""
        for one in stored:
            if one.seq > self.seq:
                record = one.record
                noun = decode(record.kind, record.key, record.body)
                self._fold(one.seq, record.arrived, record.kind, noun)

    def _fold(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        # The catalogue first: all others speak in its positions. Attribution before the profile
        # would not know the link that this very event makes, so it comes after.
        self.catalogue.apply(seq, arrived, kind, noun)
        self.shoppers.apply(seq, arrived, kind, noun)
        self.segments.apply(seq, arrived, kind, noun)
        self.counts.apply(seq, arrived, kind, self.demand.heard(arrived, kind, noun))
        self.tallies.apply(seq, arrived, kind, noun)
        self.views.apply(seq, arrived, kind, noun)
        before = self.tempo.last
        self.tempo.apply(seq, arrived, kind, noun)
        if before:
            self.clicks.advance((self.tempo.last - before) / DAY)
        for heard in self.delay.until(arrived):
            self._earn(heard)
        for slot, looked in self.later.until(arrived):
            self.model.match(slot, True, looked)
        self.steering.mature(arrived)
        if kind is Kind.CONTROL:
            self.steering.switch(msgspec.convert(noun, Switch), arrived)
        verdicts = self.attribution.settle(seq, arrived, kind, noun)
        admitted = self.credit.admit(arrived, kind, noun, verdicts)
        # All of a record's verdicts are known before any is learnt: what was clicked tells how far
        # down a list was read.
        self._show(arrived)
        self._settle(arrived, admitted)
        for verdict in admitted:
            self._learn(arrived, verdict)
        self.examination.close()
        if kind is Kind.DECISION:
            self._begin(arrived, noun)
            self._steer(arrived, noun)
            # What somebody boosted for themselves says nothing of what exploring costs the shop.
            if not is_steered(noun.query):
                self._pace(noun)
                self._hold(arrived, noun)
        self.seq = seq

    def _begin(self, arrived: int, decision: Decision) -> None:
        """The slots of a list are under way."""
        clicks = [self.model.expected_clicks(slot) for slot in decision.slots]
        looks = [self.model.looks_of(slot) for slot in decision.slots]
        self.examination.begin(decision, clicks, looks, arrived)
        for slot, under_way in zip(decision.slots, looks, strict=True):
            self.model.await_looks(slot.position, under_way)

    def _show(self, arrived: int) -> None:
        """What came into view counts, as far as its click would have come in time."""
        for shown in self.attribution.shown:
            if not self.views.counts(shown.slot.position, shown.origin):
                continue
            share = self.views.share(shown.placement)
            moved = self.examination.view(shown.decision_id, shown.place, share, arrived)
            if moved is not None:
                self.model.await_looks(moved.arm, -moved.looks)
                self.model.view(moved.arm, self.group(moved.arm), moved.looks)

    def _settle(self, arrived: int, admitted: list[Verdict]) -> None:
        """They are so no longer: clicked, left, never seen, or withheld for good."""
        examination = self.examination
        over: list[Awaited | None] = []
        for placement, reward in ((one.placement, one.reward) for one in admitted):
            if reward.first:
                state = LEFT if reward.outcome == "none" else CLICKED
                awaited = examination.settle(reward.decision_id, reward.slot, state)
                over.append(awaited)
                if state == CLICKED and awaited is not None and awaited.since:
                    self.views.clicked(placement, reward.ts - awaited.since)
        for dropped in self.attribution.dropped:
            over.append(examination.settle(dropped.decision_id, dropped.place, UNSEEN))
            rest = self.delay.stop((dropped.decision_id, dropped.place)) if dropped.erased else 0.0
            if rest > 0:
                self.model.await_worth(dropped.slot.position, -rest)
        over += examination.expire(arrived - self._patience)
        for awaited in over:
            if awaited is not None:
                self.model.await_looks(awaited.arm, -awaited.looks)
                if awaited.viewed:
                    self.model.view(awaited.arm, self.group(awaited.arm), -awaited.viewed)

    def _learn(self, arrived: int, verdict: Verdict) -> None:
        slot, reward, placement = verdict.slot, verdict.reward, verdict.placement
        key, clicked = (reward.decision_id, reward.slot), reward.outcome != "none"
        if reward.first:
            looked = self.examination.looked(*key)
            expected = slot.look * self.model.expected_clicks(slot)
            self.sentry.see(
                self.group(slot.position),
                clicked=float(clicked), looks=slot.look, expected=expected, ts=arrived,
            )  # fmt: skip
            self.model.learn(slot, self.group(slot.position), clicked, looked)
            if clicked:
                self.later.put(reward.ts + self._click_ms(placement), slot, looked)
            else:
                self.model.match(slot, False, looked)
            alone = slot.rate * (slot.look if looked is None else looked)
            self.sources.learn(placement, slot.source, clicked, alone)
        if clicked and reward.first:
            self.delay.click(key, placement, slot.position, reward.outcome, reward.worth, arrived)
            self.model.await_worth(slot.position, 1.0)
        elif clicked:
            heard = self.delay.earn(key, slot.position, reward.outcome, reward.worth)
            if heard is not None:
                self._earn(heard)
        self.tallies.reward(placement, slot, reward)
        self.steering.earned(placement, reward.decision_id, reward.worth)

    def _click_ms(self, placement: str) -> int:
        return round(1_000 * attribution_of(self.settings, placement).click_window_s)

    def _earn(self, heard: Heard) -> None:
        """So much more of a click has earned so much more."""
        arm, clicks, worth = heard
        self.model.earn(arm, self.group(arm), clicks, worth)
        self.model.await_worth(arm, -clicks)

    def _pace(self, decision: Decision) -> None:
        """Let the placement's balance see what this decision spent."""
        placement = decision.query.placement
        balance = self.balance(placement)
        if not decision.policy.level and balance.target:
            # Where a limit let nothing be explored, spending nothing is no sign of thrift.
            return
        state, move = balance.update(
            self.balance_state(placement),
            cost=decision.cost,
            expected=decision.expected,
            ts=decision.ts,
        )
        self.balances[placement] = state
        if move is not None:
            self._told(placement, move)

    def _told(self, placement: str, move: Move) -> None:
        kept = self.moves.setdefault(placement, [])
        kept.append(move)
        del kept[:-MOVES_KEPT]

    def _steer(self, arrived: int, decision: Decision) -> None:
        """Let the placement's limits see what this decision spent, and on what."""
        groups = self.steering.shared_groups(decision.query.placement)
        looks = looks_of_groups(groups, decision.slots, self._filters, self.catalogue)
        segments = self.segments.of(decision.query, decision.shopper)
        steered = is_steered(decision.query)
        self.steering.decided(decision, segments, looks, arrived, steered=steered)

    def plan(self, query: Query, shopper: str, ts: Milliseconds) -> Plan:
        """How a list is to be drawn now, all limits of its placement taken together."""
        chosen = self.settings.placements.get(query.placement)
        fixed = chosen.fixed_level if chosen else None
        if fixed is None:
            fixed = self.balance(query.placement).level(self.balance_state(query.placement))
        segments = self.segments.of(query, shopper)
        steered = is_steered(query)
        return self.steering.plan(query.placement, fixed, segments, ts, steered=steered)

    @property
    def withheld(self) -> dict[str, int]:
        """What was said and did not teach, by reason: for metrics and for people."""
        reasons = self.attribution.unearned | self.credit.withheld
        return reasons | {"demand": self.demand.withheld}

    def _hold(self, arrived: int, decision: Decision) -> None:
        """Let the placement's other balances see what this list gives."""
        placement, slots = decision.query.placement, decision.slots
        if not self.constraints.of(placement):
            return
        if self.head.due():
            self.head.tell(self.counts.decayed("impressions", arrived), self.catalogue.listed)
        items = np.array([slot.position for slot in slots], dtype=np.int32)
        reward, look = np.array([(slot.mean, slot.look) for slot in slots]).reshape(-1, 2).T
        self.constraints.take(placement, items, reward, look, decision.ts)

    def group(self, position: int) -> int:
        """The group that an item's rate starts from: its category."""
        return int(self.catalogue.category[position])

    def balance(self, placement: str) -> Balance:
        """The balance of a placement; of one that the settings no longer name, the default's."""
        chosen: Placement | None = self.settings.placements.get(placement)
        if chosen is None:
            return balance_of(self.settings, 0.0)
        return balance_of(self.settings, chosen.budget, chosen.least)

    def balance_state(self, placement: str) -> BalanceState:
        return self.balances.get(placement) or self.balance(placement).init()

    def dump(self) -> dict[str, Arrays]:
        """The whole of it as arrays, a table a fold."""
        paces = msgspec.json.encode({"balances": self.balances, "moves": self.moves})
        return {
            "catalogue": self.catalogue.dump(),
            "shoppers": self.shoppers.dump(),
            "counts": self.counts.dump(),
            "attribution": self.attribution.dump(),
            "credit": self.credit.dump(),
            "demand": self.demand.dump(),
            "views": self.views.dump(),
            "later": self.later.dump(),
            "tallies": self.tallies.dump(),
            "tempo": self.tempo.dump(),
            "model": self.model.arrays(),
            "examination": self.examination.arrays(),
            "delay": self.delay.dump(),
            "constraints": self.constraints.arrays(),
            "head": self.head.arrays(),
            "sources": self.sources.arrays(),
            "segments": self.segments.dump(),
            "steering": self.steering.arrays(),
            "sentry": self.sentry.arrays(),
            "balances": {
                "json": np.frombuffer(paces, dtype=np.uint8),
                "seq": np.array([self.seq], dtype=np.int64),
            },
        }

    def load(self, tables: dict[str, Arrays]) -> None:
        """Become what ``dump`` described."""
        self.catalogue.load(tables["catalogue"])
        self.shoppers.load(tables["shoppers"])
        self.counts.load(tables["counts"])
        self.attribution.load(tables["attribution"])
        self.credit.load(tables["credit"])
        self.demand.load(tables["demand"])
        self.views.load(tables["views"])
        self.later.load(tables["later"])
        self.tallies.load(tables["tallies"])
        self.tempo.load(tables["tempo"])
        self.model.load(tables["model"])
        self.examination.load(tables["examination"])
        self.delay.load(tables["delay"])
        self.constraints.load(tables["constraints"])
        self.head.load(tables["head"])
        self.sources.load(tables["sources"])
        self.segments.load(tables["segments"])
        self.steering.load(tables["steering"])
        self.sentry.load(tables["sentry"])
        paces = msgspec.json.decode(tables["balances"]["json"].tobytes(), type=_Paces)
        self.balances, self.moves = paces.balances, paces.moves
        self.seq = int(tables["balances"]["seq"][0])


class _Paces(msgspec.Struct):
    balances: dict[str, BalanceState]
    moves: dict[str, list[Move]]


def _credit(settings: Settings, shoppers: Shoppers) -> Credit:
    chosen = settings.credit
    return Credit(
        shoppers.identities,
        caps=Caps(
            period_ms=round(chosen.period_days * DAY),
            clicks_per_person=chosen.clicks_per_person,
            looks_per_person=chosen.looks_per_person,
            clicks_per_network=chosen.clicks_per_network,
            looks_per_network=chosen.looks_per_network,
            share=chosen.share,
            kept=chosen.rows_kept,
        ),
        bursts=Bursts(
            clicks=chosen.burst_clicks,
            factor=chosen.burst_factor,
            hold_ms=round(chosen.hold_hours * HOUR),
        ),
        quarantine_ms=round(chosen.quarantine_s * 1_000),
    )


def _constraints(settings: Settings, catalogue: Catalogue, head: Head) -> Constraints:
    orders = settings.ranking.orders_per_click / _worth_of_a_click(settings)[0]
    asked = {}
    for placement, chosen in settings.placements.items():
        wanted = bounds(chosen.balances)
        made = directions(wanted, catalogue, head, orders=orders)
        asked[placement] = {n: (Constraint(d.name, *wanted[n]), d) for n, d in made.items()}
    return Constraints(asked)


def _delay(settings: Settings) -> Delay:
    worth = msgspec.structs.asdict(settings.worth)
    return Delay(
        window_ms=round(settings.attribution.purchase_window_s * 1_000),
        windows={name: one.purchase_ms for name, one in windows_of(settings).items()},
        outcomes=[outcome for outcome in LATE if worth[outcome] > 0],
    )


def _views(settings: Settings, shoppers: Shoppers) -> Views:
    chosen = settings.credit
    caps = Caps(
        period_ms=round(chosen.period_days * DAY),
        clicks_per_person=0,
        looks_per_person=chosen.looks_per_person,
        clicks_per_network=0,
        looks_per_network=chosen.looks_per_network,
        share=chosen.share,
        kept=chosen.rows_kept,
    )
    return Views(
        shoppers.identities,
        caps,
        window_ms=round(settings.attribution.click_window_s * 1_000),
        windows_ms={name: one.click_ms for name, one in windows_of(settings).items()},
    )


def _demand(settings: Settings, shoppers: Shoppers, catalogue: Catalogue) -> Demand:
    chosen = settings.credit
    caps = Caps(
        period_ms=round(chosen.period_days * DAY),
        clicks_per_person=0,
        looks_per_person=chosen.views_per_person,
        clicks_per_network=0,
        looks_per_network=chosen.views_per_network,
        share=chosen.share,
        kept=chosen.rows_kept,
    )
    return Demand(shoppers.identities, catalogue, caps)


def _reward_model(settings: Settings, clicks: ArmBank) -> RewardModel:
    ranking = settings.ranking
    mean, variance = _worth_of_a_click(settings)
    worth = RateBelief(
        prior_mean=mean,
        prior_variance=variance,
        arm_strength=ranking.item_clicks,
        group_strength=ranking.category_clicks,
        overall_strength=ranking.overall_clicks,
    )
    lift = LiftBank(PRIOR_MEAN, PRIOR_PRECISION)
    return RewardModel(clicks, worth, lift, memory_looks=ranking.memory_looks)


def _worth_of_a_click(settings: Settings) -> tuple[float, float]:
    """Mean and variance of what one click earns, from the rates that the settings expect."""
    ranking, worth = settings.ranking, settings.worth
    carts, orders = ranking.carts_per_click, ranking.orders_per_click
    mean = worth.click + carts * worth.add_to_cart + orders * worth.purchase
    variance = (
        carts * (1 - carts) * worth.add_to_cart**2 + orders * (1 - orders) * worth.purchase**2
    )
    # Where only clicks are worth anything nothing varies; a belief needs some spread all the same.
    return mean, max(variance, (0.1 * mean) ** 2, 1e-12)
