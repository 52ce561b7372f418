"""equipoise.data.scaling: values on one scale, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from equipoise.data import Interactions
from equipoise.data.scaling import Scaling, centred, min_max, z_score
from equipoise.errors import InvalidInteractions

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.floats(-50, 50, allow_subnormal=False)), min_size=1, max_size=25
)


@settings(max_examples=60)
@given(rows=ROWS, kind=st.sampled_from([min_max, z_score, centred]), grouped=st.booleans())
def test_undo_undoes(rows, kind, grouped) -> None:
    """For every scale and grouping."""
    groups, values = (np.array(column) for column in zip(*rows, strict=True))
    keys = groups if grouped else None
    scaling = kind(values, keys)
    back = scaling.undo(scaling.apply(values, keys), keys)

    assert back == pytest.approx(values, abs=1e-3)
    assert np.isfinite(scaling.apply(values, keys)).all()


@settings(max_examples=60)
@given(rows=ROWS)
def test_each_user_has_mean_nought_and_spread_one(rows) -> None:
    """Or is 0 throughout, where all values of the user are the same."""
    users, values = (np.array(column) for column in zip(*rows, strict=True))
    scaled = z_score(values, users).apply(values, users)

    for user in set(users.tolist()):
        mine, before = scaled[users == user].astype(float), values[users == user]
        alike = before.std() <= 1e-9 * max(1, abs(before.mean()))
        assert mine.mean() == pytest.approx(0, abs=1e-4)
        assert mine.std() == pytest.approx(0 if alike else 1, abs=1e-3)


def test_sklearn_agrees() -> None:
    """Over all rows: MinMaxScaler and StandardScaler."""
    values = np.array([3.0, -1.0, 4.0, 1.0, 5.0])

    assert min_max(values).apply(values) == pytest.approx(
        MinMaxScaler().fit_transform(values[:, None]).ravel()
    )
    assert z_score(values).apply(values) == pytest.approx(
        StandardScaler().fit_transform(values[:, None]).ravel(), rel=1e-6
    )


def test_by_user_by_hand() -> None:
    """Ann rates 1..5, Bob 4..5: the best of both is 1, the worst 0; centring keeps the steps."""
    users, stars = np.array([0, 0, 0, 1, 1]), np.array([1, 3, 5, 4, 5])

    assert min_max(stars, users).apply(stars, users).tolist() == [0, 0.5, 1, 0, 1]
    assert centred(stars, users).apply(stars, users).tolist() == [-2, 0, 2, -0.5, 0.5]


def test_who_was_never_met_has_the_scale_of_all() -> None:
    """A group without a row, a code beyond, and a negative one."""
    scaling = min_max(np.array([2.0, 4.0, 0.0, 8.0]), np.array([0, 0, 2, 2]))

    assert scaling.apply(np.full(5, 4.0), np.array([0, 1, 2, 9, -1])).tolist() == [
        1, 0.5, 0.5, 0.5, 0.5,
    ]  # fmt: skip
    assert scaling.apply(np.array([4.0])).tolist() == [0.5]


def test_a_scale_is_carried_to_the_test_part() -> None:
    """Codes mean the same in both parts, so what training taught fits the test part."""
    data = Interactions.from_columns("aaabbb", "xyzxyz", [1, 3, 5, 3, 4, 5])
    train, test = data.split_last()
    scaling = z_score(train.value, train.user)

    assert scaling.apply(test.value, test.user).tolist() == [3, 3]
    assert scaling.undo(np.array([3.0, 3.0]), test.user).tolist() == [5, 5]


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_a_scale_of_nothing_is_refused(values) -> None:
    """Empty, NaN and infinite columns have none."""
    for kind in (min_max, z_score, centred):
        with pytest.raises(InvalidInteractions, match="at least one value, all of them finite"):
            kind(np.array(values))


def test_a_group_each() -> None:
    """Learning and applying, both."""
    with pytest.raises(InvalidInteractions, match="2 values but 1 groups; one each"):
        z_score(np.ones(2), np.zeros(1, int))
    with pytest.raises(InvalidInteractions, match="2 values but 1 groups; one each"):
        Scaling(np.zeros(1), np.ones(1)).apply(np.ones(2), np.zeros(1, int))
