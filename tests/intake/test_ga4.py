"""equipoise.intake.ga4: Measurement Protocol bodies, and their traps."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake import ga4
from equipoise.intake.canonical import read_all
from equipoise.types import Consent, Event, Line

NOW = 1_800_000_000_000
MICROS = 1_795_489_680_000_999
BODY: dict[str, Any] = {
    "client_id": "123.456",
    "user_id": "u",
    "timestamp_micros": str(MICROS),
    "consent": {"ad_personalization": "DENIED"},
    "events": [
        {
            "name": "purchase",
            "params": {
                "session_id": 77,
                "transaction_id": "T1",
                "value": "30.03",
                "currency": "USD",
                "tax": 4.9,
                "items": [
                    {
                        "item_id": "SKU",
                        "item_name": "Tee",
                        "price": "10.01",
                        "quantity": 3,
                        "index": 0,
                    }
                ],
            },
        }
    ],
}


def read(body: dict[str, Any]) -> Event:
    batch = read_all(ga4.translate(body), now=NOW)
    assert not batch.rejected, batch.rejected
    return batch.events[0]


def changed(**params: Any) -> dict[str, Any]:
    event = BODY["events"][0]
    return {**BODY, "events": [{**event, "params": {**event["params"], **params}}]}


def test_a_purchase_is_translated() -> None:
    """index counts from 0 with both, prices may be texts, microseconds become milliseconds."""
    event = read(BODY)

    assert event.event_id.startswith("ga4-")
    assert event.ts == 1_795_489_680_000
    assert (event.user_id, event.anonymous_id, event.session_id) == ("u", "123.456", "77")
    assert (event.transaction_id, event.value, event.currency) == ("T1", 30.03, "USD")
    assert event.consent == Consent(personalization=False)
    assert event.attributes == {"tax": 4.9}
    assert event.items == (
        Line(item_id="SKU", quantity=3.0, price=10.01, index=0, attributes={"item_name": "Tee"}),
    )


def test_a_repeated_request_has_the_same_ids() -> None:
    """The hash stands for the message id that GA4 lacks; another moment is another event."""
    later = {**BODY, "timestamp_micros": MICROS + 1}
    ids = [read(body).event_id for body in (BODY, BODY, later, changed(value=1))]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_an_undated_event_has_no_id_of_its_own() -> None:
    """Two views of one item on two days would otherwise be taken for one."""
    undated = {name: value for name, value in BODY.items() if name != "timestamp_micros"}

    assert read_all(ga4.translate(undated), now=NOW).made_ids == [0]
    assert read(undated).ts == NOW


def test_the_events_own_time_wins() -> None:
    """GA4 lets each event have its own."""
    event = {**BODY["events"][0], "timestamp_micros": 1_700_000_000_000_000}

    assert read({**BODY, "events": [event]}).ts == 1_700_000_000_000


def test_value_without_currency_stays_without() -> None:
    """It is then in the shop's own; nothing is guessed."""
    event = read(changed(currency=None))

    assert (event.value, event.currency) == (30.03, None)


def test_the_name_stands_in_for_a_missing_item_id() -> None:
    """GA4 requires one of the two; numeric ids become texts."""
    event = read(changed(items=[{"item_name": "Tee"}, {"item_id": 5}]))

    assert [line.item_id for line in event.items] == ["Tee", "5"]


def test_names_of_ours_inside_params_are_attributes() -> None:
    """A parameter called context or user_id is not ours."""
    event = read(changed(context="x", user_id="y"))

    assert event.user_id == "u"
    assert event.attributes == {"tax": 4.9, "context": "x", "user_id": "y"}


@pytest.mark.parametrize(
    "bad", [5, None, {"name": "view_item", "params": 5}, {}, {"name": "page_view"}]
)
def test_bad_events_are_left_for_the_reader_to_refuse(bad: Any) -> None:
    """One of them never sinks the good beside it."""
    batch = read_all(ga4.translate({**BODY, "events": [bad, *BODY["events"]]}), now=NOW)

    assert (batch.indexes, [refusal.index for refusal in batch.rejected]) == ([1], [0])


def test_bad_times_are_refused() -> None:
    """What is no count of microseconds is passed on as it is."""
    batch = read_all(ga4.translate({**BODY, "timestamp_micros": "soon"}), now=NOW)

    assert [(r.code, r.pointer) for r in batch.rejected] == [("time", "/ts")]


@pytest.mark.parametrize("body", [{}, {"events": {}}, []])
def test_a_body_without_events_is_refused(body: Any) -> None:
    """There is nothing to translate."""
    with pytest.raises(InvalidInput, match=r"a list of events is wanted|a JSON object is wanted"):
        ga4.translate(body)
