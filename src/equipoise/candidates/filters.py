"""The filter language of lists: which items a query, a boost or a rule speaks of.

::

    {"category": "Women/Shoes", "price": {"gte": 20, "lt": 80}}      both must hold
    {"brand": ["Acme", "Zenith"], "attributes.colour": {"not": "red"}}
    {"any": [{"tags": "sale"}, {"created_at": {"gt": "2026-11-01T00:00:00Z"}}], "not": {"stock": 0}}

A category admits what lies below it. A field of several values holds if one of them does. What an
item lacks is equal to nothing, neither greater nor less than anything, and different from all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.types import Bools, Floats

FIELDS = ("category", "brand", "seller_id", "price", "tags", "item_id", "group_id", "created_at",
          "stock", "attributes.NAME")  # fmt: skip
NUMBERS = frozenset({"price", "stock", "created_at"})
ORDER: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
OPERATORS = (*ORDER, "not", "in")
JOINS = ("any", "all", "not")
DEEPEST = 16

Value: TypeAlias = bool | float | str


class Columns(Protocol):
    """What a filter reads of the catalogue."""

    def __len__(self) -> int: ...
    def numbers(self, field: str) -> Floats:
        """(I,) price, stock or time of creation; NaN where unknown."""

    def where(self, field: str, condition: Condition) -> Bools:
        """(I,) whether the condition admits any of the item's values of a field."""


Admits: TypeAlias = Callable[[Columns], Bools]


class Condition(NamedTuple):
    """One comparison with one or several values."""

    field: str
    operator: str
    wanted: tuple[Value, ...]

    def numbers(self, values: Floats) -> Bools:
        if self.operator in ORDER:
            held: Bools = ORDER[self.operator](values, self.wanted[0])
            return held
        among: Bools = np.isin(values, np.array(self.wanted, np.float64))
        return ~among if self.operator == "not" else among

    def admits(self) -> Callable[[Value], bool]:
        """For ``not`` as for ``in``: the column's answer is turned round as a whole."""
        if self.operator in ORDER:
            compare, bound = ORDER[self.operator], self.wanted[0]
            return lambda value: _is_number(value) and compare(value, bound)
        if self.field == "category":
            below = tuple(f"{path}/" for path in self.wanted)
            return lambda path: f"{path}/".startswith(below)
        among = {(_kind(one), one) for one in self.wanted}
        return lambda value: (_kind(value), value) in among


def parse(given: Any, pointer: str = "/filter", depth: int = 0) -> Admits:
    """A filter as a function from columns to a mask.

    Raises:
        InvalidInput: ``unknown_field`` or ``bad_filter``, with the pointer to the place.
    """
    if not isinstance(given, dict):
        raise _bad(f"{_shown(given)} is no filter; an object of field and value is wanted", pointer)
    if depth == DEEPEST:
        raise _bad(f"filters are nested deeper than {DEEPEST}", pointer)
    parts = [_part(str(key), value, f"{pointer}/{_escaped(str(key))}", depth + 1)
             for key, value in given.items()]  # fmt: skip
    return lambda columns: _all(columns, parts)


def _part(key: str, value: Any, pointer: str, depth: int) -> Admits:
    if key == "not":
        inner = parse(value, pointer, depth)
        return lambda columns: ~inner(columns)
    if key not in JOINS:
        return _field(key, value, pointer)
    if not isinstance(value, list):
        raise _bad(f"{key!r} takes a list of filters, not {_shown(value)}", pointer)
    parts = [parse(one, f"{pointer}/{index}", depth) for index, one in enumerate(value)]
    join = _any if key == "any" else _all
    return lambda columns: join(columns, parts)


def _field(field: str, value: Any, pointer: str) -> Admits:
    name = field.partition(".")[2] if field.startswith("attributes.") else ""
    if field not in FIELDS[:-1] and not name:
        raise InvalidInput(
            f"{field!r} is no field of an item; the fields are {', '.join(FIELDS)}, "
            f"and {', '.join(JOINS)} join filters",
            code="unknown_field",
            pointer=pointer,
        )
    parts = [_test(condition) for condition in _conditions(field, value, pointer)]
    return lambda columns: _all(columns, parts)


def _test(condition: Condition) -> Admits:
    field = condition.field
    if field in NUMBERS:
        return lambda columns: condition.numbers(columns.numbers(field))
    if condition.operator == "not":
        return lambda columns: ~columns.where(field, condition)
    return lambda columns: columns.where(field, condition)


def _conditions(field: str, value: Any, pointer: str) -> list[Condition]:
    if isinstance(value, dict):
        return [_condition(field, name, wanted, pointer) for name, wanted in value.items()]
    return [Condition(field, "in", _values(field, value, pointer))]


def _condition(field: str, name: Any, wanted: Any, pointer: str) -> Condition:
    where = f"{pointer}/{_escaped(str(name))}"
    if name not in OPERATORS:
        raise _bad(f"{name!r} is no comparison; they are {', '.join(OPERATORS)}", where)
    values = _values(field, wanted, where)
    if name in ORDER:
        if isinstance(wanted, list):
            raise _bad(f"{name!r} takes one value, not a list", where)
        if not _is_number(values[0]):
            raise _bad(f"{name!r} compares numbers; {_shown(wanted)} is none", where)
    if name == "in" and not isinstance(wanted, list):
        raise _bad(f"'in' takes a list of values, not {_shown(wanted)}", where)
    return Condition(field, str(name), values)


def _values(field: str, given: Any, pointer: str) -> tuple[Value, ...]:
    if isinstance(given, list):
        return tuple(_value(field, one, f"{pointer}/{i}") for i, one in enumerate(given))
    return (_value(field, given, pointer),)


def _value(field: str, given: Any, pointer: str) -> Value:
    if field == "created_at":
        return _time(given, pointer)
    if field in NUMBERS and not _is_number(given):
        raise _bad(f"{field} is compared with numbers; {_shown(given)} is none", pointer)
    if not field.startswith("attributes.") and field not in NUMBERS and not isinstance(given, str):
        raise _bad(f"{field} is text; {_shown(given)} is none", pointer)
    if not (isinstance(given, str | bool) or _is_number(given)):
        raise _bad(f"{_shown(given)} is no value; text, a number or a boolean is wanted", pointer)
    return given  # type: ignore[no-any-return]


def _time(given: Any, pointer: str) -> float:
    """RFC 3339, or an epoch: of seconds below 1e11, else of milliseconds."""
    if _is_number(given):
        return float(given * 1_000 if abs(given) < 1e11 else given)
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        message = f"{_shown(given)} is no time; RFC 3339 or an epoch in (milli)seconds is wanted"
        raise _bad(message, pointer) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _kind(value: Value) -> type:
    """True is not 1."""
    return float if _is_number(value) else type(value)


def _all(columns: Columns, parts: Sequence[Admits]) -> Bools:
    mask = np.ones(len(columns), np.bool_)
    for part in parts:
        mask &= part(columns)
    return mask


def _any(columns: Columns, parts: Sequence[Admits]) -> Bools:
    mask = np.zeros(len(columns), np.bool_)
    for part in parts:
        mask |= part(columns)
    return mask


def _bad(message: str, pointer: str) -> InvalidInput:
    return InvalidInput(message, code="bad_filter", pointer=pointer)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _escaped(key: str) -> str:
    """RFC 6901."""
    return key.replace("~", "~0").replace("/", "~1")
