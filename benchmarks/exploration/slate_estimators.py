"""How good are the slate estimators, where their assumption holds and where it does not?

``python -m benchmarks exploration slate_estimators [--logs 400] [--rows 4000]``

*Environment*: first the slates of the data set ``ope-reference`` (EQUIPOISE_DATA_SETS names the
folder of its archive), with the estimates that Open Bandit Pipeline 0.5.7 gave for just these
arrays. Then the world *near* of ``coverage``: slates of 3 from 12 items, written by Thompson with a
floor, asked about Plackett–Luce, one slate a shopper. Its clicks are replaced in three ways.
*own*: a slot's chance is its item's and its place's. *cascade*: the better the items before, the
fewer look further. *whole*: slates of many kinds are clicked more, in every slot.

*Settings*: cascade-DR's model is the beliefs' means by place, without any of that; the weights of
the pseudo-inverse are exact, from all 1,320 slates. IIPS has exact marginal chances.

*Score*: the largest difference from the reference, 1e-6 asked; then bias, spread and root mean
square error over ``--logs`` logs, in percent of the truth, and how often Hall's 95 % interval held
it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.exploration.coverage import CONTEXTS, ITEMS, SLOTS, Log, World, world
from equipoise.evaluation.intervals import hall
from equipoise.evaluation.off_policy import slates
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.types import Floats

BESIDE = Path(__file__).parents[3] / "shared" / "data"
TOLERANCE = 1e-6
KINDS = 3
"""Kinds of items in *whole*."""


# ---------------------------------------------------------------- against the reference


class Row(NamedTuple):
    """An estimate beside the reference's."""

    case: str
    name: str
    ours: float
    theirs: float


def reference_rows(folder: Path) -> Iterator[Row]:
    """Every slate estimate of the set that its arrays allow."""
    stated = json.loads((folder / "slate.json").read_text())
    with np.load(folder / "slate.npz") as stored:
        for case in ("independent", "cascade_additive"):
            arrays = {
                name.removeprefix(f"{case}_"): stored[name].astype(float)
                for name in stored.files
                if name.startswith(case)
            }
            for name, terms in _of_arrays(arrays).items():
                yield Row(case, name, float(terms.mean()), stated[case]["estimates"][name])


def _of_arrays(arrays: dict[str, Floats]) -> dict[str, Floats]:
    reward = arrays["reward"]
    slots = [_conditional(arrays[f"{side}pscore_cascade"]) for side in ("", "target_")]
    own = [arrays[f"{side}pscore_item_position"] for side in ("", "target_")]
    found = {
        "sips": slates.sips(reward, *slots),
        "snsips": slates.sips(reward, *slots, normalise=True),
        "iips": slates.iips(reward, *own),
        "sniips": slates.iips(reward, *own, normalise=True),
        "rips": slates.rips(reward, *slots),
        "snrips": slates.rips(reward, *slots, normalise=True),
    }
    if "q_hat" in arrays:
        q, action = arrays["q_hat"], arrays["action"].astype(int)
        shown = np.take_along_axis(q, action[:, :, None], axis=2)[:, :, 0]
        planned = (q * arrays["target_action_dist"]).sum(axis=2)
        found["cascade-dr"] = slates.cascade_dr(reward, *slots, shown, planned)
    return found


def _conditional(products: Floats) -> Floats:
    """Probabilities of prefixes, as the set has them → of each slot given those before."""
    return np.hstack((products[:, :1], products[:, 1:] / products[:, :-1]))


# ---------------------------------------------------------------- against the truth


@dataclass(frozen=True)
class Tables:
    """What the estimators need of a world, for all its slates: (CONTEXTS, S, …)."""

    world: World

    @cached_property
    def own(self) -> tuple[Floats, Floats]:
        """Marginal chances (CONTEXTS, S, SLOTS) of logger and target."""
        logged, target = (self._marginals(side) for side in (self.world.logged, self.world.target))
        at = np.arange(SLOTS)
        return logged[:, at, self.world.slates], target[:, at, self.world.slates]

    @cached_property
    def inverse(self) -> Floats:
        """(CONTEXTS, S) weights of the pseudo-inverse."""
        wanted, numbers = self._marginals(self.world.target), self.world.slates
        return np.array(
            [
                slates.pseudo_inverse_weights(
                    slates.pair_chances(numbers, ITEMS, chance), wanted[context], numbers
                )
                for context, chance in enumerate(self.world.logged.prod(axis=2))
            ]
        )

    @cached_property
    def model(self) -> tuple[Floats, Floats]:
        """(predicted, planned) (CONTEXTS, S, SLOTS): what a slot and those after it will earn."""
        # Permutations come in rising order, so slot k is axis k + 1, and what follows it the rest.
        shape = (CONTEXTS, *(ITEMS - slot for slot in range(SLOTS)), SLOTS)
        predicted = self.world.believed.reshape(shape).copy()
        planned, target = np.empty(shape), self.world.target.reshape(shape)
        for slot in reversed(range(SLOTS)):
            if slot < SLOTS - 1:
                predicted[..., slot] += planned[..., slot + 1]
            mean = (target[..., slot] * predicted[..., slot]).sum(axis=slot + 1, keepdims=True)
            planned[..., slot] = mean
        flat = (CONTEXTS, -1, SLOTS)
        return predicted.reshape(flat), planned.reshape(flat)

    def _marginals(self, side: Floats) -> Floats:
        """(CONTEXTS, SLOTS, ITEMS)"""
        return np.array(
            [slates.slot_chances(self.world.slates, ITEMS, one) for one in side.prod(axis=2)]
        )


def worlds() -> dict[str, World]:
    """The three ways in which a slot's clicks depend on the others."""
    near = world("near")
    rate = near.expected
    before = np.cumprod(np.clip(1 - 3 * rate, 0.1, 1), axis=2)
    looking = np.concatenate((np.ones_like(before[..., :1]), before[..., :-1]), axis=2)
    kinds = [len(set(row)) for row in (near.slates % KINDS).tolist()]
    variety = np.array([0.0, 0.6, 1.0, 1.4])[kinds]
    return {
        "own": near,
        "cascade": replace(near, expected=rate * looking),
        "whole": replace(near, expected=rate * variety[:, None]),
    }


def _sides(tables: Tables, log: Log) -> tuple[Floats, Floats]:
    place = tables.world
    return place.logged[log.context, log.slate], place.target[log.context, log.slate]


def _own(tables: Tables, log: Log) -> tuple[Floats, Floats]:
    logged, target = tables.own
    return logged[log.context, log.slate], target[log.context, log.slate]


def _model(tables: Tables, log: Log) -> tuple[Floats, Floats]:
    predicted, planned = tables.model
    return predicted[log.context, log.slate], planned[log.context, log.slate]


def _inverse(tables: Tables, log: Log) -> Floats:
    return tables.inverse[log.context, log.slate]


ESTIMATORS: dict[str, Callable[[Tables, Log], Floats]] = {
    "sips": lambda t, log: slates.sips(log.reward, *_sides(t, log)),
    "snsips": lambda t, log: slates.sips(log.reward, *_sides(t, log), normalise=True),
    "rips": lambda t, log: slates.rips(log.reward, *_sides(t, log)),
    "snrips": lambda t, log: slates.rips(log.reward, *_sides(t, log), normalise=True),
    "cascade-dr": lambda t, log: slates.cascade_dr(
        log.reward, *_sides(t, log), *_model(t, log)
    ),
    "iips": lambda t, log: slates.iips(log.reward, *_own(t, log)),
    "sniips": lambda t, log: slates.iips(log.reward, *_own(t, log), normalise=True),
    "pseudo-inverse": lambda t, log: slates.pseudo_inverse(
        log.reward.sum(axis=1), _inverse(t, log)
    ),
    "iips, conditional": lambda t, log: slates.iips(log.reward, *_sides(t, log)),
}  # fmt: skip
"""The last is what comes of taking the log's conditional propensities for marginal ones."""


class Accuracy(NamedTuple):
    """Over logs, in shares of the truth."""

    bias: float
    spread: float
    covered: float

    def __str__(self) -> str:
        error = math.hypot(self.bias, self.spread)
        figures = (self.bias, self.spread, error, self.covered)
        return "".join(f"{100 * one:>10.2f}" for one in figures)


def accuracy(place: World, rows: int, logs: int) -> dict[str, Accuracy]:
    """Estimator → how it did."""
    tables, truth = Tables(place), place.truth
    values: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    held = dict.fromkeys(ESTIMATORS, 0)
    for seed in range(logs):
        log = place.log(rows, derive(seed, "benchmark slate estimators"), once=True)
        for name, estimator in ESTIMATORS.items():
            terms = estimator(tables, log)
            low, high = hall(terms)
            values[name].append(float(terms.mean()))
            held[name] += low <= truth <= high
    return {
        name: Accuracy(
            bias=float(np.mean(found)) / truth - 1,
            spread=float(np.std(found)) / truth,
            covered=held[name] / logs,
        )
        for name, found in values.items()
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration slate_estimators")
    parser.add_argument("--logs", type=int, default=400)
    parser.add_argument("--rows", type=int, default=4_000, help="slates a log")
    options = parser.parse_args(list(argv))
    rows = list(
        reference_rows(locate("ope-reference", archives=BESIDE if BESIDE.is_dir() else None))
    )
    print(f"{'case':<20}{'estimate':<14}{'ours':>12}{'reference':>12}{'off':>10}")
    for row in rows:
        figures = f"{row.ours:>12.6f}{row.theirs:>12.6f}{abs(row.ours - row.theirs):>10.1e}"
        print(f"{row.case:<20}{row.name:<14}{figures}")
    worst = max(abs(row.ours - row.theirs) for row in rows)
    print(f"\nscore: largest difference {worst:.1e} ({TOLERANCE:.0e} asked)\n")
    print(
        f"{'clicks':<10}{'estimator':<20}{'bias %':>10}{'sd %':>10}{'rmse %':>10}{'covered %':>10}"
    )
    for kind, place in worlds().items():
        for name, found in accuracy(place, options.rows, options.logs).items():
            print(f"{kind:<10}{name:<20}{found}", flush=True)
