"""Do the off-policy estimators compute what they should, and how good are they?

``python -m benchmarks exploration estimators [--logs 200] [--all]``

*Environment*: the data set ``ope-reference`` (EQUIPOISE_DATA_SETS names the folder of its archive):
logs, policies and q̂, with the estimates that Open Bandit Pipeline 0.5.7 gave for just these arrays.
``obd_men`` are 10,000 rows each of two real logs with some 50 clicks: a check of arithmetic, not of
accuracy. ``synth_bandit`` has ten actions and a truth; for the second table its actions and rewards
are drawn again ``--logs`` times on its 10,000 contexts, q̂ fitted anew each time (three folds).

*Settings*: the reference's own parameters. It states neither the grid nor the confidence of its
SLOPE; ``GRIDS`` and 90 % give all eleven of its choices. Its q̂ was a logistic regression on context
and action; ours is the same.

*Score*: the largest difference from the reference, 1e-6 asked. Two rows are judged otherwise and
say so: SN-MIPS against the right value (the package multiplies the dimensions' own ratios), and
MIPS with a fitted posterior within 1e-3, for that is as near as two runs of its iterative fit come.
In the second table: bias, spread and RMSE beside the reference's, how often the 95 % interval held
the truth, and how often the log was refused.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.evaluation import off_policy as ope
from equipoise.evaluation.off_policy import Estimate, Logged
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive

BESIDE = Path(__file__).parents[3] / "shared" / "data"
TOLERANCE = 1e-6
PLAIN: dict[str, Callable[..., Estimate]] = {
    "ipw": ope.ips,
    "snipw": ope.snips,
    "dm": ope.dm,
    "dr": ope.dr,
    "sndr": ope.sndr,
}
BY_PARAMETER: dict[str, Callable[..., Estimate]] = {
    "ipw_clip": ope.clipped_ips,
    "sgipw": ope.tempered_ips,
    "dr_clip": ope.clipped_dr,
    "sgdr": ope.tempered_dr,
    "switch-dr": ope.switch_dr,
    "dros": ope.dros,
}
TUNED = {"ipw": ope.clipped_ips, "switch-dr": ope.switch_dr, "dros": ope.dros}
UNBIASED = {"ipw": ope.ips, "switch-dr": ope.dr, "dros": ope.dr}
FEW = (2, 5, 10, math.inf)
MANY = (5, 10, 50, 100, 500, 1000, math.inf)
GRIDS = {
    "synth_bandit": {"ipw": FEW, "switch-dr": FEW, "dros": (1, 10, 100, math.inf)},
    "obd_men": {"switch-dr": MANY, "dros": MANY},
}
CONFIDENCE = 0.9
"""Of SLOPE's widths, one-sided."""
SN_MIPS = 1.829410
"""The right value, by the definition of the data set's own page."""


@dataclass(frozen=True)
class Row:
    """An estimate beside the reference's."""

    case: str
    name: str
    ours: float
    theirs: float
    tolerance: float = TOLERANCE

    @property
    def off(self) -> float:
        return abs(self.ours - self.theirs)


def reference_rows(folder: Path) -> list[Row]:
    """Every estimate of single actions in the set, ours beside theirs."""
    return [*synthetic_rows(folder), *obd_rows(folder), *mips_rows(folder)]


def synthetic_rows(folder: Path) -> Iterator[Row]:
    arrays, stated = load(folder, "synth_bandit")
    logged = Logged.from_distributions(
        reward=arrays["reward"],
        action=arrays["action"],
        target=arrays["action_dist"],
        propensity=arrays["pscore"],
        q=arrays["q_hat"],
    )
    yield from _compared("synth_bandit", logged, stated["estimates"], GRIDS["synth_bandit"])
    yield from _standing("synth_bandit", logged, stated["iw"], stated["ipw_se"])


def obd_rows(folder: Path) -> Iterator[Row]:
    arrays, stated = load(folder, "obd_men")
    for case, log in (("bts_from_random_logs", "random"), ("uniform_from_bts_logs", "bts")):
        told = stated["cases"][case]
        for folds in ("q1", "q3"):
            logged = obd_log(arrays, log, folds)
            mark = f"[{folds}fold]"
            asked = {
                name.removesuffix(mark): value
                for name, value in told["estimates"].items()
                if name.endswith(mark) or (folds == "q3" and "[" not in name)
            }
            yield from _compared(f"obd_men {log} {folds}", logged, asked, GRIDS["obd_men"])
        yield from _standing(f"obd_men {log}", logged, told["iw"], told["ipw_std_error"])


def obd_log(arrays: dict[str, NDArray[Any]], log: str, folds: str) -> Logged:
    """One log of Open Bandit, laid under the other's policy."""
    place = arrays[f"{log}_position"]
    table = arrays["pi_bts_table" if log == "random" else "pi_uniform_table"]
    q = arrays[f"{log}_{folds}_table"][arrays[f"{log}_{folds}_index"]]
    return Logged.from_distributions(
        reward=arrays[f"{log}_reward"],
        action=arrays[f"{log}_action"],
        target=table.T[place],
        propensity=arrays[f"{log}_pscore"],
        q=q[np.arange(len(place)), :, place],
    )


def mips_rows(folder: Path) -> Iterator[Row]:
    """Embeddings. The log cannot carry plain IPS (effective size 75), so nothing is refused."""
    arrays, stated = load(folder, "mips")
    told = stated["estimates"]
    plain = Logged.from_distributions(
        reward=arrays["reward"],
        action=arrays["action"],
        target=arrays["action_dist"],
        logging=arrays["pi_b"],
    )
    whole = mips_log(arrays)
    yield Row("mips", "ipw", ope.ips(plain, refuse=False).value, told["ipw"])
    yield Row("mips", "mips(true p_e_a)", ope.ips(whole).value, told["mips(true p_e_a)"])
    yield Row("mips", "snmips(true p_e_a), right", ope.snips(whole).value, SN_MIPS)
    # Among three dimensions both walks meet the same candidates up to the one that ends them.
    for walk in ("exact", "greedy"):
        name = f"mips(true p_e_a, {walk} SLOPE selection)"
        yield Row("mips", name, embedding_choice(arrays).value, told[name])
    name = "mips(logistic pi(a|x,e))"
    yield Row("mips", name, fitted_mips(arrays).value, told[name], 1e-3)


def mips_log(arrays: dict[str, NDArray[Any]], dimensions: Sequence[int] | None = None) -> Logged:
    return ope.marginal(
        reward=arrays["reward"],
        embedding=arrays["action_embed"],
        given=arrays["p_e_a"],
        target=arrays["action_dist"],
        logging=arrays["pi_b"],
        dimensions=dimensions,
    )


def embedding_choice(arrays: dict[str, NDArray[Any]]) -> Estimate:
    """SLOPE over the dimensions of the embedding: the most first, within a count the widest."""
    candidates = []
    for count in (3, 2, 1):
        chosen = itertools.combinations(range(3), count)
        some = [ope.ips(mips_log(arrays, one), refuse=False) for one in chosen]
        candidates += sorted(some, key=lambda one: -one.error)
    return ope.slope(candidates, confidence=CONFIDENCE, ordered=True)


def fitted_mips(arrays: dict[str, NDArray[Any]]) -> Estimate:
    """As the reference has it: the posterior predicts the rows it was fitted on."""
    from sklearn.linear_model import LogisticRegression

    kinds = [np.eye(4)[arrays["action_embed"][:, d]][:, 1:] for d in range(3)]
    x = np.column_stack([arrays["context"], *kinds])
    model = LogisticRegression(max_iter=1000, tol=1e-6).fit(x, arrays["action"])
    logged = ope.from_posterior(
        reward=arrays["reward"],
        posterior=model.predict_proba(x),
        target=arrays["action_dist"],
        logging=arrays["pi_b"],
    )
    return ope.ips(logged, refuse=False)


def load(folder: Path, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """A set's arrays and what its JSON states."""
    with np.load(folder / f"{name}.npz") as stored:
        arrays = {key: stored[key] for key in stored.files if key != "json"}
    stated: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return arrays, stated


def _compared(
    case: str, logged: Logged, told: dict[str, float], grids: dict[str, Sequence[float]]
) -> Iterator[Row]:
    for name, theirs in told.items():
        yield Row(case, name, _ours(logged, name, grids).value, theirs)


def _ours(logged: Logged, name: str, grids: dict[str, Sequence[float]]) -> Estimate:
    """Our estimate under the reference's name for it."""
    if name in PLAIN:
        return PLAIN[name](logged)
    if name == "dr_clip10":
        return ope.clipped_dr(logged, 10)
    if found := re.fullmatch(r"(.+)\(lambda=(.+)\)", name):
        return BY_PARAMETER[found[1]](logged, float(found[2]))
    found = re.fullmatch(r"(.+)-tuned\((slope|mse)\)", name)
    if found is None:
        raise ValueError(f"the reference has {name!r}, which is not known here")
    candidates = [TUNED[found[1]](logged, parameter) for parameter in grids[found[1]]]
    if found[2] == "slope":
        return ope.slope(candidates, confidence=CONFIDENCE)
    return ope.least_error(candidates, UNBIASED[found[1]](logged), weight=logged.weight)


def _standing(case: str, logged: Logged, told: dict[str, float], error: float) -> Iterator[Row]:
    """The diagnosis' figures, and the error of IPS."""
    found = ope.diagnose(logged)
    yield Row(case, "mean weight", found.mean_weight, told["mean"])
    yield Row(case, "largest weight", found.largest * logged.weight.sum(), told["max"])
    yield Row(case, "effective size", found.effective, told["ess"])
    yield Row(case, "standard error of ipw", ope.ips(logged).error, error)


def simulated_logs(folder: Path, logs: int) -> Iterator[Logged]:
    """``synth_bandit``'s contexts with actions and rewards drawn anew, q̂ fitted on each log."""
    arrays, _ = load(folder, "synth_bandit")
    below = arrays["pi_b"].astype(float).cumsum(axis=1)
    below /= below[:, -1:]
    rows = np.arange(len(below))
    for number in range(logs):
        rng = derive(number, "benchmark estimators")
        action = (rng.random(len(below))[:, None] > below).sum(axis=1)
        reward = (rng.random(len(below)) < arrays["expected_reward"][rows, action]).astype(float)
        yield Logged.from_distributions(
            reward=reward,
            action=action,
            target=arrays["action_dist"],
            propensity=arrays["pi_b"][rows, action],
            q=fitted_q(arrays["context"].astype(float), action, reward, number),
        )


def fitted_q(
    context: NDArray[Any], action: NDArray[Any], reward: NDArray[Any], seed: int
) -> NDArray[Any]:
    """(n, 10) by a cross-fitted logistic regression on context and action."""
    kinds = np.eye(10)
    fitted = ope.cross_fit(
        ope.logistic(), np.column_stack([context, kinds[action]]), reward, random_state=seed
    )
    return fitted.table(
        lambda one: np.column_stack([context, np.tile(kinds[one], (len(context), 1))]), 10
    )


def _switched(logged: Logged) -> list[Estimate]:
    return [ope.switch_dr(logged, threshold) for threshold in ope.thresholds(logged)]


def _shrunk(logged: Logged) -> list[Estimate]:
    return [ope.dros(logged, threshold**2) for threshold in ope.thresholds(logged)]


def _every(logged: Logged) -> list[Estimate]:
    plain = [ope.ips(logged), ope.snips(logged), ope.sndr(logged)]
    return [*plain, *_shrunk(logged), *_switched(logged)]


TABLE: dict[str, Callable[[Logged], Estimate]] = {
    "dm": ope.dm,
    "ipw": ope.ips,
    "snipw": ope.snips,
    "dr": ope.dr,
    "sndr": ope.sndr,
    "ipw_clip(lambda=10)": lambda logged: ope.clipped_ips(logged, 10),
    "switch-dr(lambda=10)": lambda logged: ope.switch_dr(logged, 10),
    "dros(lambda=100)": lambda logged: ope.dros(logged, 100),
    "slope: switch-dr": lambda logged: ope.slope(_switched(logged)),
    "slope: dros": lambda logged: ope.slope(_shrunk(logged)),
    "slope 60 %: switch-dr": lambda logged: ope.slope(_switched(logged), confidence=0.6),
    "slope 60 %: dros": lambda logged: ope.slope(_shrunk(logged), confidence=0.6),
    "least error: switch-dr": lambda logged: ope.least_error(_switched(logged), ope.dr(logged)),
    "least error: dros": lambda logged: ope.least_error(_shrunk(logged), ope.dr(logged)),
    "least error: all": lambda logged: ope.least_error(_every(logged), ope.dr(logged)),
}


def accuracy(folder: Path, logs: int) -> str:
    """The second table."""
    _, stated = load(folder, "synth_bandit")
    truth = stated["true_value_on_these_contexts"]
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in TABLE}
    refused = 0
    for logged in simulated_logs(folder, logs):
        if not ope.diagnose(logged).answerable:
            refused += 1
            continue
        for name, estimator in TABLE.items():
            estimate = estimator(logged)
            low, high = estimate.interval(0.95)
            found[name].append((estimate.value, low <= truth <= high))
    head = f"{'':<24}{'bias':>10}{'sd':>10}{'rmse':>10}{'theirs':>10}{'covered %':>11}"
    lines = [_accuracy_line(name, found[name], truth, stated) for name in TABLE]
    return "\n".join([head, *lines, f"{logs} logs, {refused} refused, truth {truth:.6f}"])


def _accuracy_line(
    name: str, found: list[tuple[float, bool]], truth: float, stated: dict[str, Any]
) -> str:
    off = np.array([value for value, _ in found]) - truth
    theirs = stated["monte_carlo_200_logs"].get(name, {}).get("rmse", math.nan)
    covered = 100 * np.mean([held for _, held in found])
    return (f"{name:<24}{off.mean():>10.4f}{off.std(ddof=1):>10.4f}"
            f"{math.sqrt((off**2).mean()):>10.4f}{theirs:>10.4f}{covered:>11.1f}")  # fmt: skip


def _print_rows(rows: Sequence[Row], every: bool) -> None:
    print(f"{'case':<20}{'estimate':<42}{'ours':>14}{'reference':>14}{'off':>10}")
    for row in rows:
        if every or not row.case.endswith("q1"):
            figures = f"{row.ours:>14.8f}{row.theirs:>14.8f}{row.off:>10.1e}"
            print(f"{row.case:<20}{row.name:<42}{figures}")
    exact = [row for row in rows if row.tolerance == TOLERANCE]
    worst = max(exact, key=lambda row: row.off)
    missed = sum(row.off > row.tolerance for row in rows)
    print(f"\nscore: largest difference {worst.off:.1e} ({worst.name}) over {len(exact)} figures;")
    print(f"{missed} of all {len(rows)} beyond what was asked of them")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration estimators")
    parser.add_argument("--logs", type=int, default=200, help="drawn for the second table; 0: none")
    parser.add_argument(
        "--all", action="store_true", help="print the rows of q fitted on itself too"
    )
    options = parser.parse_args(list(argv))
    folder = locate("ope-reference", archives=BESIDE if BESIDE.is_dir() else None)
    _print_rows(reference_rows(folder), options.all)
    if options.logs:
        print(f"\n{accuracy(folder, options.logs)}")
