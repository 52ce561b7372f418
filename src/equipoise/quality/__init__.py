"""Published figures, measured again from raw files: ``equipoise evaluate --suite quality``."""

from typing import Any

from equipoise.quality import behaviours, ml_1m, online_retail, social
from equipoise.quality.fixed_splits import (
    AMAZON_BOOK,
    GOWALLA,
    LIGHTGCNPP_LASTFM,
    LIGHTGCNPP_ML_1M,
    ML1M_M2,
)
from equipoise.quality.ratings import COAT, ML_100K
from equipoise.quality.sessions import DIGINETICA, RETAILROCKET
from equipoise.quality.study import DETERMINISTIC, RANDOM, Measured, Row, Study, run, verdict

STUDIES: tuple[Study[Any], ...] = (
    ml_1m.STUDY,
    GOWALLA,
    ML1M_M2,
    AMAZON_BOOK,
    LIGHTGCNPP_ML_1M,
    LIGHTGCNPP_LASTFM,
    ML_100K,
    COAT,
    DIGINETICA,
    RETAILROCKET,
    behaviours.STUDY,
    social.STUDY,
    online_retail.STUDY,
)
"""In the order of the page; a new study is one file and one name here."""

__all__ = ["DETERMINISTIC", "RANDOM", "STUDIES", "Measured", "Row", "Study", "run", "verdict"]
