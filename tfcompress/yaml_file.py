"""YAML files: read strictly and within limits."""

import math
import os
from typing import Any

import yaml

from tfcompress.errors import InputError
from tfcompress.files import read_utf8

_MOST_BYTES = 2**18
_MOST_VALUES = 100_000
_DEEPEST = 100


def read_yaml(path: str | os.PathLike) -> Any:
    """Returns what a YAML file holds (or a JSON file, which is YAML too).

    Args:
        path: The file: UTF-8, at most 256 KiB. What a reference (`*name`) stands for counts as
            often as it is referred to.

    Raises:
        InputError: If it cannot be read, is no YAML, repeats a key, contains itself or a number
            that is not finite, is nested more than 100 levels deep, or has over 100,000 values.

    Example:

    >>> read_yaml("examples/recipes/multi30k_tiny.yaml")["name"]
    'multi30k_tiny'
    """
    try:
        text = read_utf8(path, most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        raise InputError(
            f"There is no such file. Received: {path}. Check its name and folder."
        ) from None
    return parse_yaml(text, path)


def parse_yaml(text: str, path: str | os.PathLike) -> Any:
    """Returns what a YAML text holds, read as strictly as `read_yaml` reads a file.

    Args:
        text: The text.
        path: Where it is from, for messages.

    Raises:
        InputError: As of `read_yaml`.
    """
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _check(root)
        content = loader.construct_document(root)
        _check_numbers(content)
        return content
    except RecursionError:
        raise InputError(
            f"The file must be nested at most {_DEEPEST} levels deep. Received: {path}."
        ) from None
    # ValueError and OverflowError: impossible dates and numbers.
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"The file must be YAML ({reason}). Received: {path}.") from error


def _check(root: yaml.Node) -> None:
    """Refuses what PyYAML would take without a word, or would never finish."""
    sizes: dict[int, int | None] = {}

    def size(node, level):
        """Counts the values of a node, with those that its references stand for."""
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                raise yaml.YAMLError(f"contains itself, line {node.start_mark.line + 1}")
            return known
        if level > _DEEPEST:
            raise RecursionError
        sizes[id(node)] = None
        total = 1 + sum(size(child, level + 1) for child in _children(node))
        if total > _MOST_VALUES:
            raise yaml.YAMLError(f"more than {_MOST_VALUES:,} values")
        sizes[id(node)] = total
        return total

    size(root, 0)


def _children(node):
    if isinstance(node, yaml.SequenceNode):
        return node.value
    if not isinstance(node, yaml.MappingNode):
        return []
    seen = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"the key `{key.value}` stands twice in line {line} and above")
            seen.add((key.tag, key.value))
    return [part for pair in node.value for part in pair]


def _check_numbers(value):
    if isinstance(value, float) and not math.isfinite(value):
        raise yaml.YAMLError(f"a number must be finite (received {value})")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_numbers(key)
            _check_numbers(item)
    elif isinstance(value, list | set | tuple):
        for item in value:
            _check_numbers(item)
