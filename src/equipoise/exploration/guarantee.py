"""Never worse than the baseline by more than a share α, at any time, but for a stated chance.

Conservative bandits (Wu, Shariff, Lattimore and Szepesvári, ICML 2016; Kazerouni, Ghavamzadeh,
Abbasi-Yadkori and Van Roy, NeurIPS 2017): explore only while a lower bound of what was earned stays
above (1 − α) times what the baseline would have earned, the next list at its worst included.

What the baseline would have earned where it was not shown, nobody has seen. A model of rewards
would say; but the chance of failing would then be the model's. Therefore a list that may explore
throws a coin first (``exploration.coin``): with the chance ``audit`` it is the baseline's after
all. With r the reward of a list S, w = P(S by the baseline) / P(S), and any guess q of r made
before the coin was thrown::

    x = (1 − (1 − α) w) (r − q) + α q          E[x | past] = value − (1 − α) value of the baseline

for ``E[w] = 1``: whatever the world does, however the policy learns, and however bad the guess. No
w exceeds 1 / audit. A list of the baseline's own has w = 1 and adds α r: that is where the credit
for exploring comes from. The bound on Σ x is that of ``exploration.sequence``; it is right at all
times at once, so the guarantee fails with a chance of at most ``error``, in drift as in a launch.

Lists under way are charged before they are heard: the next one at the most that a list earns, the
others at the upper bound of the mean of the baseline's rewards. Only that last step assumes
something: that a list under way is not worth more to the baseline than its lists were, on average.

The baseline is whatever the caller shows with the coin: greedy by the same beliefs, or the shop's
own order. Rewards above ``most`` count as ``most``. Each list is judged given all that happened
before it; that an earlier list has changed the shopper is not undone. ``audit`` = ½ is about right:
a rarer baseline says less of itself, and its credit goes in knowing it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from equipoise.exploration.balance import Move
from equipoise.exploration.sequence import SumBound, SumState

TELL = 100
"""Lists between two moves at least."""


class GuaranteeState(Struct, frozen=True, kw_only=True):
    """All that a guarantee remembers. Plain numbers: as JSON it loses nothing."""

    credit: SumState = SumState()
    """Of what was earned over (1 − α) of the baseline's."""
    missed: SumState = SumState()
    """Of what the baseline's lists fall short of ``most``: bounds its reward from above."""
    under_way: int = 0
    """Lists that may have explored and are not heard yet."""
    told: bool = False
    """Whether it allowed exploring when it last said so."""
    quiet: int = 0
    """Lists since then."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Who may be shown next so that the baseline's reward is kept. Pure: state in, state out.

    Args:
        alpha: share of the baseline's reward that may be lost.
        error: chance that it is lost all the same, at any time.
        most: no list counts for more.
        audit: chance of the baseline's list where exploring is allowed.

    Raises:
        ValueError: an argument out of its range.
    """

    alpha: float = 0.1
    error: float = 0.05
    most: float = 1.0
    audit: float = 0.5

    def __post_init__(self) -> None:
        for name in ("alpha", "error", "audit"):
            value = getattr(self, name)
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name} is {value}; it lies between 0 and 1")
        if not 0.0 < self.most < math.inf:
            raise ValueError(f"most is {self.most}; it must be above 0 and finite")

    def init(self) -> GuaranteeState:
        """No credit yet: the baseline comes first."""
        return GuaranteeState()

    def share(self, state: GuaranteeState) -> float:
        """Chance of our own list next: 0, or 1 less the audit."""
        return 1.0 - self.audit if self.allows(state) else 0.0

    def allows(self, state: GuaranteeState) -> bool:
        """Whether the baseline's reward is kept even if the next list earns nothing."""
        credit = self._credit
        return credit.evidence(state.credit, self._charged(state)) >= credit.needed

    def begin(self, state: GuaranteeState, share: float) -> GuaranteeState:
        """A list is decided with this chance of our own; 0: nothing is risked."""
        return replace(state, under_way=state.under_way + (share > 0))

    def update(
        self,
        state: GuaranteeState,
        *,
        reward: float,
        weight: float,
        share: float,
        guess: float = 0.0,
        ts: int = 0,
    ) -> tuple[GuaranteeState, Move | None]:
        """A list is over, in the order in which they were decided.

        Args:
            reward: that it earned.
            weight: chance that the baseline had of showing it, over the chance that it was drawn
                with; 1 where only the baseline could be shown.
            share: as at ``begin``.
            guess: of the reward, made before the list was drawn.

        Raises:
            ValueError: a reward below 0, or a weight that this audit cannot give.
        """
        if not 0.0 <= reward < math.inf:
            raise ValueError(f"reward is {reward}; it must be finite, 0 or more")
        if not 0.0 <= weight <= (1.0 + 1e-6) / self.audit:
            raise ValueError(f"weight is {weight}; with this audit it is 0 to {1 / self.audit:g}")
        r, q = min(reward, self.most), min(max(guess, 0.0), self.most)
        w = min(weight, 1.0 / self.audit) if share > 0 else 1.0
        after = GuaranteeState(
            credit=self._credit.update(
                state.credit, (1.0 - (1.0 - self.alpha) * w) * (r - q) + self.alpha * q
            ),
            missed=self._missed.update(state.missed, w * (self.most - r)),
            under_way=state.under_way - (share > 0),
            told=state.told,
            quiet=state.quiet + 1,
        )
        return self._tell(after, ts)

    def lower(self, state: GuaranteeState) -> float:
        """Of what was earned over (1 − α) of the baseline's, with a chance of 1 − ``error``."""
        return self._credit.lower(state.credit)

    @property
    def below(self) -> float:
        """How far a list's x may lie below 0."""
        kept = 1.0 - self.alpha
        return max(kept, kept / self.audit - 1.0) * self.most

    @property
    def _credit(self) -> SumBound:
        # Half of the chance is for the rewards of lists under way, which are bounded from above.
        return SumBound(below=self.below, error=0.5 * self.error)

    @property
    def _missed(self) -> SumBound:
        return SumBound(below=self.most, error=0.5 * self.error)

    def _charged(self, state: GuaranteeState) -> float:
        """What the next list and those under way may cost."""
        dearest = self.most
        if state.under_way and state.missed.n:
            dearest -= max(self._missed.lower(state.missed) / state.missed.n, 0.0)
        return (1.0 - self.alpha) * (self.most + state.under_way * dearest)

    def _tell(self, state: GuaranteeState, ts: int) -> tuple[GuaranteeState, Move | None]:
        # At its edge the credit allows a list and is spent on it: not every turn is news.
        if state.quiet < TELL or self.allows(state) == state.told:
            return state, None
        allowed = not state.told
        words = "covers" if allowed else "no longer covers"
        move = Move(
            ts=ts,
            before=float(state.told),
            after=float(allowed),
            measured=max(self.lower(state), 0.0),
            target=self._charged(state),
            reason=f"what {state.credit.n:,} lists earned over {100 * (1 - self.alpha):g} % of the "
            f"baseline's {words} one more at its worst: "
            f"{'exploring' if allowed else 'the baseline alone'}",
        )
        return replace(state, told=allowed, quiet=0), move
