"""What drift is watched for, what is said of it, and what follows.

A residual ``(reward − expected) / √noise`` has variance 1 and a mean that does not move while the
world is as believed, whoever is shown to whom. So its *change* is news of the world: what an item
earned more or less than another item is in ``expected``. Beliefs that are still learning move it
too; hence nothing is watched before it has earned for a while.

What follows: ``forget`` keeps a part of what is known of the arms that drifted, once, so that their
spread is wide again and they are explored again, they and not the shop. It settles as they are
learnt anew. A bank of memories (``beliefs.bank``) earns more than alarms: .774 against .734 of what
is possible, over five worlds, and .709 with neither (``python -m benchmarks exploration
bank_or_alarms``). Both together earn .777: alarms are kept for what they say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from equipoise.clock import rfc3339
from equipoise.exploration.drift import Adwin, Bucket, Cut, Window
from equipoise.types import Arrays, Milliseconds

FURTHEST = 10.0
"""Standard deviations: a residual beyond counts as this far, a click where one in 100 was expected.
"""

SHOP = -2
"""The part that is all of them; -1 is what belongs to none."""
LEAST_NOISE = 1e-3
KEPT = 100


def residual(reward: float, expected: float, noise: float) -> float:
    """Standardised, within ±``FURTHEST``; 0 where nothing could vary."""
    if not noise > 0.0:
        return 0.0
    return min(max((reward - expected) / math.sqrt(noise), -FURTHEST), FURTHEST)


class Alarm(Struct, frozen=True, kw_only=True):
    """Rewards are no longer what they were."""

    ts: int
    where: str
    since: int
    """When the change set in, as far as can be told."""
    before: float
    after: float
    """Reward a look, before and after."""
    reason: str


class Watch:
    """An ``Adwin`` for the shop and for each of its parts (categories). Mutable; a fold.

    Args:
        least: expected rewards of a part before it is watched, and again after an alarm on it:
            until then it is the belief that moves, not the world.
        delta: of each ``Adwin``.
    """

    def __init__(self, *, least: float = 50.0, delta: float = 0.0001) -> None:
        self._least = least
        self._delta = delta
        self._windows: dict[int, Adwin] = {}
        self._expected: dict[int, float] = {}

    def see(
        self, part: int, *, reward: float, looks: float, expected: float, noise: float, ts: int
    ) -> Cut | None:
        """What one showing earned in a part; a ``Cut`` where that is a change.

        ``expected`` of it and ``noise`` (its variance) by the belief at the time of showing.
        """
        heard = self._expected.get(part, 0.0) + expected
        self._expected[part] = heard
        if heard < self._least:
            return None
        window = self._windows.get(part)
        if window is None:
            window = self._windows[part] = self._window()
        value = residual(reward, expected, noise)
        cut = window.update(value, ts, (reward, looks, expected))
        if cut is not None:
            # One change is one alarm: what follows it is learnt first, and watched again then.
            del self._windows[part]
            self._expected[part] = 0.0
        return cut

    def _window(self) -> Adwin:
        return Adwin(delta=self._delta, least=30, grace=100, reach=FURTHEST)

    def arrays(self) -> Arrays:
        """The whole state."""
        held = _Held(self._expected, {part: one.window for part, one in self._windows.items()})
        return {"json": np.frombuffer(msgspec.json.encode(held), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        held = msgspec.json.decode(arrays["json"].tobytes(), type=_Held)
        self._expected = held.expected
        self._windows = {part: self._window() for part in held.windows}
        for part, window in held.windows.items():
            self._windows[part].load(window)


class _Held(Struct):
    expected: dict[int, float]
    windows: dict[int, Window]


def alarm(cut: Cut, where: str, ts: int, day: str) -> Alarm:
    """A change in words; ``day`` names when it set in (``cut.after.since``)."""
    before, after = _rate(cut.before), _rate(cut.after)
    fell = cut.after.mean < cut.before.mean
    kept = [part.sums[0] / part.sums[2] if part.sums[2] > 0 else 0.0 for part in cut]
    return Alarm(
        ts=ts,
        where=where,
        since=cut.after.since,
        before=before,
        after=after,
        reason=f"clicks in {where} {'fell' if fell else 'rose'} from {_percent(before)} to "
        f"{_percent(after)} of looks since {day}: from {_percent(kept[0])} to {_percent(kept[1])} "
        "of what was expected",
    )


class Sentry:
    """What is watched in a shop, what is forgotten after an alarm, and the newest alarms. A fold.

    Args:
        beliefs: about the arms that are shown, such as the memories of a bank; forget in place.
        members: the arms of a part.
        name: of a part, for people.
        keep: what remains known of a part's arms after an alarm on it; 1 forgets nothing.
    """

    def __init__(
        self,
        beliefs: Sequence[Arms],
        members: Callable[[int], NDArray[np.integer[Any]]],
        name: Callable[[int], str],
        *,
        keep: float = 0.2,
    ) -> None:
        self._beliefs = tuple(beliefs)
        self._members = members
        self._name = name
        self._keep = keep
        self._watch = Watch()
        self.alarms: list[Alarm] = []
        """Newest last."""

    def see(
        self, part: int, *, clicked: float, looks: float, expected: float, ts: Milliseconds
    ) -> None:
        """A slot with an item of this part was clicked or left; ``expected`` clicks, before."""
        noise = expected * max(1.0 - expected, LEAST_NOISE)
        for place in (part, SHOP):
            cut = self._watch.see(
                place, reward=clicked, looks=looks, expected=expected, noise=noise, ts=ts
            )
            if cut is not None:
                where = "the shop" if place == SHOP else self._name(place)
                day = rfc3339(cut.after.since)[:10]
                self.alarms = [*self.alarms, alarm(cut, where, ts, day)][-KEPT:]
                if place != SHOP and self._keep < 1.0:
                    for belief in self._beliefs:
                        forget(belief, self._members(place), self._keep)

    def arrays(self) -> Arrays:
        """The whole state."""
        alarms = msgspec.json.encode(self.alarms)
        return {**self._watch.arrays(), "alarms": np.frombuffer(alarms, dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._watch.load(arrays)
        self.alarms = msgspec.json.decode(arrays["alarms"].tobytes(), type=list[Alarm])


class Arms(Protocol):
    """A belief about arms, such as ``RateBelief``, ``BetaBelief``: looks and rewards come first."""

    def decay(self, gamma: float) -> None: ...
    def arrays(self) -> Arrays: ...
    def load(self, arrays: Arrays) -> None: ...


def forget(belief: Arms, arms: Sequence[int] | NDArray[np.integer[Any]], keep: float) -> None:
    """Keep this part of what is known of these arms, in place; the others and the rest stay.

    Their mean moves towards their group's and their variance grows: by 1 / keep where they had been
    looked at much. O(all arms).

    Raises:
        ValueError: ``keep`` is no share.
    """
    if not 0.0 <= keep <= 1.0:
        raise ValueError(f"keep is {keep}; it is what remains, from 0 to 1")
    arrays = belief.arrays()
    known = np.asarray(arms, dtype=np.int64)
    arrays["arms"][known[known < len(arrays["arms"])], :2] *= keep
    belief.load(arrays)
    # Groups are sums over their arms: this has them summed anew, and fades nothing.
    belief.decay(1.0)


def _rate(part: Bucket) -> float:
    return part.sums[0] / part.sums[1] if part.sums[1] > 0 else 0.0


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
