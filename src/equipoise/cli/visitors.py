"""Shoppers for a running server: ``python -m equipoise.cli.visitors URL A_MINUTE SEED [SET]``."""

from __future__ import annotations

import signal
import sys
from threading import Event as Signal
from urllib.error import URLError
from urllib.request import urlopen

from equipoise.cli.output import complain
from equipoise.clock import now
from equipoise.errors import EquipoiseError
from equipoise.intake.data_sets import DATA_SETS
from equipoise.randomness import fresh_id
from equipoise.simulation.client import OverHTTP
from equipoise.simulation.replay import replay
from equipoise.simulation.run import drive

STARTS_WITHIN_S = 60.0
GRACE_S = 2.0
REPLAY_DAYS_A_MINUTE = 4.0


def main(url: str, visitors: float, seed: int, data_set: str = "") -> None:
    """Come until SIGTERM."""
    stop = Signal()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    if not _ready(url, stop):
        complain(f"the service at {url} did not start within {STARTS_WITHIN_S:g} s")
        sys.exit(1)
    try:
        _come(url, visitors, seed, data_set, stop)
    except (OSError, EquipoiseError) as error:
        # A service that is being stopped does not answer its last visitors.
        if not stop.wait(GRACE_S):
            complain(f"the shoppers left: {error}")
            sys.exit(1)


def _come(url: str, visitors: float, seed: int, data_set: str, stop: Signal) -> None:
    if data_set:
        speed = REPLAY_DAYS_A_MINUTE * 1_440
        # A demo that keeps its data may be shown again: each time the log's events are new ones.
        prefix = fresh_id("", now()) + "-"
        replay(DATA_SETS[data_set](), OverHTTP(url), speed=speed, prefix=prefix, stop=stop)
    else:
        drive(url, seed, visitors, stop)


def _ready(url: str, stop: Signal) -> bool:
    for _ in range(round(STARTS_WITHIN_S * 5)):
        try:
            with urlopen(f"{url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            if stop.wait(0.2):
                return False
    return False


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:5])
