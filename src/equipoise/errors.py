"""What can go wrong, as a tree. A message states the value, the place, and what would be right.

::

    EquipoiseError
    ├── InvalidInput            the caller's data; has a code and a JSON pointer
    │   └── InvalidInteractions offline data that no recommender could learn from
    ├── NotFitted               a recommender was asked before it was fitted
    ├── SettingsError           a settings file or variable
    ├── LogError
    │   ├── LogLocked           another process writes to this data directory
    │   ├── LogFull             no space left; nothing was acknowledged
    │   └── LogCorrupt          a checksum or integrity check failed
    ├── SnapshotError           a published model is damaged, or of another version
    ├── TokenError              an impression token is forged, expired or not ours
    └── UnknownDecision         no decision with this id is on the log
"""

from __future__ import annotations


class EquipoiseError(Exception):
    """Anything that Equipoise raises on purpose."""


class InvalidInput(EquipoiseError):
    """The caller's data is not acceptable.

    ``code`` is stable and meant for programs, ``pointer`` is an RFC 6901 JSON pointer to the field.
    """

    def __init__(self, message: str, *, code: str = "invalid", pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.pointer = pointer


class InvalidInteractions(InvalidInput):
    """A table of interactions lacks what a recommender needs."""


class NotFitted(EquipoiseError):
    """``fit`` comes first."""


class SettingsError(EquipoiseError):
    """A setting has a wrong name, type or value."""


class LogError(EquipoiseError):
    """The log could not do what was asked; nothing was acknowledged."""


class LogLocked(LogError):
    """Another process is writing to this data directory."""


class LogFull(LogError):
    """The disk has no space left."""


class LogCorrupt(LogError):
    """Stored bytes are not what was written."""


class SnapshotError(EquipoiseError):
    """A published snapshot is damaged, incomplete or of another version."""


class TokenError(EquipoiseError):
    """An impression token is forged, expired or of another shop."""


class UnknownDecision(EquipoiseError):
    """No decision with this id is on the log."""
