"""How outside referees are talked to, and the arithmetic of their benchmarks; none is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from equipoise.exploration import LogisticBelief

referees = pytest.importorskip(
    "benchmarks.exploration.referees", reason="needs python -m pytest at the root"
)
recogym = pytest.importorskip("benchmarks.exploration.recogym")
recsim = pytest.importorskip("benchmarks.exploration.recsim")

WORLD = """
import sys
import table
sum_ = 0
print("a library prints this")
for number in range(int(sys.argv[1])):
    sum_ += table.ask(number=number)
if len(sys.argv) > 2:
    raise SystemExit("enough")
table.say(outcome=sum_)
"""


class Here(referees.Referee):  # type: ignore[misc, name-defined]
    """A referee that this Python can run."""

    def python(self) -> str:
        return sys.executable


@pytest.fixture
def referee(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in ("table.py", "stand_ins.py"):
        (tmp_path / name).write_text((referees.FOLDER / name).read_text())
    (tmp_path / "sums_world.py").write_text(WORLD)
    monkeypatch.setattr(referees, "FOLDER", tmp_path)
    return Here("sums", (), ())


def test_a_world_asks_and_states_its_outcome(referee: Any) -> None:
    """Questions in order, answers in order, whatever libraries print in between."""
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> int:
        asked.append(question["number"])
        return question["number"] * 10

    assert referee.judge(3, answer=answer) == 30
    assert asked == [0, 1, 2]


def test_a_world_that_breaks_off_is_told_of(referee: Any) -> None:
    """With its last word."""
    with pytest.raises(RuntimeError, match="sums broke off: enough"):
        referee.judge(1, "stop", answer=lambda question: 1)
    with pytest.raises(RuntimeError, match=r"nobody was named to answer: \{'number': 0\}"):
        referee.judge(1)


def test_what_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages, and pip's own reason."""

    def pip(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "no such thing\n")

    monkeypatch.setattr(referees.subprocess, "run", pip)

    with pytest.raises(RuntimeError, match="could not install nothing==1: no such thing"):
        referees._install(Path("python"), ("nothing==1",))


def test_stand_ins_can_be_imported_inherited_from_and_decorate() -> None:
    """At any depth; a decorator gives back what it was put on."""
    code = f"""
import sys
sys.path.insert(0, {str(referees.FOLDER)!r})
from stand_ins import stand_in
stand_in("nowhere")
import abc
import nowhere.deep.er as er
from nowhere.deep import Thing, decorate
class Own(Thing.Inner, abc.ABC):
    pass
@decorate
def plain():
    return 1
@er.decorate("with", more=1)
class Kept:
    pass
import json
print(json.dumps([plain(), Kept.__name__, issubclass(Own, Thing)]))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stderr == ""
    assert json.loads(answer.stdout) == [1, "Kept", True]


def row(agent: str, flips: int, seed: int, *shown: float) -> Any:
    return recogym.Row(agent, flips, seed, shown, (1.0,) * len(shown), 1, 1)


def test_recogym_scores_the_worst_world() -> None:
    """The least lead over the rival's last quarter, and the least whole over last quarter."""
    rows = []
    for flips in (0, 5):
        for seed in (42, 7):
            rows += [row("ours", flips, seed, 0.8, 0.9), row("bandit count", flips, seed, 0.8, 0.8)]
    rows[4] = row("ours", 5, 42, 0.7, 0.85)
    lead, steady = recogym.score(rows)

    assert lead == pytest.approx(0.05)
    assert steady == pytest.approx(0.775 / 0.85)


def test_recogym_beliefs_keep_their_answer_until_they_learn() -> None:
    """The kept answer is the belief's own, before and after it has learnt."""
    import numpy as np

    x, plain = np.array([[1.0, 0.5]]), LogisticBelief(2, prior_mean=np.array([np.log(1 / 49), 0]))
    kept = recogym.Clicks(2)
    first, again = kept.predict(x), kept.predict(x.copy())
    after = kept.update(x, np.array([1.0])).predict(x)

    assert again is first
    assert first[0] == pytest.approx(plain.predict(x)[0])
    assert after[0] == pytest.approx(plain.update(x, np.array([1.0])).predict(x)[0])
    assert after[0] > first[0]


def question(earned: list[float] | None, kinds: list[int]) -> dict[str, Any]:
    return {"user": [], "candidates": [[0.5]] * len(kinds), "kinds": kinds, "earned": earned}


@pytest.mark.parametrize(("credit", "learnt"), [("slot", 4), ("session", 4)])
def test_recsim_learns_every_list_of_a_session(credit: str, learnt: int) -> None:
    """Two lists of two slots, each slot learnt once, by itself or by what the session earned."""
    seat = recsim.Seat(recsim.WORLDS[1], credit, 0)
    first = seat.answer(question(None, [0, 0, 1]))
    seat.answer(question([1.0, 0.0], [0, 1, 1]))
    state = seat.session
    seat.answer(question([0.0, 0.0], []))

    assert len(set(first)) == 2
    assert state.earned == [1.0, 0.0]
    assert sum(state.shown.values()) == 4
    assert sum(seat.bandit.model.tables.seen) == learnt
    assert seat.session.earned == []


def test_recsim_scores_the_better_credit_over_random() -> None:
    """Means of the last half of the sessions, seed by seed."""
    rows = [
        recsim.Row(world.name, agent, [[0.0, late], [9.0, late + 2.0]])
        for world in recsim.WORLDS
        for agent, late in (("random", 1.0), ("slot", 3.0), ("session", 2.0))
    ]

    assert set(recsim.score(rows).values()) == {2.0}
    assert rows[0].error == pytest.approx(1.0)
    assert rows[0].whole == pytest.approx((0 + 1 + 9 + 3) / 4)
