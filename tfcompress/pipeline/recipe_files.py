"""Recipes in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.pipeline.language_model_recipe import LanguageModelRecipe
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.text_encoder_recipe import TextEncoderRecipe
from tfcompress.pipeline.translation_recipe import TranslationRecipe
from tfcompress.yaml_file import read_yaml

_RECIPES = {
    recipe.kind: recipe for recipe in (TranslationRecipe, TextEncoderRecipe, LanguageModelRecipe)
}


def load_recipe(path: str | Path) -> Recipe:
    """Reads a recipe from a YAML file.

    Args:
        path: The file. Its keys are the attributes of `TranslationRecipe`, or with
            `kind: text_encoder` those of `TextEncoderRecipe`, with `kind: language_model` those of
            `LanguageModelRecipe`.

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


def recipe_from_mapping(mapping: Mapping[str, Any]) -> Recipe:
    """Reads a recipe from a mapping.

    Args:
        mapping: Values by attribute name.

    Raises:
        InputError: If keys are unknown, or settings impossible.
    """
    kind = mapping.get("kind", "translation") if isinstance(mapping, Mapping) else "translation"
    if kind not in [*_RECIPES]:
        raise InputError(f"`kind` must be one of {', '.join(_RECIPES)} (received {kind!r})")
    return schema.from_mapping(_RECIPES[kind], mapping)
