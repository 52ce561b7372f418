"""What Prometheus scrapes: one registry a server, so that two in one process do not mix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from equipoise.engine import Engine
from equipoise.types import Decision

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COMMIT_S = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)


class Observed(Protocol):
    """The running shop, as far as it is counted (``live.Live``)."""

    engine: Engine
    failing: bool

    @property
    def seq(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def buckets(self) -> int: ...


class Metrics:
    """The counters of one server."""

    def __init__(self, live: Observed) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "equipoise_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._latency = Histogram(
            "equipoise_request_seconds",
            "From the first byte in to the last byte out.",
            ("method", "route"),
            buckets=LATENCY_S,
            registry=registry,
        )
        self._events = Counter(
            "equipoise_events",
            "Events by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self.accepted = self._events.labels("accepted")
        self.duplicated = self._events.labels("duplicated")
        self.rejected = self._events.labels("rejected")
        self.unkept = Counter(
            "equipoise_rejected_events_unkept",
            "Refused events whose dead letter could not be stored.",
            registry=registry,
        )
        self.commit = Histogram(
            "equipoise_log_commit_seconds",
            "From handing records to the log until they were durable and folded in.",
            buckets=COMMIT_S,
            registry=registry,
        )
        self._decisions = Counter(
            "equipoise_decisions",
            "Lists decided.",
            ("placement", "fallback_level"),
            registry=registry,
        )
        self._slots = Counter(
            "equipoise_slots",
            "Places filled, by whether greedy would have shown another.",
            ("placement", "explored"),
            registry=registry,
        )
        self._expected = Counter(
            "equipoise_expected_reward",
            "What the greedy lists would have earned by our own belief, in the shop's currency.",
            ("placement",),
            registry=registry,
        )
        self._cost = Counter(
            "equipoise_exploration_cost",
            "Expected reward given up for exploring, in the shop's currency.",
            ("placement",),
            registry=registry,
        )
        registry.register(_State(live))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(seconds)

    def decision(self, decision: Decision) -> None:
        placement = decision.query.placement
        self._decisions.labels(placement, decision.fallback_level).inc()
        explored = sum(slot.explored for slot in decision.slots)
        self._slots.labels(placement, "true").inc(explored)
        self._slots.labels(placement, "false").inc(len(decision.slots) - explored)
        self._expected.labels(placement).inc(max(decision.expected, 0.0))
        self._cost.labels(placement).inc(max(decision.cost, 0.0))

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)


class _State(Collector):
    """What is read off the engine at the moment of the scrape."""

    def __init__(self, live: Observed) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        live = self._live
        known = live.engine.knowledge
        yield CounterMetricFamily(
            "equipoise_decisions_lost",
            "Lists that were served but could not be stored: clicks on them teach nothing.",
            value=live.lost,
        )
        yield _gauge("equipoise_log_seq", "The newest record folded in.", live.seq)
        yield _gauge("equipoise_log_waiting", "Records that wait to be written.", live.waiting)
        yield _gauge("equipoise_log_failing", "1 while the log refuses.", live.failing)
        yield _gauge("equipoise_items", "Items the log has named.", len(known.catalogue))
        yield _gauge("equipoise_profiles", "Shoppers with a profile.", len(known.shoppers))
        yield _gauge(
            "equipoise_open_decisions", "Decisions with slots in flight.", len(known.attribution)
        )
        yield _gauge("equipoise_limit_buckets", "Token buckets kept.", live.buckets)
        yield from _credit(live.engine)
        yield from _balances(live.engine)

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: a placement may appear at any time."""
        return ()


def _credit(engine: Engine) -> Iterator[Metric]:
    """What was said and did not teach (``docs/attacks.md``)."""
    withheld = CounterMetricFamily(
        "equipoise_withheld", "Clicks, looks and views that taught nothing.", labels=["reason"]
    )
    for reason, count in sorted(engine.knowledge.withheld.items()):
        withheld.add_metric([reason], count)
    yield withheld
    credit = engine.knowledge.credit
    yield _gauge("equipoise_credit_waiting", "Verdicts in quarantine.", credit.waiting)
    yield _gauge("equipoise_credit_held", "Verdicts of items in a burst.", credit.held)
    yield _gauge("equipoise_credit_rows", "Rows that the caps remember.", credit.rows)


def _balances(engine: Engine) -> Iterator[Metric]:
    level = GaugeMetricFamily(
        "equipoise_exploration_level",
        "How much the balance lets a placement explore: 0 greedy, 1 its natural amount.",
        labels=["placement"],
    )
    spent = GaugeMetricFamily(
        "equipoise_exploration_share",
        "Share of the expected reward that exploring cost of late.",
        labels=["placement"],
    )
    for name in sorted(engine.settings.placements):
        known = engine.knowledge
        level.add_metric([name], engine.level(name))
        spent.add_metric([name], known.balance(name).measured(known.balance_state(name)))
    yield from (level, spent)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=value)
