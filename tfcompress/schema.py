"""Frozen dataclass trees read from plain mappings (YAML), strictly."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from tfcompress.errors import InputError

T = TypeVar("T")


def from_mapping(cls: type[T], mapping: Mapping[str, Any], path: str = "") -> T:
    """Builds the dataclass `cls`, and the dataclasses within it, from a mapping.

    Args:
        cls: A dataclass whose fields are annotated with int, float, str, bool, other dataclasses,
            lists or dictionaries of these, or one of these or None.
        mapping: Values by field name, nested mappings for nested dataclasses.
        path: Where the mapping stands in its file, for error messages.

    Returns:
        An instance of `cls`.

    Raises:
        InputError: If keys are unknown (the nearest valid one is named) or missing, or values of
            the wrong type. All problems are reported at once.
    """
    problems: list[str] = []
    value = _build(cls, mapping, path, problems)
    if not problems:
        try:
            return value()
        except InputError as error:
            problems.append(str(error))
    raise InputError("; ".join(problems))


def to_mapping(instance: Any) -> dict[str, Any]:
    """Returns the plain mapping that `from_mapping` reads back to an equal instance."""
    return dataclasses.asdict(instance)


def _build(cls, mapping, path, problems):
    """Returns a function that makes the instance; notes problems instead of raising them."""
    if not isinstance(mapping, Mapping):
        problems.append(f"`{path or cls.__name__}` must be a mapping. Received: {mapping!r}")
        return None
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in mapping.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in fields:
            problems.append(_unknown(where, key, fields))
            continue
        values[key] = _convert(hints[key], value, where, problems)
    for name, field in fields.items():
        missing = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if missing and name not in mapping:
            problems.append(f"missing key `{path}.{name}`" if path else f"missing key `{name}`")
    return lambda: cls(**{name: make() for name, make in values.items()})


def _unknown(where, key, fields):
    near = difflib.get_close_matches(str(key), fields, n=1, cutoff=0.5)
    if near:
        return f"unknown key `{where}`: did you mean `{near[0]}`?"
    return f"unknown key `{where}`: valid keys are {', '.join(fields)}"


def _convert(hint, value, where, problems):
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    if value is None and type(None) in options:
        return lambda: None
    for option in options:
        if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
            return _build(option, value, where, problems)
        if _matches(option, value):
            converted = float(value) if option is float else value
            return lambda: converted
    expected = " or ".join(_name(option) for option in options)
    problems.append(f"`{where}` must be {expected}. Received: {value!r}")
    return None


def _is_union(hint):
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _matches(hint, value):
    origin = typing.get_origin(hint) or hint
    if hint is Any:
        return True
    if isinstance(value, bool):
        return origin is bool
    if origin is float:
        return isinstance(value, (int, float))
    if origin is list:
        (item,) = typing.get_args(hint) or (Any,)
        return isinstance(value, list) and all(_matches(item, element) for element in value)
    if origin is dict:
        return isinstance(value, Mapping)
    return isinstance(origin, type) and isinstance(value, origin)


def _name(hint):
    if hint is type(None):
        return "null"
    if dataclasses.is_dataclass(hint):
        return "a mapping"
    return str(hint) if typing.get_args(hint) else hint.__name__
