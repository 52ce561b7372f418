"""Published figures, measured again from raw files: ``equipoise evaluate --suite quality``."""

from equipoise.quality.study import DETERMINISTIC, RANDOM, Measured, Row, Study, run, verdict

__all__ = ["DETERMINISTIC", "RANDOM", "Measured", "Row", "Study", "run", "verdict"]
