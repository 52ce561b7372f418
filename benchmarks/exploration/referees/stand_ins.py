"""Stand-ins for libraries that a referee imports and what is used of it never calls."""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Anything(ABCMeta):
    # Of ABCMeta, so that a class may inherit from a stand-in and an abstract class at once.

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class StandIn(metaclass=_Anything):
    """Anything at all: a class to inherit from, a decorator that changes nothing, a default."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        pass

    def __new__(cls, *args: Any, **keywords: Any) -> Any:
        """As a decorator it gives back what it was put on."""
        decorated = len(args) == 1 and callable(args[0]) and not keywords
        return args[0] if decorated else super().__new__(cls)

    def __call__(self, decorated: Any) -> Any:
        return decorated


class _Module(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        # With a path, of whatever kind, it is a package: what lies below can be imported too.
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class _Finder(MetaPathFinder, Loader):
    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        return ModuleSpec(name, self) if name.split(".")[0] in self.names else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def stand_in(*names: str) -> None:
    """From now on ``import NAME`` and everything below it gives a stand-in."""
    sys.meta_path.insert(0, _Finder(frozenset(names)))
