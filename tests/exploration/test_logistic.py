"""The logistic belief: exact integrals, the offline fit, Chapelle & Li, and its spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_ndtr

from equipoise.exploration import GaussianBelief, LogisticBelief
from equipoise.exploration.beliefs.linked import LinkedBelief
from equipoise.exploration.beliefs.logistic import logistic_moments
from equipoise.exploration.beliefs.tilted import LOGIT, PROBIT, information, site
from equipoise.randomness import derive
from equipoise.testing.beliefs import LAWS, LOGISTIC, Make, data
from equipoise.types import Floats

PRIOR = {"prior_mean": np.array([0.5, -1.0, 0.0]), "prior_precision": np.array([1.0, 2.0, 0.5])}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    ("make", "tolerance"),
    [
        (lambda: LogisticBelief(3), 0.5),
        (lambda: LogisticBelief(3, **PRIOR), 0.5),
        (lambda: LogisticBelief(3, diagonal=True), 1.0),
    ],
    ids=["full", "full, with a prior", "diagonal"],
)
def test_laws(law: Callable[..., None], make: Make, tolerance: float) -> None:
    """Every law; order, double weight and merging within half a spread (diagonal: one)."""
    law(make, 3, LOGISTIC, tolerance)


def grid(low: float, high: float, n: int = 200_001) -> tuple[Floats, Floats]:
    """Points and Simpson's weights."""
    points = np.linspace(low, high, n)
    weight = np.full(n, 2.0)
    weight[1::2], weight[[0, -1]] = 4.0, 1.0
    return points, weight * (points[1] - points[0]) / 3.0


@pytest.mark.parametrize("mean", [-8.0, -3.0, 0.0, 2.0])
@pytest.mark.parametrize("sd", [1e-3, 0.3, 1.0, 3.0, 12.0])
def test_expected_reward_by_quadrature(mean: float, sd: float) -> None:
    """Mean and variance of the chance are those of a fine rule, from sure to ignorant."""
    f, weight = grid(mean - 10 * sd, mean + 10 * sd)
    mass = weight * np.exp(-0.5 * ((f - mean) / sd) ** 2)
    mass /= mass.sum()
    chance = mass @ expit(f)
    variance = mass @ (expit(f) - chance) ** 2
    ours = logistic_moments(np.array([mean]), np.array([sd**2]))

    assert ours[0][0] == pytest.approx(chance, rel=1e-6)
    assert ours[1][0] == pytest.approx(variance, rel=2e-5)


def test_common_approximations_are_worse() -> None:
    """At a spread of 3 MacKay's mean is off by .01, the delta method's variance by half."""
    mean, sd = np.array([-6.0, -3.0, -1.0]), 3.0
    chance, variance = logistic_moments(mean, np.full(3, sd**2))
    mackay = expit(mean / np.sqrt(1 + np.pi * sd**2 / 8))
    delta = (expit(mean) * expit(-mean) * sd) ** 2

    assert np.abs(mackay - chance).max() > 0.01
    assert np.abs(delta / variance - 1.0).min() > 0.5


@pytest.mark.parametrize("link", [LOGIT, PROBIT])
@pytest.mark.parametrize("reward", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weight", [0.4, 1.0, 60.0])
@pytest.mark.parametrize(("mean", "variance"), [(-3.0, 1.0), (1.0, 1e-5), (-8.0, 30.0), (0.5, 4.0)])
def test_a_reward_moves_the_score_as_bayes_says(
    link: int, reward: float, weight: float, mean: float, variance: float
) -> None:
    """Mean and variance after ``site`` are those of prior × likelihood, by a fine rule."""
    precision, z = site(mean, variance, reward, weight, link)
    after = 1.0 / (1.0 / variance + precision)
    log_chance = log_expit if link == LOGIT else log_ndtr
    sd = np.sqrt(variance)
    f, step = grid(mean - 11 * sd, mean + 11 * sd, 400_001)
    log_mass = weight * (reward * log_chance(f) + (1 - reward) * log_chance(-f))
    log_mass -= 0.5 * (f - mean) ** 2 / variance
    mass = step * np.exp(log_mass - log_mass.max())
    mass /= mass.sum()
    exact = mass @ f

    assert precision > 0.0
    assert after * (mean / variance + precision * z) == pytest.approx(
        exact, abs=1e-5 * np.sqrt(after)
    )
    assert after == pytest.approx(mass @ (f - exact) ** 2, rel=1e-5)


def test_a_reward_that_says_nothing() -> None:
    """Weight 0, or a chance that is 0 to the last bit already, moves nothing."""
    assert site(-3.0, 1.0, 1.0, 0.0, LOGIT) == (0.0, -3.0)
    assert site(-800.0, 1e-9, 0.0, 1.0, LOGIT) == (0.0, -800.0)


@pytest.mark.parametrize("score", [-30.0, -2.0, 0.0, 3.0])
def test_information_is_the_expected_curvature(score: float) -> None:
    """Fisher: g′² / (g (1 − g)); for the logistic link g (1 − g)."""
    slope = np.exp(-0.5 * score**2) / np.sqrt(2 * np.pi)
    normal = slope**2 / np.exp(log_ndtr(score) + log_ndtr(-score))

    assert information(score, LOGIT) == pytest.approx(expit(score) * expit(-score))
    assert information(score, PROBIT) == pytest.approx(normal, rel=1e-6)


def test_one_feature_exactly() -> None:
    """d = 1: after one reward the belief's moments are the integral's."""
    belief = LogisticBelief(1, prior_mean=np.array([-1.0]), prior_precision=0.25)
    belief = belief.update(np.array([[2.0]]), np.array([1.0]))
    f, step = grid(-25.0, 25.0)
    mass = step * np.exp(-0.125 * (f + 1.0) ** 2) * expit(2.0 * f)
    mass /= mass.sum()
    mean, variance = belief.latent(np.array([[1.0]]))

    assert mean[0] == pytest.approx(mass @ f, rel=1e-6)
    assert variance[0] == pytest.approx(mass @ (f - mass @ f) ** 2, rel=1e-6)


def fit(x: Floats, reward: Floats) -> tuple[Floats, Floats]:
    """Mode and covariance of the offline posterior with prior N(0, I): Laplace's approximation."""

    def loss(b: Floats) -> tuple[float, Floats]:
        score = x @ b
        value = 0.5 * b @ b - reward @ log_expit(score) - (1 - reward) @ log_expit(-score)
        return float(value), b - x.T @ (reward - expit(score))

    mode = minimize(loss, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    score = x @ mode
    curve = np.eye(len(mode)) + (x * (expit(score) * expit(-score))[:, None]).T @ x
    return mode, np.linalg.inv(curve)


def test_agrees_with_the_offline_fit() -> None:
    """One pass over 4,000 rewards: mean within a third of a spread of the fit, spreads in 5 %."""
    x, reward, _ = data(3, 4_000, LOGISTIC)
    mode, covariance = fit(x, reward)
    mean, variance = LogisticBelief(3).update(x, reward).latent(np.eye(3))

    assert (np.abs(mean - mode) < 0.33 * np.sqrt(np.diag(covariance))).all()
    np.testing.assert_allclose(np.sqrt(variance), np.sqrt(np.diag(covariance)), rtol=0.05)


def test_diagonal_is_exact_where_features_never_meet() -> None:
    """One feature a row: the diagonal form is the full one."""
    rng = derive(0, "test logistic")
    x = np.eye(4)[rng.integers(4, size=50)] * rng.normal(size=(50, 1))
    reward = (rng.random(50) < 0.3).astype(float)
    full = LogisticBelief(4).update(x, reward).latent(x)
    diagonal = LogisticBelief(4, diagonal=True).update(x, reward).latent(x)

    np.testing.assert_allclose(full, diagonal, rtol=1e-9, atol=1e-12)


def chapelle_li(x: Floats, reward: Floats) -> tuple[Floats, Floats]:
    """Algorithm 3 of Chapelle & Li (2011) as printed, a reward at a time: (m, q)."""
    m, q = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for row, r in zip(x, reward, strict=True):
        h = row**2 @ (1.0 / q)
        # Its minimiser lies along x / q: m + a x / q, with a = r − σ(xᵀm + a h).
        low, high = -1.0, 1.0
        for _ in range(50):
            a = 0.5 * (low + high)
            low, high = (a, high) if r - expit(row @ m + a * h) > a else (low, a)
        m = m + a * row / q
        chance = expit(row @ m)
        q = q + row**2 * chance * (1 - chance)
    return m, q


def together(n: int, rng: np.random.Generator) -> Floats:
    """(n, 6) features that come together: correlations of .8, and a constant."""
    x = np.sqrt(0.8) * rng.normal(size=(n, 1)) + np.sqrt(0.2) * rng.normal(size=(n, 6))
    x[:, 0] = 1.0
    return x


def test_diagonal_errs_less_than_algorithm_3() -> None:
    """On correlated features: smaller errors, and spreads nearer to them, over 40 worlds."""
    rng = derive(1, "test logistic")
    errors, claims = np.zeros(2), np.zeros(2)
    for _ in range(40):
        truth, x = rng.normal(size=6), together(410, rng)
        reward = LOGISTIC.rewards(x @ truth, rng)
        x, held, reward = x[:400], x[400:], reward[:400]
        m, q = chapelle_li(x, reward)
        mean, variance = LogisticBelief(6, diagonal=True).update(x, reward).latent(held)
        for k, (guess, spread) in enumerate([(held @ m, held**2 @ (1 / q)), (mean, variance)]):
            gap = (guess - held @ truth) ** 2
            errors[k] += gap.mean()
            claims[k] += (gap / spread).mean()

    assert errors[1] < 0.95 * errors[0]
    assert claims[1] < 0.85 * claims[0]


def test_calibration_widens_what_is_too_sure() -> None:
    """Correlated features: spreads grow with what was learnt; independent ones: hardly at all."""
    rng = derive(2, "test logistic")
    plain = LogisticBelief(6, diagonal=True)
    belief = plain.calibrated(together(1_040, rng))
    x = together(1_000, rng)
    learnt = belief.update(x, LOGISTIC.rewards(x @ rng.normal(size=6), rng))
    apart = plain.calibrated(rng.normal(size=(1_040, 6)))

    assert belief.spread == 1.0
    assert learnt.spread > 1.5
    assert apart.update(x, np.ones(len(x))).spread < 1.25
    assert learnt.decay(0.0).spread == 1.0
    assert LogisticBelief(6).calibrated(together(1_040, rng)).update(x, np.ones(1_000)).spread < 1.1


def test_same_rows_same_calibration() -> None:
    """Calibration is a function of rows and seed."""
    x = together(100, derive(3, "test logistic"))
    one, other, third = (
        LogisticBelief(6, diagonal=True).calibrated(x, random_state=seed) for seed in (0, 0, 1)
    )

    assert np.array_equal(one.arrays()["calibration"], other.arrays()["calibration"])
    assert not np.array_equal(one.arrays()["calibration"], third.arrays()["calibration"])


def test_shares_of_many_looks() -> None:
    """A share with its looks is exact; the same rewards one by one err some tenths of a spread."""
    rng, gaps, ratios = derive(6, "test logistic"), [], []
    prior = LogisticBelief(1, prior_mean=np.array([-3.0]))
    for _ in range(50):
        rewards = LOGISTIC.rewards(np.full(500, rng.normal(-3.0)), rng)
        singly = prior.update(np.ones((500, 1)), rewards).latent(np.ones((1, 1)))
        share, looks = np.array([rewards.mean()]), np.array([500.0])
        exact = prior.update(np.ones((1, 1)), share, looks).latent(np.ones((1, 1)))
        gaps.append((singly[0][0] - exact[0][0]) / np.sqrt(exact[1][0]))
        ratios.append(singly[1][0] / exact[1][0])

    assert abs(np.mean(gaps)) < 0.1
    assert np.sqrt(np.mean(np.square(gaps))) < 0.3
    assert np.median(ratios) == pytest.approx(1.0, abs=0.05)


def test_what_is_awaited_narrows_as_much_as_it_will() -> None:
    """Pending looks at a known item: the spread that their rewards leave on average."""
    rng = derive(4, "test logistic")
    x = np.ones((400, 1))
    belief = LogisticBelief(1).update(x, (rng.random(400) < 0.3).astype(float))
    later = [belief.update(x, (rng.random(400) < 0.3).astype(float)) for _ in range(20)]
    awaited = belief.pending(x).latent(x[:1])[1][0]

    assert awaited == pytest.approx(np.mean([b.latent(x[:1])[1][0] for b in later]), rel=0.03)
    assert belief.pending(x).n == 400


def test_a_row_of_zeros_teaches_nothing() -> None:
    """It has no spread either, on any form."""
    for diagonal in (False, True):
        belief = LogisticBelief(2, diagonal=diagonal)
        after = belief.update(np.zeros((3, 2)), np.ones(3))

        np.testing.assert_array_equal(after.latent(np.eye(2)), belief.latent(np.eye(2)))
        np.testing.assert_array_equal(after.covariance_root(np.zeros((1, 2))), np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda b: LogisticBelief(3, prior_mean=np.ones(2)), "with 3 features each has (3,)"),
        (lambda b: LogisticBelief(3, prior_precision=-1.0), "prior_precision -1.0 must be above 0"),
        (lambda b: b.update(np.ones((1, 3)), np.array([1.5])), "a reward lies outside 0…1"),
        (lambda b: b.update(np.ones((1, 3)), np.array([-0.1])), "a reward lies outside 0…1"),
        (lambda b: b.latent(np.ones((1, 2))), "x has shape (1, 2); it must be (n, 3)"),
        (lambda b: b.merge(LogisticBelief(3, diagonal=True)), "merge only in one form"),
        (lambda b: b.merge(LogisticBelief(3, prior_precision=2.0)), "from the same prior"),
        (lambda b: b.decay(-0.1), "gamma is -0.1; it is what remains, from 0 to 1"),
        (lambda b: b.calibrated(np.ones((31, 3))), "calibration takes 32 rows or more"),
        (
            lambda b: b.update(np.ones((1, 3)), np.ones(1)).calibrated(np.ones((40, 3))),
            "40 rows for a belief of 1 observations",
        ),
    ],
)
def test_refusals(attempt: Callable[[LogisticBelief], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(LogisticBelief(3))

    assert message in str(refusal.value)


def test_a_belief_needs_a_link() -> None:
    """The common part alone cannot be made: it has no link to predict by."""
    with pytest.raises(TypeError, match="abstract"):
        LinkedBelief(2, diagonal=True, prior_mean=None, prior_precision=1.0, unit=1.0)


def test_better_than_a_line() -> None:
    """Rare clicks: the chance is better known by its log loss than by linear regression."""
    rng = derive(5, "test logistic")
    x = np.hstack([np.ones((4_000, 1)), rng.normal(size=(4_000, 3))])
    reward = LOGISTIC.rewards(x @ np.array([-4.0, 1.5, -1.0, 0.5]), rng)
    losses = []
    for belief in (LogisticBelief(4, prior_precision=0.1), GaussianBelief(4)):
        chance, _ = belief.update(x[:2_000], reward[:2_000]).predict(x[2_000:])
        chance = np.clip(chance, 1e-3, 1 - 1e-3)
        losses.append(-np.mean(np.where(reward[2_000:] > 0, np.log(chance), np.log1p(-chance))))

    assert losses[0] < 0.9 * losses[1]
