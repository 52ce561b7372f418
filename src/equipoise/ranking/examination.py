"""How likely a slot is to be looked at: the position-based model of clicks.

P(click at k) = look(k) · P(click | looked at) (Richardson, Dominowska and Ragno, WWW 2007; Craswell
et al., WSDM 2008). A slot that was probably not seen teaches little, and is no proof of a bad item.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from equipoise.types import Floats

STEEPNESS = 0.6
"""0: every slot is looked at; 1: the discount of DCG; 0.6: the ninth half as often as the first."""


@lru_cache(maxsize=256)
def look(slots: int, *, steepness: float = STEEPNESS) -> Floats:
    """(slots,) chance that a slot is looked at: ``log2(k + 2) ** -steepness``, 1 for the first.

    An assumption, not an estimate: the shape is DCG's discount (Järvelin and Kekäläinen, TOIS
    2002), flattened. It stands until the curve is estimated from the log's own randomised
    positions. Rates learnt under it are relative to it; a wrong curve biases items by the slots
    they get, no more.
    Read-only, since shared.
    """
    curve: Floats = np.log2(np.arange(slots) + 2.0) ** -steepness
    curve.setflags(write=False)
    return curve
