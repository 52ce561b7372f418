"""Looking ahead: what caps would earn, in worlds drawn from the beliefs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from equipoise.exploration import ahead
from equipoise.exploration.ahead import Outlook, look_ahead
from equipoise.exploration.evpi import evpi_slate
from equipoise.randomness import derive

RATE = 2.0 / 38.0
PRIOR = (RATE, RATE / 38.0, RATE)
"""Mean, variance and noise of a click rate of which nothing is known: two clicks in 38 looks."""


def outlook(n: int = 60, looks: int = 150, slots: int = 1, **more: Any) -> Outlook:
    """Click rates of which each has had up to so many looks; 400 lists a day for 30 days."""
    rng = derive(3, "test ahead")
    had = rng.integers(0, looks, n)
    clicks = rng.poisson(had * rng.gamma(2.0, 1.0 / 38.0, n))
    mean = (2.0 + clicks) / (38.0 + had)
    settings = {"lists_per_day": 400.0, "days": 30.0, "newcomer": PRIOR} | more
    return Outlook(
        mean=mean, variance=mean / (38.0 + had), noise=mean.copy(), look=0.8 ** np.arange(slots),
        **settings,
    )  # fmt: skip


def test_where_all_is_known_every_cap_earns_the_same() -> None:
    """Just what the best slate is worth; nothing is spent."""
    sure = replace(outlook(slots=3), variance=np.zeros(60))
    told = look_ahead(sure, worlds=2)
    best = np.sort(sure.mean)[::-1][:3] @ sure.look

    assert told.reward == pytest.approx([best] * 7)
    assert not told.spent.any()
    assert not told.gain.any()
    assert told.lists == 12_000
    assert told.best == 0


def test_the_same_question_has_the_same_answer() -> None:
    """To the bit; another seed draws other worlds."""
    one, two = look_ahead(outlook(), worlds=3), look_ahead(outlook(), worlds=3)
    other = look_ahead(outlook(), worlds=3, seed=1)

    assert one.reward.tolist() == two.reward.tolist()
    assert one.reward.tolist() != other.reward.tolist()


def test_worlds_are_drawn_from_the_beliefs() -> None:
    """Where nothing can be learnt (noise beyond measure), greedy earns in the mean what is believed
    of its slate, and worlds spread as the beliefs do."""
    deaf = replace(outlook(looks=30, slots=2), noise=np.full(60, 1e9))
    told = look_ahead(deaf, caps=(0.0,), worlds=400)
    best = np.argsort(-deaf.mean, kind="stable")[:2]
    believed = float(deaf.mean[best] @ deaf.look)
    spread = float(np.sqrt(deaf.variance[best] @ deaf.look**2))

    assert told.reward[0] == pytest.approx(believed, abs=3.5 * spread / np.sqrt(400))
    # Between the tenth and the ninetieth of a hundred lie 2.56 spreads of a bell.
    assert told.high[0] - told.low[0] == pytest.approx(2.56 * spread, rel=0.25)


def test_spending_stays_under_its_cap() -> None:
    """Greedy spends nothing, more may be spent under a higher cap, and each cap is held."""
    told = look_ahead(outlook(looks=30, turnover=0.05), worlds=12)

    assert told.spent[0] == 0.0
    assert (np.diff(told.spent) > -1e-3).all()
    assert (told.spent[1:] < np.array(told.caps[1:]) * 1.1 + 0.005).all()
    assert told.spent[1] > 0.0


def test_exploring_pays_where_knowledge_is_used_for_long() -> None:
    """A month of traffic: 4 % earn more than greedy, beyond doubt; a day: 16 % earn no more."""
    month = look_ahead(outlook(looks=30, turnover=0.02), worlds=96)
    day = look_ahead(outlook(looks=30, lists_per_day=20.0, days=1.0), worlds=32)
    four, sixteen = month.caps.index(0.04), month.caps.index(0.16)

    assert month.gain[four] > 3 * month.gain_error[four]
    assert day.gain[sixteen] < 2 * day.gain_error[sixteen]
    assert month.best > 0


def test_launches_and_drift_keep_exploring_worth_its_price() -> None:
    """More is spent where items come and go, or wander, than where all stays as it is."""
    still = look_ahead(outlook(), worlds=6).spent[-1]
    launches = look_ahead(outlook(turnover=0.1), worlds=6).spent[-1]
    drifting = look_ahead(outlook(drift=0.005), worlds=6).spent[-1]

    assert launches > 1.3 * still
    assert drifting > 1.1 * still


def test_caps_share_their_worlds() -> None:
    """What one earns more than another is known better than what either earns."""
    told = look_ahead(outlook(looks=30), worlds=24)
    error = (told.high - told.low) / 2.56 / np.sqrt(24)

    assert (told.gain_error[2:] < 0.7 * error[2:]).all()


def test_hopeless_candidates_change_nothing_that_matters() -> None:
    """Of a thousand only those that can win are simulated."""
    few = outlook()
    sunk = np.full(940, 1e-4)
    many = replace(
        few,
        mean=np.concatenate([few.mean, sunk]),
        variance=np.concatenate([few.variance, sunk * 1e-6]),
        noise=np.concatenate([few.noise, sunk]),
    )
    ours, theirs = (look_ahead(one, caps=(0.0, 0.04), worlds=24) for one in (few, many))

    assert theirs.reward == pytest.approx(ours.reward, rel=0.1)


def test_what_is_unknown() -> None:
    """At most what knowing everything would add to a list; a tenth of the spread, a tenth or less
    of it; nothing where all is known."""
    few = outlook()
    known, less = (
        look_ahead(replace(few, variance=few.variance * part), caps=(0.0,), worlds=2).unknown
        for part in (1e-12, 0.01)
    )
    much = look_ahead(few, caps=(0.0,), worlds=2).unknown
    best = np.sort(few.mean)[::-1][: len(few.look)]

    assert much == pytest.approx(
        evpi_slate(few.mean, np.sqrt(few.variance), few.look) / (few.look @ best), rel=1e-6
    )
    assert known == pytest.approx(0.0, abs=1e-6)
    assert known < less <= 0.1 * much


def test_the_highest_are_found() -> None:
    """In falling order, the first of equals first, as by a stable sort."""
    rng = derive(1, "test ahead")
    for k in (1, 5, 40):
        value = np.round(rng.random(40), 1)

        assert ahead._top(value, k).tolist() == np.argsort(-value, kind="stable")[:k].tolist()


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: replace(outlook(), noise=np.ones(3)), "noise have shapes [(3,), (60,)] and look"),
        (lambda: replace(outlook(), look=np.zeros(0)), "look (0,); all have one entry a candidate"),
        (lambda: replace(outlook(), days=0.0), "days is 0.0; it must be above 0 and finite"),
        (lambda: replace(outlook(), turnover=-1.0), "turnover is -1.0 and drift 0.0; both must be"),
        (lambda: look_ahead(outlook(), caps=(1.0,)), "caps are (1.0,) and worlds 48; a cap is a"),
        (lambda: look_ahead(outlook(), worlds=1), "there are two worlds at least"),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
