"""Frozen dataclass trees read from plain mappings (YAML, JSON), strictly."""

import dataclasses
import difflib
import reprlib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from tfcompress.errors import InputError

T = TypeVar("T")
_MOST_PROBLEMS = 20

_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    type(None): "null",
}


def from_mapping(cls: type[T], mapping: Mapping[str, Any], path: str = "") -> T:
    """Builds the dataclass `cls`, and the dataclasses within it, from a mapping.

    Args:
        cls: A dataclass whose fields are annotated with int, float, str, bool, other dataclasses,
            `list[X]`, `tuple[X, ...]` or `dict[K, X]` of these, or one of these or None. Where a
            dataclass stands for several, its `tag` is the key whose value chooses among
            `options()`, the first of them by default.
        mapping: Values by field name, nested mappings for nested dataclasses, lists for tuples.
        path: Where the mapping stands in its file, for error messages.

    Returns:
        An instance of `cls`.

    Raises:
        InputError: If keys are unknown (the nearest valid one is named) or missing, or values of
            the wrong type. All problems are reported at once, up to twenty.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Range:
    ...     first: int = 0
    ...     last: int = 9
    >>> from_mapping(Range, {"lst": 5})
    Traceback (most recent call last):
    tfcompress.errors.InputError: unknown key `lst`: did you mean `last`?
    """
    problems: list[str] = []
    make = _build(cls, mapping, path, problems)
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        shown = problems[:_MOST_PROBLEMS] + [f"and {more} more problems"] * (more > 0)
        raise InputError("; ".join(shown))
    return make()


def to_mapping(instance: Any) -> dict[str, Any]:
    """Returns the plain mapping that `from_mapping` reads back to an equal instance.

    Args:
        instance: A dataclass.
    """
    return {name: _plain(value) for name, value in dataclasses.asdict(instance).items()}


class Mapped:
    """What dataclasses have that mappings describe."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Reads a configuration from a mapping with the same names, such as a YAML file's.

        Args:
            mapping: Values by attribute name.

        Raises:
            InputError: If keys are unknown, or settings impossible.
        """
        return from_mapping(cls, mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Returns the mapping that `from_mapping` reads back to an equal configuration."""
        return to_mapping(self)

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with some attributes changed.

        Args:
            **changes: New values by attribute name.

        Raises:
            InputError: If settings are impossible.
        """
        instance: Any = self
        return dataclasses.replace(instance, **changes)


def type_problems(instance: Any, path: str = "") -> list[str]:
    """Finds the fields of a dataclass, and of the dataclasses within it, of the wrong type.

    For instances that were not read with `from_mapping`: Python itself checks no annotation.

    Args:
        instance: A dataclass.
        path: Where it stands in its tree, for the messages.

    Returns:
        One line for each problem.
    """
    problems: list[str] = []
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value, where = getattr(instance, field.name), _join(path, field.name)
        nested: list[Any] = [
            cls for cls in _options(hints[field.name]) if dataclasses.is_dataclass(cls)
        ]
        if nested and isinstance(value, Mapping):
            problems.append(f"`{where}` must be a {nested[0].__name__} (received {value!r})")
        elif nested and isinstance(value, tuple(nested)):
            problems += type_problems(value, where)
        else:
            _convert(hints[field.name], value, where, problems)
    return problems


def shape_problems(shape: Any, value: Any, path: str = "") -> list[str]:
    """Finds where a value that was read from a file is not of the shape that it must have.

    Args:
        shape: A mapping of required keys to shapes (there may be others), a list with the shape of
            all elements, a tuple with that of each, or a type as in the annotations of
            `from_mapping`.
        value: The value.
        path: Where it stands in its file, for the messages.

    Returns:
        One line for each problem.

    Example:

    >>> shape_problems({"scores": [float]}, {"scores": [1.5, "x"]})
    ["`scores[1]` must be a number (received 'x')"]
    """
    where = f"`{path}`" if path else "the content"
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return [f"{where} must be a mapping (received {reprlib.repr(value)})"]
        missing = [f"`{_join(path, key)}` is missing" for key in shape if key not in value]
        present = [key for key in shape if key in value]
        return missing + [
            problem
            for key in present
            for problem in shape_problems(shape[key], value[key], _join(path, key))
        ]
    if isinstance(shape, list):
        shape = tuple(shape) * len(value) if isinstance(value, list) else shape
    if isinstance(shape, (list, tuple)):
        if not isinstance(value, list) or len(shape) != len(value):
            count = f" of {len(shape)} values" if isinstance(shape, tuple) else ""
            return [f"{where} must be a list{count} (received {reprlib.repr(value)})"]
        return [
            problem
            for index, (part, item) in enumerate(zip(shape, value))
            for problem in shape_problems(part, item, f"{path}[{index}]")
        ]
    problems: list[str] = []
    _convert(shape, value, path, problems)
    return problems


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


# The functions below return a function that makes the value, to be called once no problem was
# found anywhere, and note problems instead of raising them.


def _build(cls, mapping, path, problems) -> Callable[[], Any]:
    if not isinstance(mapping, Mapping):
        problems.append(f"`{path or cls.__name__}` must be a mapping (received {mapping!r})")
        return lambda: None
    if hasattr(cls, "tag"):
        return _build_tagged(cls, dict(mapping), path, problems)
    return _build_fields(cls, mapping, path, problems)


def _build_tagged(cls, mapping, path, problems) -> Callable[[], Any]:
    """Builds one of several dataclasses, which the value of a key tells apart."""
    options = {name: option for name, option in cls.options().items() if issubclass(option, cls)}
    name = mapping.pop(cls.tag, next(iter(options)))
    if not isinstance(name, str) or name not in options:
        where = _join(path, cls.tag)
        problems.append(f"`{where}` must be one of {', '.join(options)} (received {name!r})")
        return lambda: None
    return _build_fields(options[name], mapping, path, problems)


def _build_fields(cls, mapping, path, problems) -> Callable[[], Any]:
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in mapping.items():
        if key in fields:
            values[key] = _convert(hints[key], value, _join(path, key), problems)
        else:
            problems.append(_unknown(_join(path, key), key, cls, fields))
    for name, field in fields.items():
        if name not in mapping and _is_required(field):
            problems.append(f"missing key `{_join(path, name)}`")
    return lambda: cls(**{name: make() for name, make in values.items()})


def _convert(hint, value, where, problems) -> Callable[[], Any]:
    for option in _options(hint):
        if _fits(option, value):
            return _maker(option, value, where, problems)
    problems.append(
        f"`{where}` must be {_expected(hint)} (received {value!r}{_remedy(hint, value)})"
    )
    return lambda: None


def _maker(hint, value, where, problems) -> Callable[[], Any]:
    """Makes a value that fits `hint`, its elements still unchecked."""
    origin = typing.get_origin(hint) or hint
    if dataclasses.is_dataclass(origin) and isinstance(value, Mapping):
        return _build(origin, value, where, problems)
    if origin is float:
        try:
            number = float(value)
        except OverflowError as error:
            problems.append(f"`{where}` must be {_expected(hint)} ({error})")
            return lambda: None
        return lambda: number
    arguments = typing.get_args(hint)
    if origin in (list, tuple) and arguments:
        makers = [
            _convert(arguments[0], item, f"{where}[{index}]", problems)
            for index, item in enumerate(value)
        ]
        return lambda: origin(make() for make in makers)
    if origin is dict and arguments:
        for key in value:
            _convert(arguments[0], key, f"{where}: key", problems)
        items = {
            key: _convert(arguments[1], item, _join(where, key), problems)
            for key, item in value.items()
        }
        return lambda: {key: make() for key, make in items.items()}
    return lambda: value


def _fits(hint, value) -> bool:
    """Whether a value is of a type, whatever its elements are."""
    origin: Any = typing.get_origin(hint) or hint
    if origin is Any:
        return True
    if isinstance(value, bool):
        return origin is bool
    if origin is float:
        return isinstance(value, (int, float))
    if origin in (list, tuple):
        return isinstance(value, (list, tuple))
    is_dataclass = dataclasses.is_dataclass(origin)
    if origin is dict or (is_dataclass and isinstance(value, Mapping)):
        return isinstance(value, Mapping)
    return isinstance(value, typing.cast(Any, origin))


def _is_required(field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _options(hint) -> tuple:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _join(path, name) -> str:
    return f"{path}.{name}" if path else str(name)


def _unknown(where, key, cls, fields) -> str:
    tag = getattr(cls, "tag", None)
    names = list(fields) if tag is None else [tag, *fields]
    near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.5)
    if near:
        return f"unknown key `{where}`: did you mean `{near[0]}`?"
    of = "" if tag is None else f" with {tag} {getattr(cls, tag)}"
    return f"unknown key `{where}`: valid keys{of} are {', '.join(names)}"


def _expected(hint) -> str:
    names = [_NAMES.get(typing.get_origin(option) or option) for option in _options(hint)]
    return " or ".join(
        name or ("a mapping" if dataclasses.is_dataclass(option) else option.__name__)
        for name, option in zip(names, _options(hint))
    )


def _remedy(hint, value) -> str:
    """Names a mapping's keys; explains numbers that arrive as text, as YAML's `1e-5` does."""
    option: Any
    for option in filter(dataclasses.is_dataclass, _options(hint)):
        keys = [field.name for field in dataclasses.fields(option) if field.init]
        tag = getattr(option, "tag", None)
        tags = [] if tag is None else [tag]
        return f"; its keys are {', '.join([*tags, *keys])}"
    if not isinstance(value, str) or not {int, float} & set(_options(hint)):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return ", which is text: write numbers without quotes, and in YAML with a point, 1.0e-5"
