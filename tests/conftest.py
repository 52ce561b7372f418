"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test is timed: a busy machine must not fail one. The same examples everywhere.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
