"""Examples of the contract, for the OpenAPI document. Tests send every request among them."""

from __future__ import annotations

from typing import Any

EVENT: dict[str, Any] = {
    "event_id": "e-1001",
    "event": "view_item",
    "ts": "2026-11-24T03:08:00Z",
    "anonymous_id": "c-99",
    "session_id": "s-5",
    "context": {"device": "mobile", "locale": "en-GB"},
    "items": [{"item_id": "sku-1", "price": 129.0}],
}
EVENTS_OUT: dict[str, Any] = {"accepted": 1, "duplicated": 0, "rejected": []}
DEAD_LETTERS: dict[str, Any] = {
    "rejected": [
        {
            "rejected_id": 1,
            "event_id": "e-1002",
            "code": "required",
            "pointer": "/items",
            "message": "items is missing; view_item speaks of at least one item",
            "arrived": "2026-11-24T03:08:00.120Z",
            "source": "events",
            "body": '{"event_id":"e-1002","event":"view_item","anonymous_id":"c-99"}',
        }
    ],
    "next_cursor": None,
}

_ITEM: dict[str, Any] = {
    "title": {"en": "Oak table"},
    "categories": ["Home/Tables"],
    "price": 129.0,
    "currency": "EUR",
    "stock": 12.0,
    "tags": ["oak"],
}
_COUPON: dict[str, Any] = {
    "kind": "percent",
    "discount": 10.0,
    "min_spend": 50.0,
    "valid_until": "2026-12-01T00:00:00.000Z",
    "cap_per_user": 1,
}
IN: dict[str, dict[str, Any]] = {"item": _ITEM, "coupon": _COUPON}
PATCH: dict[str, dict[str, Any]] = {"item": {"stock": 0}, "coupon": {"discount": 15.0}}
OUT: dict[str, dict[str, Any]] = {
    "item": {"item_id": "sku-1", **_ITEM},
    "coupon": {"coupon_id": "NOV10", **_COUPON},
}
BATCH_OUT: dict[str, Any] = {"accepted": 1, "rejected": []}

USER: dict[str, Any] = {"locale": "en-GB", "segments": ["trade"], "consent": {"analytics": True}}
USER_OUT: dict[str, Any] = {"user_id": "u-17", **USER}
PROFILE: dict[str, Any] = {
    "user_id": "u-17",
    "profile": {"key": "u:u-17", "events": 3, "personalised": True},
}
EXPORT: dict[str, Any] = {
    "user": USER_OUT,
    "events": [{"event_id": "e-1001", "event": "view_item", "ts": "2026-11-24T03:08:00.000Z"}],
    "profile": {"key": "u:u-17", "events": 1},
    "decisions": [],
}

LIST_IN: dict[str, Any] = {
    "placement": "home",
    "anonymous_id": "c-99",
    "n": 20,
    "filter": {"category": "Home"},
    "explain": True,
}
_POLICY: dict[str, Any] = {"name": "gittins", "version": "1", "exploration_rate": 0.42}
LIST_OUT: dict[str, Any] = {
    "recommendation_id": "r-019ab3c1d2e0f4a1b2c3d4e5",
    "placement": "home",
    "policy": _POLICY,
    "experiment": None,
    "items": [
        {
            "item_id": "sku-1",
            "rank": 1,
            "score": 0.0021,
            "propensity": 0.31,
            "explored": False,
            "source": "co_viewed",
            "token": "kq3…",
            "reasons": ["Viewed together with what you looked at."],
        }
    ],
    "fallback_level": "personalised",
    "reason": "",
    "feature_time": "2026-11-24T03:08:00.120Z",
    "took_ms": 1.2,
}
DECISION: dict[str, Any] = {
    "recommendation_id": "r-019ab3c1d2e0f4a1b2c3d4e5",
    "decided_at": "2026-11-24T03:08:00.121Z",
    "placement": "home",
    "shopper": "a:c-99",
    "query": {"placement": "home", "anonymous_id": "c-99", "n": 20},
    "policy": _POLICY,
    "parameters": {},
    "experiment": None,
    "items": [
        {
            "item_id": "sku-1",
            "rank": 1,
            "score": 0.0021,
            "variance": 1.1e-06,
            "propensity": 0.31,
            "explored": False,
            "pinned": False,
            "source": "co_viewed",
            "look": 1.0,
            "rate": 0.0015,
            "features": [1.0, 0.2],
        }
    ],
    "candidates": [{"item_id": "sku-1", "mean": 0.0021, "variance": 1.1e-06, "group": -1}],
    "pins": [],
    "max_per_group": 1,
    "fallback_level": "personalised",
    "reason": "",
    "expected": 0.012,
    "cost": 0.0004,
    "snapshot": "",
    "seq": 1201,
}

BALANCES: dict[str, Any] = {
    "balances": [
        {
            "placement": "home",
            "balance": "exploration",
            "policy": "gittins",
            "bound": "at most",
            "target": 0.05,
            "measured": 0.048,
            "multiplier": 0.87,
            "price": None,
            "level": 0.42,
            "decisions": 1310.5,
            "history": [
                {
                    "at": "2026-11-24T03:07:12.004Z",
                    "before": 0.47,
                    "after": 0.42,
                    "measured": 0.061,
                    "reason": "spent 6.1 % of expected reward over the last 120 decisions, "
                    "target 5 %: exploring less",
                }
            ],
            "limits": {
                "stopped": False,
                "why": "",
                "limit": {"day": 5.0, "left": 3.2, "total": 0.0, "spent": 41.7},
                "segments": {"vip": {"stopped": True}},
                "groups": {
                    "clearance": {
                        "stopped": True,
                        "filter": {"category": "Clearance"},
                        "spread": 0.0,
                    }
                },
                "guarantee": None,
                "apprentice": None,
            },
        },
        {
            "placement": "home",
            "balance": "sellers.nordlicht",
            "policy": "gittins",
            "bound": "at least",
            "target": 0.1,
            "measured": 0.099,
            "multiplier": 0.21,
            "price": 0.0009,
            "level": None,
            "decisions": 1310.5,
            "history": [
                {
                    "at": "2026-11-24T03:01:44.120Z",
                    "before": 0.1,
                    "after": 0.21,
                    "measured": 0.081,
                    "reason": "seller nordlicht was 8.1 % over the last 340 lists, at least 10 %: "
                    "pushed more",
                }
            ],
        },
    ],
    "alarms": [
        {
            "at": "2026-11-24T02:11:09.530Z",
            "where": "Shoes",
            "since": "2026-11-23T18:40:00.000Z",
            "before": 0.031,
            "after": 0.02,
            "reason": "clicks in Shoes fell from 3.1 % to 2 % of looks since 2026-11-23: "
            "from 101 % to 66 % of what was expected",
        }
    ],
}
SWITCH: dict[str, Any] = {"stopped": True, "reason": "sale week: nothing new on the home page"}
AHEAD: dict[str, Any] = {
    "placement": "home",
    "currency": "EUR",
    "days": 30.0,
    "lists": 12_000.0,
    "budget": 0.04,
    "best": 0.04,
    "unknown": 0.31,
    "caps": [
        {"cap": 0.0, "reward_per_list": 0.056, "reward": 672.0, "low": 590.0, "high": 760.0,
         "gain": 0.0, "gain_error": 0.0, "spent": 0.0},
        {"cap": 0.04, "reward_per_list": 0.061, "reward": 732.0, "low": 655.0, "high": 820.0,
         "gain": 60.0, "gain_error": 13.0, "spent": 0.036},
    ],
}  # fmt: skip
PLACEMENTS: dict[str, Any] = {
    "placements": [
        {"placement": "home", "settings": {"policy": "gittins", "n": 12, "budget": 0.05}}
    ]
}
MODELS: dict[str, Any] = {"snapshot": "", "learner": {"weights": [], "state": []}}
EVALUATION_IN: dict[str, Any] = {
    "policies": [{"policy": "plackett_luce", "parameters": {"temperature": 0.3}, "level": 0.5}],
    "placement": "home",
    "outcome": "worth",
    "estimator": "dr",
}
EVALUATION_OUT: dict[str, Any] = {
    "evaluation_id": "v-019ab3c1d2e0f4a1b2c3d4e5",
    "asked_at": "2026-11-24T03:08:00.121Z",
    "placement": "home",
    "outcome": "worth",
    "estimator": "dr",
    "interval": "shopper",
    "confidence": 0.95,
    "answerable": True,
    "reasons": [],
    "log": {"lists": 10_512, "immature": 311, "shoppers": 4_020},
    "logged": {"value": 0.0742, "low": 0.0701, "high": 0.0786},
    "policies": [
        {
            "policy": "plackett_luce",
            "parameters": {"temperature": 0.3},
            "level": 0.5,
            "answerable": True,
            "reasons": [],
            "value": 0.0788,
            "low": 0.0731,
            "high": 0.0852,
            "difference": 0.0046,
            "difference_low": 0.0008,
            "difference_high": 0.0091,
            "effective": 9_120.4,
            "unsupported": 0.0,
        }
    ],
}
READY: dict[str, Any] = {
    "status": "ready",
    "log": "writing",
    "seq": 1201,
    "items": 300,
    "snapshot": "",
}
