"""He et al., "Neural Collaborative Filtering", WWW 2017: the negatives of each test item.

Training pairs are read by ``pairs`` (or ``ratings``, where values and times come with them), the
test rows by ``ratings``.
"""

from __future__ import annotations

import re
from pathlib import Path

from equipoise.data.interactions import Interactions
from equipoise.data.negatives import Negatives
from equipoise.data.readers.lines import lines, one, refuse

_PAIR = re.compile(r"\((\d+),\s*(\d+)\)")


def ncf_negatives(path: str | Path) -> tuple[Interactions, Negatives]:
    """``(user,item) ⇥ item ⇥ item …`` (``*.test.negative``): the test rows, and the items that
    each is ranked among.

    Some of the published negatives are the test item itself: they are left out, for a candidate
    stands in a list once.
    """
    users, items = [], []
    among: Negatives = {}
    for line, (pair, *others) in lines(path, "\t"):
        match = _PAIR.fullmatch(pair.strip())
        if match is None:
            refuse(path, line, f"starts with {pair!r}; (user,item) is wanted")
        user, item = map(int, match.groups())
        if user in among:
            refuse(path, line, f"asks user {user} a second time")
        users.append(user)
        items.append(item)
        found = (one(path, line, other, int) for other in others)
        among[user] = [other for other in dict.fromkeys(found) if other != item]
    return Interactions.from_columns(users, items), among
