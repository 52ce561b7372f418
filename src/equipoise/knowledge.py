"""What the service knows: all folds together. Delete it, replay the log: the same bytes again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from equipoise.codec import decode
from equipoise.exploration import Balance, BalanceState, GaussianBelief, Move, RateBelief
from equipoise.feedback.attribution import Attribution, Verdict
from equipoise.ranking.examination import Examination
from equipoise.ranking.features import PRIOR_MEAN, PRIOR_PRECISION
from equipoise.ranking.model import RewardModel
from equipoise.ranking.value import Worth
from equipoise.settings import Placement, Settings
from equipoise.state import Catalogue, Counts, Shoppers, Tallies
from equipoise.types import Arrays, Decision, Kind, Stored

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
        )
        self.tallies = Tallies()
        self.model = _reward_model(settings)
        self.examination = Examination()
        self.balances: dict[str, BalanceState] = {}
        self.moves: dict[str, list[Move]] = {}

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
        self.counts.apply(seq, arrived, kind, noun)
        self.tallies.apply(seq, arrived, kind, noun)
        for verdict in self.attribution.settle(seq, arrived, kind, noun):
            self._learn(verdict)
        if kind is Kind.DECISION:
            self._pace(noun)
        self.seq = seq

    def _learn(self, verdict: Verdict) -> None:
        slot, reward, placement = verdict.slot, verdict.reward, verdict.placement
        if reward.first:
            clicks = float(reward.outcome != "none")
            self.examination.learn(placement, reward.slot, clicks, self.model.expected_clicks(slot))
        self.model.learn(slot, self.group(slot.position), reward)
        self.tallies.reward(placement, slot, reward)

    def _pace(self, decision: Decision) -> None:
        """Let the placement's balance see what this decision spent."""
        placement = decision.query.placement
        balance = self.balance(placement)
        state, move = balance.update(
            self.balance_state(placement),
            cost=decision.cost,
            expected=decision.expected,
            ts=decision.ts,
        )
        self.balances[placement] = state
        if move is not None:
            kept = self.moves.setdefault(placement, [])
            kept.append(move)
            del kept[:-MOVES_KEPT]

    def group(self, position: int) -> int:
        """The group that an item's rate starts from: its category."""
        return int(self.catalogue.category[position])

    def balance(self, placement: str) -> Balance:
        """The balance of a placement; of one that the settings no longer name, the default's."""
        chosen: Placement | None = self.settings.placements.get(placement)
        exploration = self.settings.exploration
        return Balance(
            target=chosen.budget if chosen else 0.0,
            half_life=exploration.half_life,
            step=exploration.step,
            level_max=exploration.level_max,
            start=exploration.level_start,
        )

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
            "tallies": self.tallies.dump(),
            "model": self.model.arrays(),
            "examination": self.examination.arrays(),
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
        self.tallies.load(tables["tallies"])
        self.model.load(tables["model"])
        self.examination.load(tables["examination"])
        paces = msgspec.json.decode(tables["balances"]["json"].tobytes(), type=_Paces)
        self.balances, self.moves = paces.balances, paces.moves
        self.seq = int(tables["balances"]["seq"][0])


class _Paces(msgspec.Struct):
    balances: dict[str, BalanceState]
    moves: dict[str, list[Move]]


def _reward_model(settings: Settings) -> RewardModel:
    ranking = settings.ranking
    mean, variance = _worth_of_a_click(settings)
    clicks = RateBelief(
        prior_mean=ranking.click_rate,
        # A click is a count: its variance is its mean.
        prior_variance=ranking.click_rate,
        arm_strength=ranking.item_looks,
        group_strength=ranking.category_looks,
        overall_strength=ranking.overall_looks,
    )
    worth = RateBelief(
        prior_mean=mean,
        prior_variance=variance,
        arm_strength=ranking.item_clicks,
        group_strength=ranking.category_clicks,
        overall_strength=ranking.overall_clicks,
    )
    lift = GaussianBelief(len(PRIOR_MEAN), prior_mean=PRIOR_MEAN, prior_precision=PRIOR_PRECISION)
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
