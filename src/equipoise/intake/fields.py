"""One reader a kind of field: a JSON value and its pointer in, a checked value out.

A noun is a table from field names to readers. Every reader raises ``InvalidInput`` with a stable
code, an RFC 6901 pointer and what would be right. A ``null`` is a field that is not there.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeAlias

import msgspec

from equipoise.errors import InvalidInput
from equipoise.types import Consent, Milliseconds

Reader: TypeAlias = Callable[[Any, str], Any]
Table: TypeAlias = Mapping[str, Reader | None]
"""A field whose reader is None is known and passed over."""

ID_LENGTH = 128
DEPTH = 16
LIMIT = 1e12
"""Largest amount of anything: products and sums of amounts stay finite."""

SECONDS_BELOW = 100_000_000_000
"""A count of time below this is in seconds (until the year 5138), else in milliseconds."""
LAST_TIME = 253_402_300_799_999
"""The end of the year 9999, the last that RFC 3339 can write."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def refuse(value: Any, wanted: str, *, code: str, pointer: str) -> NoReturn:
    """Raise InvalidInput that shows the value, the place and what is wanted."""
    place = pointer or "the value"
    raise InvalidInput(f"{place} is {shown(value)}; {wanted}", code=code, pointer=pointer)


def shown(value: Any) -> str:
    """A value short enough for a message."""
    return reprlib.repr(value)


def at(pointer: str, name: object) -> str:
    """The pointer one step deeper, escaped by RFC 6901 and fit to be sent."""
    step = str(name)[:ID_LENGTH].replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{step.encode(errors='backslashreplace').decode()}"


def read(raw: Any, table: Table, pointer: str, *, depth: int = 1) -> dict[str, Any]:
    """The known fields, read; what is unknown is kept under ``attributes``.

    A name that stands both beside ``attributes`` and in it with another value is refused.
    """
    fields: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in mapping(raw, pointer).items():
        if name not in table:
            unknown[name] = value
        elif value is not None and (reader := table[name]) is not None:
            fields[name] = reader(value, f"{pointer}/{name}")
    if unknown:
        fields["attributes"] = _kept(unknown, fields.get("attributes", {}), pointer, depth)
    return fields


def required(fields: Mapping[str, Any], name: str, pointer: str, wanted: str) -> None:
    """Raise InvalidInput unless the field is there and not empty."""
    if not fields.get(name):
        raise InvalidInput(
            f"{name} is missing; {wanted}", code="required", pointer=at(pointer, name)
        )


def identity(value: Any, pointer: str) -> str:
    """A text of 1 to 128 characters without control characters."""
    read_ = text(value, pointer)
    if not read_:
        refuse(value, "an id has at least one character", code="empty", pointer=pointer)
    if len(read_) > ID_LENGTH:
        refuse(value, f"an id has at most {ID_LENGTH} characters", code="too_long", pointer=pointer)
    if _CONTROL.search(read_):
        refuse(value, "an id has no control characters", code="control", pointer=pointer)
    return read_


def text(value: Any, pointer: str) -> str:
    """Any Unicode text; half of a surrogate pair is none."""
    if not isinstance(value, str):
        refuse(value, "a text is wanted", code="type", pointer=pointer)
    if not value.isascii() and _SURROGATE.search(value):
        refuse(value, "a lone surrogate is no Unicode text", code="unicode", pointer=pointer)
    return value


def number(value: Any, pointer: str) -> float:
    """A finite number no larger than 1e12, also as text (GA4 sends prices as texts)."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(value, "a number is wanted", code="type", pointer=pointer)
    if not -LIMIT <= value <= LIMIT:
        refuse(value, f"a number within ±{LIMIT:.0e} is wanted", code="range", pointer=pointer)
    return float(value)


def amount(value: Any, pointer: str) -> float:
    """A number from 0."""
    read_ = number(value, pointer)
    if read_ < 0:
        refuse(value, "it cannot be negative", code="range", pointer=pointer)
    return read_


def positive(value: Any, pointer: str) -> float:
    """A number above 0."""
    read_ = number(value, pointer)
    if read_ <= 0:
        refuse(value, "it must be above 0", code="range", pointer=pointer)
    return read_


def count(value: Any, pointer: str) -> int:
    """A whole number from 0, also as text."""
    read_ = amount(value, pointer)
    if not read_.is_integer():
        refuse(value, "a whole number is wanted", code="type", pointer=pointer)
    return int(read_)


def boolean(value: Any, pointer: str) -> bool:
    """true or false, nothing else."""
    if not isinstance(value, bool):
        refuse(value, "true or false is wanted", code="type", pointer=pointer)
    return value


def currency(value: Any, pointer: str) -> str:
    """A code of ISO 4217 by its form: three letters, given in any case."""
    code = text(value, pointer).upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        wanted = "a currency code of ISO 4217 is wanted, such as EUR"
        refuse(value, wanted, code="currency", pointer=pointer)
    return code


def read_time(value: Any, pointer: str = "") -> Milliseconds:
    """RFC 3339 (and other forms of ISO 8601), epoch seconds or milliseconds → milliseconds.

    A number below 1e11 is of seconds. A time without a zone is UTC. From 1970 to the year 9999.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        moment = from_datetime(_datetime(value, pointer))
    elif isinstance(value, bool) or not isinstance(value, int | float | str):
        refuse(value, "a time is wanted: RFC 3339 or epoch", code="time", pointer=pointer)
    else:
        moment = from_number(_finite(value, pointer))
    if not 0 <= moment <= LAST_TIME:
        refuse(value, "a time from 1970 to 9999 is wanted", code="time", pointer=pointer)
    return moment


def from_datetime(moment: datetime) -> Milliseconds:
    """Whole milliseconds; without a zone it is UTC."""
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // _MILLISECOND


def from_number(epoch: float) -> Milliseconds:
    """Whole milliseconds from epoch seconds or milliseconds."""
    return round(epoch * 1_000 if epoch < SECONDS_BELOW else epoch)


def free(value: Any, pointer: str, depth: int = 2) -> Any:
    """Any JSON value that can be stored and read again: finite, no integer beyond 64 bits,
    Unicode texts, at most 16 levels of which ``depth`` is this one's."""
    if isinstance(value, dict | list):
        if depth > DEPTH:
            raise InvalidInput(
                f"{pointer} lies deeper than {DEPTH} levels", code="too_deep", pointer=pointer
            )
        _inside(value, pointer, depth)
    elif isinstance(value, str):
        text(value, pointer)
    elif isinstance(value, float) and not math.isfinite(value):
        refuse(value, "a finite number is wanted", code="range", pointer=pointer)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        refuse(value, "an integer of at most 64 bits is wanted", code="range", pointer=pointer)
    return value


def mapping(value: Any, pointer: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        refuse(value, "a JSON object is wanted", code="type", pointer=pointer)
    return value


def free_mapping(value: Any, pointer: str) -> dict[str, Any]:
    """A JSON object whose content is the caller's affair."""
    free(mapping(value, pointer), pointer)
    return dict(value)


def many(reader: Reader, most: int) -> Reader:
    """A reader of lists of at most ``most`` of what ``reader`` reads; one alone is a list of it."""

    def read_many(value: Any, pointer: str) -> tuple[Any, ...]:
        values = value if isinstance(value, list | tuple) else [value]
        if len(values) > most:
            refuse(len(values), f"at most {most} are wanted", code="too_many", pointer=pointer)
        return tuple(reader(v, at(pointer, i)) for i, v in enumerate(values))

    return read_many


def texts(value: Any, pointer: str) -> dict[str, str]:
    """Text by language: ``{"de": "Schuh"}``, or one text, kept under ``und``."""
    if isinstance(value, str):
        return {"und": text(value, pointer)}
    return {
        _language(language, at(pointer, language)): text(words, at(pointer, language))
        for language, words in mapping(value, pointer).items()
        if words is not None
    }


def consent(value: Any, pointer: str) -> Consent:
    """The purposes that we know, each true or false."""
    given = mapping(value, pointer)
    return Consent(
        **{
            name: boolean(given[name], at(pointer, name))
            for name in Consent.__struct_fields__
            if given.get(name) is not None
        }
    )


def purposes_apart(raw: Any) -> Any:
    """The noun with the purposes of consent that we do not know moved to ``attributes.consent``."""
    given = raw.get("consent") if isinstance(raw, dict) else None
    if not isinstance(given, dict):
        return raw
    others = {name: value for name, value in given.items() if name not in Consent.__struct_fields__}
    if not others:
        return raw
    attributes = mapping(raw.get("attributes") or {}, "/attributes")
    if "consent" in attributes:
        refuse(others, "attributes holds another", code="conflict", pointer="/consent")
    return {**raw, "attributes": {"consent": others} | attributes}


def _kept(
    unknown: dict[str, Any], attributes: dict[str, Any], pointer: str, depth: int
) -> dict[str, Any]:
    for name, value in unknown.items():
        place = at(pointer, name)
        text(name, place)
        if not _is_simple(value):
            free(value, place, depth + 1)
        if attributes.get(name, value) != value:
            refuse(value, "attributes holds another", code="conflict", pointer=place)
    return attributes | unknown


def _datetime(value: str, pointer: str) -> datetime:
    # One parser first for both ways in, so that they round alike.
    try:
        return msgspec.convert(value, datetime)
    except (msgspec.ValidationError, UnicodeError):
        pass
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        refuse(value, "a time is wanted: RFC 3339 or epoch", code="time", pointer=pointer)


def _finite(value: float | str, pointer: str) -> float:
    epoch = value if isinstance(value, int) else float(value)
    if not -LAST_TIME <= epoch <= LAST_TIME:
        refuse(value, "a time from 1970 to 9999 is wanted", code="time", pointer=pointer)
    return epoch


def _inside(value: dict[str, Any] | list[Any], pointer: str, depth: int) -> None:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            if not _is_simple(inner):
                free(inner, at(pointer, index), depth + 1)
        return
    for name, inner in value.items():
        if not (name.isascii() and _is_simple(inner)):
            text(name, at(pointer, name))
            free(inner, at(pointer, name), depth + 1)


def _is_simple(value: Any) -> bool:
    """True for what surely passes, so that most values cost no pointer."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    return value is None or kind is bool or (kind in (int, float) and -LIMIT <= value <= LIMIT)


def _language(value: str, pointer: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        wanted = "a language of BCP 47 is wanted, such as de or pt-BR"
        refuse(value, wanted, code="language", pointer=pointer)
    return value
