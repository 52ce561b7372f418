"""Proof: what another policy would have earned, or another level, from the shop's own log.

::

    proof = prove(log, settings, [Question("plackett_luce", {"temperature": 0.3}, level=0.5)])
    proof.own, proof.lines[0].value, proof.lines[0].difference_interval
    costs, _ = level_costs(log, settings, (0, 0.25, 0.5, 1))

A decision stores all that a policy was told (candidates, means, variances, groups, pins) and the
conditional propensity of each slot. So any policy can be asked afterwards what it would have done
there, slot by slot, by the same rules. One file a step: ``lists`` (what each list earned, once that
is settled), ``laid`` (a policy laid over a list), ``evidence`` (the columns), ``estimates``,
``bounds``, ``verdict``; and ``levels``.
"""

from equipoise.proof.estimates import ESTIMATORS, estimate, own_value
from equipoise.proof.evidence import Columns, Evidence, collect
from equipoise.proof.laid import Question
from equipoise.proof.levels import level_costs
from equipoise.proof.lists import OUTCOMES, Earned, Harvest, Tally
from equipoise.proof.verdict import INTERVALS, Line, Proof, prove

__all__ = [
    "ESTIMATORS",
    "INTERVALS",
    "OUTCOMES",
    "Columns",
    "Earned",
    "Evidence",
    "Harvest",
    "Line",
    "Proof",
    "Question",
    "Tally",
    "collect",
    "estimate",
    "level_costs",
    "own_value",
    "prove",
]
