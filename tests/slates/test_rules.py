"""Rules say no to what cannot be; the board obeys what can."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.slates.rules import Board, Rules


def test_nothing_said_restricts_nothing() -> None:
    """Without rules all are open, whatever has been placed."""
    board = Board(Rules.of(n=4))
    board.place(2)

    assert board.due() is None
    assert board.open.tolist() == [True, True, False, True]


def test_pins_wait_for_their_slot_and_are_open_at_no_other() -> None:
    """In order of slots, whatever the order they were given in."""
    board = Board(Rules.of(n=5, pins=((3, 0), (1, 4))))

    assert board.open.tolist() == [False, True, True, True, False]
    order = []
    for _ in range(5):
        due = board.due()
        order.append(due)
        board.place(int(np.argmax(board.open)) if due is None else due)
    assert order == [None, 4, None, 0, None]


def test_pins_count_towards_their_group_from_the_start() -> None:
    """A pin at the last slot already takes its group's place; two pins may exceed the limit."""
    groups = np.array([3, 3, 3, -1, -1], dtype=np.int32)
    one = Board(Rules.of(n=5, pins=((4, 0),), groups=groups, max_per_group=1))
    two = Board(Rules.of(n=5, pins=((4, 0),), groups=groups, max_per_group=2))
    both = Board(Rules.of(n=5, pins=((0, 0), (1, 1)), groups=groups, max_per_group=1))

    assert one.open.tolist() == [False, False, False, True, True]
    assert two.open.tolist() == [False, True, True, True, True]
    assert both.due() == 0
    both.place(0)
    assert both.due() == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"closed": np.zeros(3, dtype=bool)}, "each has one entry a candidate"),
        ({"max_per_group": -1}, "max_per_group is -1; 0 means any number"),
        ({"pins": ((0, 4),)}, "pin of candidate 4 to slot 0: slots count from 0, and there are 4"),
        ({"pins": ((-1, 2),)}, "pin of candidate 2 to slot -1"),
        ({"pins": ((0, 1), (0, 2))}, "slot 0 is pinned 2 times; once is the most"),
        ({"pins": ((0, 1), (1, 1))}, "candidate 1 is pinned 2 times; once is the most"),
        (
            {"pins": ((2, 1),), "closed": np.array([False, True, False, False])},
            "candidate 1 is pinned to slot 2, but it is closed",
        ),
    ],
)
def test_refusals(keywords: dict[str, object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        Rules.of(n=4, **keywords)  # type: ignore[arg-type]

    assert message in str(refusal.value)
