"""Paired tests: signs flip with the sides, false alarms keep to their level, gains are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, wilcoxon

from equipoise.errors import InvalidInput
from equipoise.evaluation import compare, holm, paired_bootstrap, sign_flip
from equipoise.randomness import derive

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


@settings(max_examples=40)
@given(pairs=PAIRS)
def test_exchanging_the_two_flips_the_sign(pairs):
    """Difference, interval, wins and losses turn round; the p-value stays."""
    ours, theirs = (np.array(column, float) for column in zip(*pairs, strict=True))
    there, back = (compare(*two, samples=200) for two in ((ours, theirs), (theirs, ours)))

    assert there.difference == -back.difference
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert there.interval.high == pytest.approx(-back.interval.low)
    assert there.p_value == back.p_value
    assert (there.wins, there.losses, there.ties) == (back.losses, back.wins, back.ties)


def null_pairs(n: int, users: int):
    """Values of two methods that are equally good: any shape, the same for both."""
    rng = derive(7, "null pairs")
    shared = rng.random((n, users))
    return [
        ((shared + rng.random((n, users))) / 2, (shared + rng.random((n, users))) / 2),
        (rng.random((n, users)) < 0.2, rng.random((n, users)) < 0.2),
        (rng.pareto(2.5, (n, users)), rng.pareto(2.5, (n, users))),
    ]


@pytest.mark.parametrize("kind", range(3), ids=["smooth", "hit or miss", "heavy tails"])
@pytest.mark.parametrize("test", [sign_flip, paired_bootstrap])
def test_no_false_alarms_beyond_the_level(kind, test):
    """Of 2,000 pairs that do not differ, at most a twentieth (and four standard errors) are called
    different at .05, and 1 in 100 at .01."""
    ours, theirs = null_pairs(2_000, 60)[kind]
    rows = ours.astype(float) - theirs
    p = np.array([test(row, samples=400, random_state=seed) for seed, row in enumerate(rows)])

    for level in (0.05, 0.01):
        assert (p <= level).mean() <= level + 4 * np.sqrt(level * (1 - level) / 2_000)
    # A test that never says anything keeps every level too. Hits and misses tie often.
    assert (p <= 0.5).mean() > (0.28 if kind == 1 else 0.45)


def test_sign_flips_are_exact_where_few_differ():
    """All 2^n signs: five gains in a row are 2 of 32; scipy's exact test agrees."""
    assert sign_flip(np.ones(5)) == 2 / 32
    differences = np.array([0.3, -0.1, 0.4, 0.05, 0.0, 0.25, -0.02, 0.6])
    theirs = permutation_test(
        (differences, np.zeros(8)), lambda a, b: (a - b).mean(), permutation_type="samples"
    )

    assert sign_flip(differences) == pytest.approx(theirs.pvalue)


def test_thrown_signs_agree_with_all_signs(monkeypatch):
    """20,000 throws against 2^12 ways, within five standard errors; in batches of one size or
    another the same."""
    differences = derive(1, "signs").normal(0.3, 1, 12)
    exact = sign_flip(differences)
    monkeypatch.setattr("equipoise.evaluation.significance.EXACT", 0)
    thrown = sign_flip(differences, samples=20_000)

    assert thrown == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))
    assert sign_flip(np.ones(40), samples=99) == 1 / 100


def test_real_differences_are_found():
    """A tenth of a standard deviation among 4,000 users: p below .001 by both, as Wilcoxon says;
    the interval lies above 0 and holds the truth."""
    rng = derive(2, "found")
    theirs = rng.normal(size=4_000)
    ours = theirs + rng.normal(0.1, 1, 4_000)
    found = compare(ours, theirs, samples=2_000)

    assert found.p_value < 0.001
    assert paired_bootstrap(ours - theirs, samples=2_000) < 0.001
    assert wilcoxon(ours, theirs).pvalue < 0.001
    assert 0 < found.interval.low < 0.1 < found.interval.high


def test_rows_of_one_user_count_as_one():
    """Copied ten times over, values are no surer: interval and p as before; without clusters they
    would be."""
    rng = derive(3, "clusters")
    ours, theirs = rng.random(40) + 0.1, rng.random(40)
    many = [np.repeat(column, 10) for column in (ours, theirs)]
    users = np.repeat(np.arange(40), 10)
    once, kept, mistaken = (
        compare(ours, theirs),
        compare(*many, users),
        compare(*many),
    )

    assert kept.difference == pytest.approx(once.difference)
    assert kept.interval == pytest.approx(once.interval)
    assert kept.p_value == once.p_value
    assert mistaken.p_value < once.p_value
    assert paired_bootstrap(many[0] - many[1], users) == paired_bootstrap(ours - theirs)


def test_no_difference_is_no_evidence():
    """Equal values: p 1, an interval of nothing, and all ties."""
    same = compare(np.ones(20), np.ones(20))

    assert (same.p_value, same.interval, same.ties) == (1, (0, 0), 20)
    assert paired_bootstrap(np.zeros(20)) == 1
    assert str(same) == "+0.0000 [+0.0000, +0.0000], p 1.0000, 0 up, 0 down, 20 alike"


def test_who_has_no_value_is_left_out():
    """NaN on either side takes the user out, with the cluster's label."""
    ours, theirs = np.array([1.0, np.nan, 3, 4]), np.array([0.0, 1, np.nan, 2])
    found = compare(ours, theirs, np.array(["a", "b", "c", "d"]))

    assert found.difference == 1.5
    assert found.wins == 2


def test_holm_by_hand():
    """.01 .04 .03 of three: .03, .06 (not below a smaller one's), .06; in the order given."""
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


@settings(max_examples=50)
@given(p=st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_order_and_lies_between(p):
    """Never below the p given, never above Bonferroni's, equal p alike."""
    given_, adjusted = np.array(p), holm(p)

    assert (adjusted >= given_).all()
    assert (adjusted <= np.minimum(1, given_ * len(p))).all()
    assert (np.diff(adjusted[np.argsort(given_)]) >= 0).all()


def test_holm_keeps_the_chance_of_any_alarm():
    """Five questions without a difference, 4,000 times over: any alarm at .05 in a twentieth."""
    p = derive(4, "holm").random((4_000, 5))
    alarms = np.mean([holm(row).min() <= 0.05 for row in p])

    assert alarms <= 0.05 + 5 * np.sqrt(0.05 * 0.95 / 4_000)
    assert (p.min(axis=1) <= 0.05).mean() > 0.2


def test_refusals():
    """Unlike users, too few, labels too few, nothing finite, p that is none, no samples."""
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(InvalidInput, match=r"ours has shape \(2,\), theirs \(1,\)"):
        compare(two, one)
    with pytest.raises(InvalidInput, match="1 users have both values; two are wanted"):
        compare(np.array([1.0, np.nan]), two)
    with pytest.raises(InvalidInput, match="2 differences but 1 clusters"):
        sign_flip(two, np.array([1]))
    with pytest.raises(InvalidInput, match="differences are wanted, one at least"):
        paired_bootstrap(np.array([np.nan]))
    with pytest.raises(InvalidInput, match=r"p-values are \[1.5\]; each lies in 0..1"):
        holm([1.5])
    with pytest.raises(InvalidInput, match="samples is 0; at least 1"):
        sign_flip(np.arange(1.0, 20), samples=0)
