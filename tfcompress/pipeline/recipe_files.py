"""Recipes in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.text_recipe import TextRecipe
from tfcompress.yaml_file import read_yaml

_KINDS = {"translation": Recipe, "text_encoder": TextRecipe}


def load_recipe(path: str | Path) -> Recipe | TextRecipe:
    """Reads a recipe from a YAML file.

    Args:
        path: The file. Its keys are the attributes of `Recipe`, or with `kind: text_encoder` those
            of `TextRecipe`.

    Raises:
        InputError: If the file cannot be read, is no YAML mapping, has unknown keys (the nearest
            valid one is named) or asks for something impossible.

    Example:

    >>> recipe = tfc.pipeline.load_recipe("examples/recipes/multi30k_tiny.yaml")
    """
    mapping = read_yaml(path)
    try:
        return recipe_from_mapping(mapping)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def recipe_from_mapping(mapping: Mapping[str, Any]) -> Recipe | TextRecipe:
    """Reads a recipe from a mapping.

    Args:
        mapping: Values by attribute name.

    Raises:
        InputError: If keys are unknown, or settings impossible.
    """
    kind = mapping.get("kind", "translation") if isinstance(mapping, Mapping) else "translation"
    if kind not in [*_KINDS]:
        raise InputError(f"`kind` must be one of {', '.join(_KINDS)} (received {kind!r})")
    return schema.from_mapping(_KINDS[kind], mapping)
