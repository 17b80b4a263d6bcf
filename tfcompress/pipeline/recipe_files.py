"""Recipes in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.pipeline.language_model_recipe import LanguageModelRecipe
from tfcompress.pipeline.recipe import Recipe, replaced
from tfcompress.pipeline.text_encoder_recipe import MINILM, TextEncoderRecipe
from tfcompress.pipeline.translation_recipe import TranslationRecipe
from tfcompress.yaml_file import read_yaml

_RECIPES = {
    recipe.model_type: recipe
    for recipe in (TranslationRecipe, TextEncoderRecipe, LanguageModelRecipe)
}


def load_recipe(path: str | Path, *, folder: str | Path | None = None) -> Recipe:
    """Reads a recipe from a YAML file.

    Args:
        path: The file. Its keys are the attributes of `TranslationRecipe`, or with
            `model_type: text_encoder` those of `TextEncoderRecipe`, with
            `model_type: language_model` those of `LanguageModelRecipe`. Paths in it are relative to
            its folder.
        folder: What paths are relative to instead.

    Raises:
        InputError: If the file cannot be read, is no YAML mapping, has unknown keys (the nearest
            valid one is named) or asks for something impossible.

    Example:

    >>> recipe = tfc.pipeline.load_recipe("examples/recipes/multi30k_tiny.yaml")
    """
    mapping = read_yaml(path)
    try:
        return recipe_from_mapping(mapping, folder=folder or Path(path).parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def recipe_from_mapping(mapping: Mapping[str, Any], *, folder: str | Path = ".") -> Recipe:
    """Reads a recipe from a mapping.

    Args:
        mapping: Values by attribute name.
        folder: What paths are relative to; the current folder by default.

    Raises:
        InputError: If keys are unknown, or settings impossible.
    """
    is_mapping = isinstance(mapping, Mapping)
    model_type = mapping.get("model_type", "translation") if is_mapping else "translation"
    if model_type not in [*_RECIPES]:
        raise InputError(
            f"`model_type` must be one of {', '.join(_RECIPES)}. Received: {model_type!r}."
        )
    if is_mapping:
        mapping = replaced(
            mapping, _RECIPES[model_type].paths, lambda path: _resolved(path, folder)
        )
    return schema.from_mapping(_RECIPES[model_type], mapping)


def _resolved(path, folder):
    # A name that stands for no folder of the user's.
    return path if path == MINILM else str((Path(folder) / path).resolve())
