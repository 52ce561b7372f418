"""Offline tables: users, items, values and times, without a service."""

from equipoise.data.interactions import Interactions

__all__ = ["Interactions"]
