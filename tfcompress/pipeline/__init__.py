"""From a recipe to a measured bundle: the stages behind the command line."""

from tfcompress.pipeline.exporting import export_marian, export_model
from tfcompress.pipeline.importing import import_model
from tfcompress.pipeline.language_model_evaluation import evaluate_language_model
from tfcompress.pipeline.language_model_recipe import LanguageModelRecipe
from tfcompress.pipeline.layer_sensitivity import sensitivity
from tfcompress.pipeline.quickstart import quickstart
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.recipe_files import load_recipe
from tfcompress.pipeline.run import run_recipe
from tfcompress.pipeline.text_encoder_evaluation import evaluate_text_encoder
from tfcompress.pipeline.text_encoder_recipe import TextEncoderRecipe
from tfcompress.pipeline.translation_evaluation import evaluate_translation
from tfcompress.pipeline.translation_recipe import TranslationRecipe

__all__ = [
    "LanguageModelRecipe",
    "Recipe",
    "TextEncoderRecipe",
    "TranslationRecipe",
    "evaluate_language_model",
    "evaluate_text_encoder",
    "evaluate_translation",
    "export_marian",
    "export_model",
    "import_model",
    "load_recipe",
    "quickstart",
    "run_recipe",
    "sensitivity",
]
