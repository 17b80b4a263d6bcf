"""From a recipe to a measured bundle: the stages behind the command line."""

from tfcompress.pipeline.encoder_evaluation import evaluate_encoder
from tfcompress.pipeline.evaluation import evaluate
from tfcompress.pipeline.exporting import export_model
from tfcompress.pipeline.layer_sensitivity import sensitivity
from tfcompress.pipeline.quickstart import quickstart
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.recipe_files import load_recipe
from tfcompress.pipeline.run import run_recipe
from tfcompress.pipeline.text_recipe import TextRecipe

__all__ = [
    "Recipe",
    "TextRecipe",
    "evaluate",
    "evaluate_encoder",
    "export_model",
    "load_recipe",
    "quickstart",
    "run_recipe",
    "sensitivity",
]
