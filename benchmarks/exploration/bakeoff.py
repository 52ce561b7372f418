"""Does ``ContextualBandit`` choose better than Vowpal Wabbit, with one setting for all?

``python -m benchmarks exploration bakeoff [--shuffles 3] [--first 300] [--sets NAME …] [--rows N]
[--fresh]``

*Environment*: the protocol of Bietti, Agarwal and Langford, *A Contextual Bandit Bake-off*, JMLR
2021. 15 classification sets (the archive ``bakeoff`` in EQUIPOISE_DATA_SETS or ../shared/data),
each shuffled 3 times and gone through once: context = features, action = class, loss 0 or 1, and
only the loss of the chosen action is seen.

*Which shuffles*: 101 to 110 built the bandit. 0 to 2 were looked at too: a first version missed the
13 wins asked for there (12 against three forms), for which the random features were doubled and the
weighing of levels tuned, on 101 to 110. 200 to 203 compared levels and chose nothing. What is
reported begins at 300 and was run once, after all that was settled: 12 wins against three forms.

*Settings*: ours as ``ContextualBandit(random_state=shuffle)``, in rows below it with one thing
changed. VW from PyPI in an environment of its own, every form at five learning rates; what is shown
of a form is its best rate over all sets, and "by set, in hindsight" the best form and rate of each
set. Two rows stand outside the published protocol: linear forms alone, which see what VW's see, and
VW's best form with all pairs of features.

*Score*: progressive-validation loss L, normalised by set as ``(L − L_oaa) / (1 − 1/K − L_oaa)``
with L_oaa that of VW's ``--oaa`` (full information) at its best rate for the set: 0 is as good as
being told every answer, 1 is as bad as luck. Mean over sets. *wins − losses*: sets whose losses
differ at 5 % by a two-sided z-test of two shares, n the examples of all shuffles. The
interval is a paired bootstrap over sets, 95 %. VW's losses and seconds are kept in the cache, so
that another run is quick. Steps a second are of one core (processor time: others may use the
machine), VW's with the parsing of its text, ours with the first 256 decisions of each set, which
are not compiled.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from scipy.stats import norm

from benchmarks.exploration import vowpal
from equipoise.exploration import ContextualBandit
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.types import Floats

OURS: dict[str, dict[str, Any]] = {
    "default": {},
    "greedy (budget 0)": {"budget": 0},
    "one level, 0.5": {"levels": [0.5]},
    "one level, 1": {"levels": [1.0]},
    "one level, 2": {"levels": [2.0]},
    "linear forms": {"wide": 0},
    "linear forms, greedy": {"wide": 0, "budget": 0},
}
GREEDY = ("greedy (budget 0)", "linear forms, greedy")

CBIFY = "--cbify {k}"
DOUBLY_ROBUST = f"{CBIFY} --cb_force_legacy --cb_type dr --epsilon 0"
FORMS = {
    "greedy, dr": DOUBLY_ROBUST,
    "greedy, mtr": f"{CBIFY} --cb_type mtr --epsilon 0",
    "regcbopt, .001": f"{CBIFY} --regcbopt --mellowness 0.001",
    "squarecb, 1000": f"{CBIFY} --squarecb --gamma_scale 1000",
    "squarecb, 10": f"{CBIFY} --squarecb",
    "epsilon .02": f"{CBIFY} --epsilon 0.02",
    "epsilon .05": f"{CBIFY} --epsilon 0.05",
    "bag 10, greedify": f"{CBIFY} --bag 10 --greedify",
    "cover 8": f"{CBIFY} --cover 8",
}
OAA = "--oaa {k}"
PAIRS = "greedy, dr, pairs"
BITS = "--bit_precision 22"
"""For pairs: collisions would be held against VW."""


@dataclass(frozen=True)
class Task:
    """One shuffle of one set."""

    name: str
    shuffle: int
    x: Floats
    y: np.ndarray
    k: int

    @property
    def outcomes(self) -> Floats:
        """(n, K) 1 for the right class."""
        return (self.y[:, None] == np.arange(self.k)).astype(float)

    def lines(self) -> list[str]:
        """As VW reads it."""
        return [f"{y + 1} | {vowpal.label(x)}" for x, y in zip(self.x, self.y, strict=True)]


@dataclass
class Losses:
    """Mean loss and seconds of each method, by set and shuffle."""

    loss: dict[tuple[str, str, int], float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    def add(self, method: str, task: Task, loss: float, seconds: float) -> None:
        self.loss[method, task.name, task.shuffle] = loss
        self.seconds[method] = self.seconds.get(method, 0.0) + seconds
        self.steps[method] = self.steps.get(method, 0) + len(task.y)

    def of(self, method: str, sets: Sequence[str]) -> Floats:
        """(sets,) mean over shuffles."""
        return np.array(
            [
                np.mean([v for (m, s, _), v in self.loss.items() if m == method and s == name])
                for name in sets
            ]
        )

    def rate(self, method: str) -> float:
        """Steps a second."""
        return self.steps[method] / self.seconds[method]


def folder() -> Path:
    """Where the sets are, unpacked."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return locate("bakeoff", archives=Path(os.environ.get("EQUIPOISE_DATA_SETS") or beside))


def names() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.npz"))


def task(name: str, shuffle: int, rows: int | None) -> Task:
    """The set in the order of this shuffle, cut to its first ``rows``."""
    with np.load(folder() / f"{name}.npz") as file:
        x, y, k = file["X"].astype(float), file["y"].astype(np.int64), int(file["K"])
    order = derive(shuffle, "bakeoff", name).permutation(len(y))[:rows]
    return Task(name, shuffle, x[order], y[order], k)


def play_ours(task: Task, losses: Losses) -> None:
    for method, keywords in OURS.items():
        bandit = ContextualBandit(random_state=task.shuffle, **keywords)
        outcomes = task.outcomes
        started = process_time()
        chosen, _ = bandit.replay(task.x, outcomes)
        seconds = process_time() - started
        right = outcomes[np.arange(len(chosen)), chosen]
        losses.add(method, task, 1.0 - float(right.mean()), seconds)


def play_theirs(task: Task, losses: Losses, *, fresh: bool) -> None:
    forms = {"oaa": OAA, **FORMS, PAIRS: f"{DOUBLY_ROBUST} -q :: {BITS}"}
    options = {
        at_rate(form, rate): [*text.format(k=task.k).split(), "-l", str(rate),
                              "--random_seed", str(task.shuffle + 1)]
        for form, text in forms.items() for rate in vowpal.RATES
    }  # fmt: skip
    found = vowpal.runs(f"{task.name}-{task.shuffle}", task.lines(), options, fresh=fresh)
    for method, run in found.items():
        losses.add(method, task, run.loss, run.seconds)


def at_rate(form: str, rate: float) -> str:
    return f"{form} -l {rate:g}"


def best_by_set(losses: Losses, sets: Sequence[str], forms: Sequence[str]) -> Floats:
    """(sets,) the lowest loss of any of these forms at any rate, chosen in hindsight."""
    runs = [losses.of(at_rate(form, rate), sets) for form in forms for rate in vowpal.RATES]
    return np.asarray(np.min(runs, axis=0))


def normalised(loss: Floats, oaa: Floats, k: Floats) -> Floats:
    return (loss - oaa) / (1.0 - 1.0 / k - oaa)


def wins_less_losses(ours: Floats, theirs: Floats, n: Floats) -> tuple[int, int]:
    """Sets where a mean loss over ``n`` examples is lower, and higher, at 5 %, two-sided."""
    variance = (ours * (1 - ours) + theirs * (1 - theirs)) / n
    z = (theirs - ours) / np.sqrt(np.maximum(variance, 1e-12))
    far = float(norm.isf(0.025))
    return int((z > far).sum()), int((z < -far).sum())


def bootstrap(gap: Floats) -> tuple[float, float]:
    """95 % interval of the mean over sets, sets drawn again."""
    draws = derive(0, "bakeoff bootstrap").integers(len(gap), size=(10_000, len(gap)))
    low, high = np.quantile(gap[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Table:
    """Losses, ready to be read."""

    losses: Losses
    sets: list[str]
    k: Floats
    n: Floats
    """(sets,) examples of all shuffles."""

    @property
    def oaa(self) -> Floats:
        return best_by_set(self.losses, self.sets, ["oaa"])

    def score(self, method: str) -> Floats:
        """(sets,) normalised."""
        return normalised(self.losses.of(method, self.sets), self.oaa, self.k)

    def best_rate(self, form: str) -> str:
        """The form at the rate that is best over all sets."""
        runs = [at_rate(form, rate) for rate in vowpal.RATES]
        return min(runs, key=lambda method: float(self.score(method).mean()))

    def line(self, title: str, method: str) -> str:
        return f"{title:<26}{self.score(method).mean():>8.3f}{self.losses.rate(method):>12,.0f}"

    def against(self, method: str) -> str:
        """What the default gains over it."""
        ours, theirs = (self.losses.of(name, self.sets) for name in ("default", method))
        won, lost = wins_less_losses(ours, theirs, self.n)
        low, high = bootstrap(self.score(method) - self.score("default"))
        return f"{won:>8} − {lost} = {won - lost:<3}{f'{low:+.3f} … {high:+.3f}':>20}"


def report(table: Table) -> str:
    hindsight = normalised(
        best_by_set(table.losses, table.sets, list(FORMS)), table.oaa, table.k
    ).mean()
    head = f"{'':<26}{'mean':>8}{'steps/s':>12}{'wins − losses':>16}{'gain of default':>20}"
    best = sorted((table.best_rate(form) for form in FORMS), key=lambda m: table.score(m).mean())
    return "\n".join([
        head, "ours",
        *(f"  {table.line(name, name)[:24]:<24}{table.line(name, name)[26:]}"
          + ("" if name == "default" else table.against(name)) for name in OURS),
        f"VW {vowpal.VERSION}, form at its best common rate",
        *(f"  {table.line(name, name)[:24]:<24}{table.line(name, name)[26:]}{table.against(name)}"
          for name in [*best, table.best_rate(PAIRS)]),
        f"  {'by set, in hindsight':<24}{hindsight:>8.3f}",
        "", by_set(table, best[0]),
    ])  # fmt: skip


def by_set(table: Table, rival: str) -> str:
    """A line a set: losses, and ours normalised."""
    columns = {name: table.losses.of(name, table.sets) for name in ("default", GREEDY[0], rival)}
    head = f"{'set':<14}{'K':>4}{'oaa':>8}" + "".join(f"{name:>22}" for name in columns)
    lines = [
        f"{name:<14}{table.k[i]:>4.0f}{table.oaa[i]:>8.3f}"
        + "".join(f"{loss[i]:>22.3f}" for loss in columns.values())
        + f"{table.score('default')[i]:>12.3f}"
        for i, name in enumerate(table.sets)
    ]
    return "\n".join([f"{head}{'normalised':>12}", *lines])


def learning(d: int = 32, actions: int = 10, n: int = 40_000) -> str:
    """Rewards a second of a log that another wrote: ours compiled, ours one by one, VW's."""
    rng = derive(0, "bakeoff learning")
    x, chosen = rng.normal(size=(n, d)), rng.integers(actions, size=n)
    reward = (x @ rng.normal(size=(d, actions)))[np.arange(n), chosen] + rng.normal(size=n)
    pace = {name: n / _seconds(x, chosen, reward, keywords) for name, keywords in _PACED.items()}
    pace["ours, one by one"] = 2_000 / _one_by_one(x[:2_000], reward[:2_000], actions)
    lines = [f"{a + 1}:{-r:.6g}:{1 / actions} | {vowpal.label(row)}"
             for a, r, row in zip(chosen, reward, x, strict=True)]  # fmt: skip
    form = {"VW --cb, mtr": ["--cb", str(actions), "--cb_type", "mtr"]}
    run = vowpal.runs(f"learning-{d}", lines, form, fresh=True)["VW --cb, mtr"]
    pace["VW --cb, mtr, from text"] = run.examples / run.seconds
    return "\n".join(f"  {name:<26}{value:>12,.0f}" for name, value in pace.items())


_PACED: Mapping[str, dict[str, Any]] = {"ours, default": {}, "ours, linear forms": {"wide": 0}}


def _seconds(x: Floats, chosen: np.ndarray, reward: Floats, keywords: dict[str, Any]) -> float:
    bandit, head = ContextualBandit(**keywords), 600
    bandit.learn_log(x[:head], chosen[:head].tolist(), reward[:head])
    started = process_time()
    bandit.learn_log(x[head:], chosen[head:].tolist(), reward[head:])
    return (process_time() - started) * len(x) / (len(x) - head)


def _one_by_one(x: Floats, reward: Floats, actions: int) -> float:
    bandit = ContextualBandit()
    choices = [bandit.choose(row, range(actions)) for row in x]
    started = process_time()
    for choice, earned in zip(choices, reward.tolist(), strict=True):
        bandit.learn(choice, earned)
    return process_time() - started


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration bakeoff")
    parser.add_argument("--shuffles", type=int, default=3)
    parser.add_argument(
        "--first", type=int, default=300, help="first shuffle; below 300: looked at"
    )
    parser.add_argument("--sets", nargs="*", help="some of the sets")
    parser.add_argument("--rows", type=int, help="the first rows of each alone")
    parser.add_argument("--fresh", action="store_true", help="run and time VW anew")
    options = parser.parse_args(argv)
    sets, losses = options.sets or names(), Losses()
    warm = task(sets[0], options.first, 400)
    play_ours(warm, Losses())
    k, n = {}, {}
    for number, name in enumerate(sets, start=1):
        for shuffle in range(options.first, options.first + options.shuffles):
            one = task(name, shuffle, options.rows)
            k[name], n[name] = one.k, n.get(name, 0) + len(one.y)
            play_ours(one, losses)
            play_theirs(one, losses, fresh=options.fresh)
        print(f"\r{number} of {len(sets)} sets", end="", flush=True)
    table = Table(
        losses, sets, np.array(list(k.values()), float), np.array(list(n.values()), float)
    )
    print(f"\n\n{report(table)}\n\nrewards learnt a second, 32 features, 10 actions\n{learning()}")
