"""The data directory: where everything of one shop lies.

::

    settings.toml     what the shop chose; absent until it chooses
    secrets.json      root seed and token secret, readable by the owner alone
    keys.json         hashed API keys
    log/              the log and its sealed segments
    snapshots/        published recommenders
    state/            checkpoints of the folds: only speed, may be deleted
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import SettingsError
from equipoise.randomness import fresh_seed
from equipoise.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not leave the shop. Whoever has both can forge tokens and foresee draws."""

    root_seed: int
    token_secret: bytes


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of a data directory."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def snapshots(self) -> Path:
        return self.folder / "snapshots"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def settings_file(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def keys_file(self) -> Path:
        return self.folder / "keys.json"

    @property
    def secrets_file(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def exists(self) -> bool:
        return self.secrets_file.exists()

    def create(self) -> Home:
        """Make the directory and its secrets; leaves what is there alone."""
        for folder in (self.folder, self.log, self.snapshots, self.state):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.secrets_file.exists():
            self._write_secrets()
        return self

    def settings(self) -> Settings:
        return read_settings(self.settings_file)

    def secrets(self) -> Secrets:
        """Raises SettingsError where this is no directory of ours, or its secrets are damaged."""
        try:
            stored = json.loads(self.secrets_file.read_text(encoding="utf-8"))
            return Secrets(int(stored["root_seed"]), bytes.fromhex(stored["token_secret"]))
        except FileNotFoundError as error:
            raise SettingsError(
                f"{self.folder} is not an Equipoise data directory; "
                f"`equipoise init --data {self.folder}` makes one"
            ) from error
        except (KeyError, ValueError) as error:
            raise SettingsError(
                f"{self.secrets_file} is damaged ({error}); put it back from a backup: "
                "without it no stored decision can be replayed"
            ) from error

    def _write_secrets(self) -> None:
        text = json.dumps({"root_seed": fresh_seed(), "token_secret": secrets.token_hex(32)})
        new = self.secrets_file.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.secrets_file)
