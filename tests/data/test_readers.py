"""equipoise.data.readers: research formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from equipoise.data import readers
from equipoise.errors import InvalidInteractions


def written(folder: Path, text: str | bytes, name: str = "set.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_adjacency_is_one_user_a_line(tmp_path: Path) -> None:
    """Order of the line is kept, a user with no items passed over, ids are integers."""
    data = readers.adjacency(written(tmp_path, "7 3 1 2\n8\n9 1\n"))

    assert data.user_ids.tolist() == [7, 9]
    assert data.histories() == [[3, 1, 2], [1]]


def test_pairs_are_one_interaction_a_line(tmp_path: Path) -> None:
    """Texts stay texts; the order of the file is the order of time."""
    data = readers.pairs(written(tmp_path, "u b\nv a\n\nu a\n"))

    assert data.user_ids.tolist() == ["u", "v"]
    assert data.histories() == [["b", "a"], ["a"]]


def test_windows_lines_and_marks_are_read(tmp_path: Path) -> None:
    """Carriage returns, a byte order mark and white space at the end change nothing."""
    data = readers.pairs(written(tmp_path, b"\xef\xbb\xbf1 2 \r\n1 3\r\n"))

    assert data.histories() == [[2, 3]]


def test_id_lists_lead_back(tmp_path: Path) -> None:
    """Original ids by number, with KGAT's third column or without."""
    kgat = "org_id remap_id freebase_id\nB0001 0 m.04\nA3R 1 m.05\n"

    assert readers.id_list(written(tmp_path, "org_id remap_id\n8975 0\n9190 1\n")) == {
        0: "8975",
        1: "9190",
    }
    assert readers.id_list(written(tmp_path, kgat)) == {0: "B0001", 1: "A3R"}


def test_attributes_are_sets_in_order(tmp_path: Path) -> None:
    """S3-Rec's JSON; what is repeated is said once."""
    path = written(tmp_path, json.dumps({"4": [2, 1, 2], "7": []}))

    assert readers.attributes(path) == {4: [2, 1], 7: []}


def test_given_negatives_are_lists(tmp_path: Path) -> None:
    """S3-Rec's samples: user, then items."""
    assert readers.negatives(written(tmp_path, "1 9 8\n2 7\n")) == {1: [9, 8], 2: [7]}


def test_ncf_negatives_are_a_set_without_the_item_asked_for(tmp_path: Path) -> None:
    """The test rows, and for each user what it is ranked among."""
    test, among = readers.ncf_negatives(written(tmp_path, "(0,25)\t1\t25\t2\t1\n(3, 7)\t5\n"))

    assert test.user_ids.tolist() == [0, 3]
    assert test.histories() == [[25], [7]]
    assert among == {0: [1, 2], 3: [5]}


def test_ratings_have_values_and_times(tmp_path: Path) -> None:
    """MovieLens 100K's tabs, MovieLens 1M's colons, ratings.csv's commas under a head."""
    hundred = readers.ratings(written(tmp_path, "2\t9\t3\t20\n1\t9\t4.5\t10\n"))
    million = readers.ratings(written(tmp_path, "2::9::3::20\n1::9::4.5::10\n"), "::")
    head = "userId,movieId,rating,timestamp\n"
    latest = readers.movielens(written(tmp_path, head + "2,9,3,20\n1,9,4.5,10\n"))

    for data in (hundred, million, latest):
        assert data.user_ids.tolist() == [1, 2]
        assert data.value.tolist() == [4.5, 3]
        assert data.timestamp.tolist() == [10_000, 20_000]


def test_plays_and_friends(tmp_path: Path) -> None:
    """With HetRec's head and without; friends who never played are left out."""
    head = written(tmp_path, "userID\tartistID\tweight\n2\t51\t13883\n3\t51\t1\n")
    plays = readers.plays(head)
    bare = readers.plays(written(tmp_path, "2\t51\t13883\n3\t51\t1\n"))
    ties = written(tmp_path, "userID\tfriendID\n2\t3\n3\t2\n2\t99\n2\t3\n", "friends.dat")

    assert plays.value.tolist() == bare.value.tolist() == [13883, 1]
    assert readers.friends(ties, plays).toarray().tolist() == [[0, 1], [1, 0]]


def test_sessions_are_lines(tmp_path: Path) -> None:
    """A session's id is its line; repeats stay."""
    data = readers.sessions(written(tmp_path, "5 5 6\n\n7 5\n"))

    assert data.user_ids.tolist() == [1, 3]
    assert data.histories() == [[5, 5, 6], [7, 5]]


def test_prefixes_with_and_without_sessions(tmp_path: Path) -> None:
    """Two columns, where the cut by one click is of the same session, or four."""
    two = readers.prefixes(written(tmp_path, "5 6\t7\n5\t6\n5\t6\n8\t6\n"))
    four = readers.prefixes(written(tmp_path, "81\t5 6\t7\t1441940543\n82\t5\t6\t1441940999\n"))

    assert two == ([[5, 6], [5], [5], [8]], [7, 6, 6, 6], [0, 0, 1, 2])
    assert four == ([[5, 6], [5]], [7, 6], [81, 82])


def test_coat_keeps_places(tmp_path: Path) -> None:
    """Codes are rows and columns, whether anybody rated them or not."""
    written(tmp_path, "0 3 0\n0 0 5\n", "train.ascii")
    written(tmp_path, "1 0 0\n0 0 2\n", "test.ascii")
    written(tmp_path, "0.1 0.2 0.3\n0.4 0.5 1.0\n", "propensities.ascii")
    coat = readers.coat(tmp_path)

    assert coat.train.matrix().toarray().tolist() == [[0, 3, 0], [0, 0, 5]]
    assert coat.test.matrix().toarray().tolist() == [[1, 0, 0], [0, 0, 2]]
    assert coat.propensities[coat.train.user, coat.train.item].tolist() == [0.2, 1.0]
    assert coat.train.item_ids.tolist() == coat.test.item_ids.tolist() == [0, 1, 2]


def behaviours(folder: Path) -> Path:
    written(folder, "0\t5\t1433222501\n0\t6\t1433222502\n", "train_mat_view.tsv")
    written(folder, "0\t5\t1433222510\n", "train_mat_cart.tsv")
    written(folder, "1\t6\t1433222520\n", "train_mat_buy.tsv")
    written(folder, "0\t7\t1\n", "test_mat.tsv")
    return folder


def test_behaviours_are_weighed(tmp_path: Path) -> None:
    """View 1, cart 3, purchase 5, or as the caller says; the test is one purchase a user."""
    train, test = readers.behaviours(behaviours(tmp_path))
    bought, _ = readers.behaviours(tmp_path, {"purchase": 1.0})

    assert train.matrix().toarray().tolist() == [[1 + 3, 1], [0, 5]]
    assert train.timestamp[-1] == 1433222520_000
    assert test.histories() == [[7]]
    assert bought.histories() == [[6]]
    with pytest.raises(InvalidInteractions, match="no behaviour is left: weights name none"):
        readers.behaviours(tmp_path, {"share": 1.0})


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (readers.pairs, "1 2\n1 2 3\n", "line 2 of set.txt holds 3 fields; two are wanted: user"),
        (readers.pairs, b"1 2\n1 \xff\n", "line 2 of set.txt holds bytes that are no UTF-8"),
        (readers.pairs, "\n", "set.txt holds no interactions"),
        (readers.adjacency, "1\n2\n", "set.txt holds no interactions"),
        (readers.negatives, "1 2\n1 3\n", "line 2 of set.txt gives user 1 a second list"),
        (readers.negatives, "1 x\n", "line 1 of set.txt holds 'x'; a whole number is wanted"),
        (readers.id_list, "8975 0\n", "line 1 of set.txt is '8975 0'; the head 'org_id remap_id'"),
        (readers.id_list, "org_id remap_id\n8975\n", "line 2 of set.txt holds 1 fields; 2 are"),
        (readers.id_list, "org_id remap_id\na b\n", "line 2 of set.txt holds 'b'; a whole"),
        (readers.id_list, "org_id remap_id\n", "set.txt holds no rows"),
        (readers.attributes, '{"1": [2],\n"2" 3}', "line 2 of set.txt is no JSON: Expecting ':'"),
        (readers.attributes, '{"1": ["red"]}', "line 1 of set.txt does not read .*invalid literal"),
        (readers.attributes, "[1]", "line 1 of set.txt does not read"),
        (readers.ncf_negatives, "(0,1)\t2\n0,1\t2\n", r"line 2 of set.txt starts with '0,1'; \(us"),
        (readers.ncf_negatives, "(0,1)\t2\n(0,3)\t2\n", "line 2 of set.txt asks user 0 a second"),
        (readers.ncf_negatives, "(0,1)\t2\tx\n", "line 1 of set.txt holds 'x'; a whole number"),
        (readers.ncf_negatives, "", "no rows: at least one interaction"),
        (readers.ratings, "1\t2\t3\t4\n1\t2\t3\n", "line 2 of set.txt holds 3 fields; 4 are want"),
        (readers.ratings, "u\t2\t3\t4\n", "line 1 of set.txt holds 'u'; a whole number is wanted"),
        (readers.ratings, "1\t2\t3\t4\n1\t2\tgood\t4\n", "line 2 .* 'good'; a number is wanted"),
        (readers.ratings, "1\t2\tnan\t4\n", "row 0 of column 'values' is nan; a finite number"),
        (readers.movielens, "userId,movieId,rating,timestamp\n", "set.txt holds no rows"),
        (readers.plays, "2\t51\t1\n2\t51\tmany\n", "line 2 of set.txt holds 'many'; a number"),
        (readers.sessions, "1 2\n1 b\n", "line 2 of set.txt holds 'b'; a whole number is wanted"),
        (readers.sessions, "", "no rows: at least one interaction"),
        (readers.prefixes, "1\t2\n1\n", "line 2 of set.txt holds 1 fields; two are wanted"),
        (readers.prefixes, "1\t2\nb\t2\n", "line 2 of set.txt holds 'b'; a whole number"),
        (readers.prefixes, "9\t1\t2\t5\n1\t2\n", "line 2 of set.txt has no session, but lines"),
        (readers.prefixes, "1\t2\n9\t1\t2\t5\n", "line 2 of set.txt has a session, but lines"),
        (readers.prefixes, "", "set.txt holds no prefixes"),
        (readers.dense, "1 2\n3\n", "line 2 of set.txt holds 1 numbers; those before hold 2"),
        (readers.dense, "1 x\n", "line 1 of set.txt holds 'x'; a number is wanted"),
        (readers.dense, "", "set.txt holds no rows"),
    ],
)
def test_a_broken_line_is_named(
    tmp_path: Path, read: Callable[[Path], object], text: str | bytes, message: str
) -> None:
    """With the file's name and the line's number, counted from one as editors do."""
    with pytest.raises(InvalidInteractions, match=message):
        read(written(tmp_path, text))


def test_friends_that_do_not_read_are_named(tmp_path: Path) -> None:
    """As everywhere."""
    plays = readers.plays(written(tmp_path, "2\t51\t1\n"))
    with pytest.raises(InvalidInteractions, match=r"line 2 of friends.dat holds 3 fields; 2 are"):
        readers.friends(written(tmp_path, "2\t3\n2\t3\t4\n", "friends.dat"), plays)


def test_matrices_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Another shape, or a propensity that is none."""
    written(tmp_path, "0 3\n", "train.ascii")
    written(tmp_path, "0 3\n", "test.ascii")
    written(tmp_path, "0.1\n", "propensities.ascii")
    with pytest.raises(InvalidInteractions, match=r"propensities.ascii has shape \(1, 1\), train"):
        readers.coat(tmp_path)
    written(tmp_path, "0.1 0\n", "propensities.ascii")
    with pytest.raises(InvalidInteractions, match="above 0 and at most 1 are wanted"):
        readers.coat(tmp_path)


# ---------------------------------------------------------------- the sets themselves


def shape(data) -> tuple[int, int, int]:
    return len(data), len(np.unique(data.user)), len(np.unique(data.item))


def test_movielens_sets(data_set: Callable[[str], Path]) -> None:
    """Counts of the sets' own README files."""
    hundred = readers.ratings(data_set("ml-100k") / "u.data")
    latest = readers.movielens(data_set("ml-latest-small") / "ratings.csv")

    assert shape(hundred) == (100_000, 943, 1_682)
    assert shape(latest) == (100_836, 610, 9_724)
    assert set(hundred.value.tolist()) == {1, 2, 3, 4, 5}


def test_ncf_set(data_set: Callable[[str], Path]) -> None:
    """6,040 questions among 99; 156 of the published negatives are the item itself."""
    test, among = readers.ncf_negatives(data_set("ml-1m") / "ml-1m.test.negative")
    rated = readers.ratings(data_set("ml-1m") / "ml-1m.test.rating")
    by_user = sorted(zip(rated.user_ids, rated.histories(), strict=True))

    assert sum(map(len, among.values())) == 6_040 * 99 - 156
    assert test.histories() == [h for _, h in by_user]


def test_graph_sets(data_set: Callable[[str], Path]) -> None:
    """KGAT's Amazon-book: 70,679 users, 24,915 books, original ids for all."""
    folder = data_set("kgat-amazon-book")

    assert shape(readers.adjacency(folder / "train.txt")) == (652_514, 70_679, 24_915)
    assert len(readers.id_list(folder / "item_list.txt")) == 24_915


def test_sequence_sets(data_set: Callable[[str], Path]) -> None:
    """S3-Rec's Beauty: 22,363 users, 12,101 items, all of which have attributes."""
    folder = data_set("s3rec-beauty-toys-lastfm")
    data = readers.adjacency(folder / "Beauty.txt")
    sampled = readers.negatives(folder / "LastFM_sample.txt")

    assert shape(data) == (198_502, 22_363, 12_101)
    assert set(readers.attributes(folder / "Beauty_item2attributes.json")) == set(data.item_ids)
    assert {len(items) for items in sampled.values()} == {99}
    assert shape(readers.pairs(data_set("bert4rec-beauty") / "beauty.txt"))[1] == 40_226


def test_session_sets(data_set: Callable[[str], Path]) -> None:
    """All prefixes of diginetica's training sessions are SR-GNN's 719,470 pairs."""
    folder = data_set("diginetica")
    data = readers.sessions(folder / "train_sessions.txt")
    tested = readers.prefixes(folder / "test_prefix_target.txt")
    shop = readers.prefixes(data_set("retailrocket-session") / "test_sid_prefix_target_ts.txt")

    assert len(data) - data.n_users == 719_470
    assert len(tested.targets) == 60_858
    assert tested.sessions[-1] + 1 == sum(len(prefix) == 1 for prefix in tested.histories)
    assert len(shop.sessions) == len(shop.targets) == 15_132


def test_coat_set(data_set: Callable[[str], Path]) -> None:
    """24 chosen and 16 drawn coats for each of 290 people."""
    coat = readers.coat(data_set("coat"))

    assert set(np.bincount(coat.train.user)) == {24}
    assert set(np.bincount(coat.test.user)) == {16}
    assert coat.propensities.shape == (290, 300)


def test_social_set(data_set: Callable[[str], Path]) -> None:
    """92,834 plays; 25,434 links, each in both directions."""
    folder = data_set("lastfm-hetrec")
    plays = readers.plays(folder / "ratings.txt")
    links = readers.friends(folder / "trusts.txt", plays)

    assert shape(plays) == (92_834, 1_892, 17_632)
    assert links.nnz == 25_434
    assert (links != links.T).nnz == 0


def test_behaviour_set(data_set: Callable[[str], Path]) -> None:
    """2,174 buyers with one test purchase each, 211 of them of items never met in training."""
    train, test = readers.behaviours(data_set("retailrocket-mb"))

    assert shape(train)[:2] == (75_374 + 12_456 + 9_551, 2_174)
    assert set(np.bincount(test.user)) == {1}
    new = set(test.item_ids) - set(train.item_ids)
    assert sum(test.item_ids[code] in new for code in test.item) == 211
