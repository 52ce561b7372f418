"""Published figures, measured again from raw files: ``equipoise evaluate --suite quality``."""

from typing import Any

from equipoise.quality import (
    amazon_book,
    behaviours,
    gowalla,
    lightgcnpp,
    ml1m_m2,
    ml_1m,
    online_retail,
    social,
)
from equipoise.quality.ratings import COAT, ML_100K
from equipoise.quality.sessions import DIGINETICA, RETAILROCKET
from equipoise.quality.study import DETERMINISTIC, RANDOM, Measured, Row, Study, run, verdict

STUDIES: tuple[Study[Any], ...] = (
    ml_1m.STUDY,
    gowalla.STUDY,
    ml1m_m2.STUDY,
    amazon_book.STUDY,
    lightgcnpp.ML_1M,
    lightgcnpp.LASTFM,
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
