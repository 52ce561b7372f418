"""The search: optuna proposes keywords, each proposal is fitted and judged on the cuts.

Optuna (Akiba, Sano, Yanase, Ohta, Koyama, KDD 2019) is an extra and imported on use. The sampler is
TPE (Bergstra, Bardenet, Bengio, Kégl, NIPS 2011), with luck of its own for each trial, derived from
the seed and the trial's number: a search that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from equipoise.clock import elapsed
from equipoise.errors import EquipoiseError, InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.base import Recommender
from equipoise.tuning.cuts import Cut
from equipoise.tuning.found import Found, Tried
from equipoise.tuning.goals import Goal
from equipoise.tuning.importance import importance
from equipoise.tuning.spaces import SPACES
from equipoise.tuning.spans import Space, nested, suggested
from equipoise.types import Item

PROPOSED_AT_RANDOM = 10
"""The first trials, before TPE has anything to go by."""
REASON, SECONDS, DEFAULTS = "reason", "seconds", "defaults"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Search:
    """What is searched, and on what it is judged."""

    method: type[Recommender]
    cuts: Sequence[Cut]
    goal: Goal = field(default_factory=Goal)
    space: Space | None = None
    """By default the method's of ``SPACES``."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Keywords that every trial has, ``threads`` for one."""
    items: Sequence[Item] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.space is None and self.method not in SPACES:
            raise InvalidInput(
                f"{self.method.__name__} has no space to be tuned in; give one, or take one of"
                f" {', '.join(cls.name for cls in SPACES)}",
                pointer="/space",
            )
        if not self.cuts:
            raise InvalidInput("no cut to judge on; at least one", pointer="/cuts")

    @property
    def spans(self) -> Space:
        return SPACES[self.method] if self.space is None else self.space

    @property
    def name(self) -> str:
        """Of the study in the file: another question, or other data, is another study."""
        digest = hashlib.blake2b(digest_size=8)
        # Threads change no result, so that a study may go on with more of them.
        fixed = sorted((name, value) for name, value in self.fixed.items() if name != "threads")
        spans = sorted(self.spans.items())
        for told in (spans, fixed, self.goal, self.seed, *(self.items or ())):
            digest.update(repr(told).encode())
        for cut in self.cuts:
            for rows in cut:
                digest.update(repr(rows).encode())
                for column in (rows.user, rows.item, rows.value, rows.timestamp):
                    digest.update(b"" if column is None else column.tobytes())
        return f"{self.method.name} {self.goal.metric} {digest.hexdigest()}"

    def model(self, flat: Mapping[str, Any]) -> Recommender:
        return self.method(**{**self.fixed, **nested(flat)})


def tune(
    search: Search,
    *,
    trials: int = 50,
    seconds: float | None = None,
    storage: Path | None = None,
    say: Say = lambda words: None,
) -> Found:
    """Search until the study holds ``trials`` finished trials, or ``seconds`` have passed; a trial
    that was begun is ended.

    With ``storage``, an SQLite file, the study goes on where it was left, whoever runs it, one at a
    time. With several cuts a trial is given up after the first on which it is, by the mean so far,
    behind the median of those before it. A trial whose keywords the method refuses counts as
    finished and failed.

    Raises InvalidInput without optuna (the extra ``tune``), or where the defaults cannot be judged
    and every trial failed.
    """
    started, study = elapsed(), _study(search, storage)
    defaults = _defaults(study, search)
    while (number := _finished(study)) < trials:
        if seconds is not None and elapsed() - started >= seconds:
            break
        say(f"Trial {number + 1} of {trials}{_so_far(study)}")
        _one(study, search, number)
    tried = tuple(_told(trial) for trial in study.get_trials(deepcopy=False))
    if defaults is None and all(one.value is None for one in tried):
        reasons = {one.reason for one in tried} or {"there is none"}
        raise InvalidInput(f"no trial could be judged: {'; '.join(sorted(reasons))}")
    return Found(search.method, search.goal, tried, defaults, importance(study, search.seed))


def require_optuna() -> Any:
    """The module. Raises InvalidInput, naming the extra, where it or scikit-learn is missing."""
    for module in ("optuna", "sklearn"):
        if find_spec(module) is None:
            raise InvalidInput(
                f"tuning needs {module}, which is not installed: pip install 'equipoise[tune]'",
                code="missing",
            )
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(search: Search, storage: Path | None) -> Any:
    optuna = require_optuna()
    study = optuna.create_study(
        storage=None if storage is None else _kept_in(storage),
        study_name=search.name,
        direction="minimize" if search.goal.lower_is_better else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        # Whoever ran it was killed.
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _kept_in(file: Path) -> Any:
    """Raises InvalidInput where the file cannot be made, or is something else."""
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return RDBStorage(f"sqlite:///{file.absolute()}")
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error)
        raise InvalidInput(f"{file} cannot keep a study: {why}", pointer="/study") from error


def _defaults(study: Any, search: Search) -> float | None:
    """How good the method is untuned; None where its defaults cannot be judged."""
    if DEFAULTS not in study.user_attrs:
        try:
            value = _mean([_judged(search, {}, cut) for cut in search.cuts])
        except EquipoiseError:
            value = None
        study.set_user_attr(DEFAULTS, value)
    known: float | None = study.user_attrs[DEFAULTS]
    return known


def _one(study: Any, search: Search, number: int) -> None:
    optuna = require_optuna()
    luck = int(derive(search.seed, "tuning", str(number)).integers(2**31))
    study.sampler = optuna.samplers.TPESampler(seed=luck, n_startup_trials=PROPOSED_AT_RANDOM)
    trial, started, values = study.ask(), elapsed(), []
    state = optuna.trial.TrialState
    flat = suggested(trial, search.spans)
    try:
        for place, cut in enumerate(search.cuts):
            values.append(_judged(search, flat, cut))
            trial.report(_mean(values), place)
            if place + 1 < len(search.cuts) and trial.should_prune():
                trial.set_user_attr(SECONDS, elapsed() - started)
                study.tell(trial, state=state.PRUNED)
                return
    except EquipoiseError as error:
        trial.set_user_attr(REASON, str(error))
        study.tell(trial, state=state.FAIL)
        return
    trial.set_user_attr(SECONDS, elapsed() - started)
    study.tell(trial, _mean(values))


def _judged(search: Search, flat: Mapping[str, Any], cut: Cut) -> float:
    value = search.goal.measure(search.model(flat), cut.train, cut.test, search.items)
    if not math.isfinite(value):
        raise InvalidInput(f"{search.goal.metric} is {value}")
    return value


def _finished(study: Any) -> int:
    return len(study.get_trials(deepcopy=False))


def _so_far(study: Any) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if _complete(trial)]
    best = min if study.direction.name == "MINIMIZE" else max
    return f", best {best(values):.4f}" if values else ""


def _told(trial: Any) -> Tried:
    return Tried(
        number=trial.number,
        keywords=dict(trial.params),
        value=trial.value if _complete(trial) else None,
        seconds=trial.user_attrs.get(SECONDS, 0.0),
        reason="given up" if trial.state.name == "PRUNED" else trial.user_attrs.get(REASON, ""),
    )


def _complete(trial: Any) -> bool:
    return bool(trial.state.name == "COMPLETE")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
