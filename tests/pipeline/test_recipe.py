from pathlib import Path

import pytest
import yaml

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    StackConfig,
    TextEncoderConfig,
)
from tfcompress.pipeline.identity import differences
from tfcompress.pipeline.quickstart import NAMES, shipped_recipe
from tfcompress.pipeline.recipe_files import load_recipe
from tfcompress.pipeline.text_encoder_recipe import TextEncoderRecipe
from tfcompress.pipeline.translation_recipe import TranslationRecipe

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "recipes").glob("*.yaml"))
MINIMAL = {"name": "tiny", "model": {"hidden_dim": 16}}


def write(folder, mapping):
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(mapping), encoding="utf-8")
    return path


def test_minimal_recipe_has_defaults(tmp_path):
    recipe = load_recipe(write(tmp_path, MINIMAL))
    assert recipe.quantizations == ["float32", "dynamic_int8"]
    assert recipe.model_config(50, 60).target_vocabulary_size == 60


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_recipes_load(path):
    recipe = load_recipe(path)
    if isinstance(recipe, TextEncoderRecipe):
        options = {"vocabulary_size": 100, "pad_id": 0, "labels": recipe.corpus.labels}
        start = TextEncoderConfig(
            100,
            encoder=StackConfig(
                6, attention=AttentionConfig(12), feed_forward=FeedForwardConfig(3072)
            ),
        )
        assert recipe.model_config(start, **options).head.classes == 2
    else:
        assert recipe.name == path.stem
        assert isinstance(recipe.model_config(100, 100), Seq2SeqConfig)


def test_there_are_example_recipes():
    assert {"multi30k_tiny", "multi30k_tiny_compressed"} <= {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("name", NAMES)
def test_shipped_recipes_load(name):
    assert shipped_recipe(name).corpus.format == "phrases"


def test_preset_with_changes(tmp_path):
    model = {"preset": "transformer_tiny", "encoder": {"attention": {"dropout": 0.5}}}
    config = load_recipe(write(tmp_path, MINIMAL | {"model": model})).model_config(64, 64)
    assert config.encoder.attention.dropout == 0.5
    assert config.encoder.attention.num_heads == 4
    assert config.source_vocabulary_size == 64


def test_mapping_round_trip(tmp_path):
    recipe = load_recipe(write(tmp_path, MINIMAL))
    assert schema.from_mapping(TranslationRecipe, schema.to_mapping(recipe)) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trainig": {}}, "unknown key `trainig`: did you mean `training`"),
        ({"training": {"update": 5}}, r"`training\.update`: did you mean `updates`"),
        ({"model": {"hiden_dim": 4}}, "did you mean `hidden_dim`"),
        ({"model": {"preset": "transformer_tinny"}}, "transformer_tiny"),
        ({"quantizations": ["int3"]}, "int3"),
        ({"quantizations": []}, "at least one bundle"),
        ({"name": " "}, "`name` must not be blank"),
        ({"quantizations": ["float32", "float32"]}, "must not repeat"),
        ({"corpus": {"format": "files2"}}, "files2"),
        ({"tokenizer": {"vocabulary_size": 0}}, r"`tokenizer\.vocabulary_size` must be at least 1"),
        ({"model": {"hidden_dim": 15}}, "hidden_dim"),
        ({"training": {"metric": "val_accuracy"}}, "must be one of val_bleu, val_loss"),
        ({"export": {"custom_op": True}}, "`export` may hold custom_ops.*received 'custom_op'"),
        ({"export": {"force": True}}, "`export` may hold .*received 'force'"),
        (
            {"model_type": "text_encoder", "export": {"shortlist": []}},
            "may hold .*received 'shortlist'",
        ),
    ],
    ids=str,
)
def test_bad_recipes(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as error:
        load_recipe(write(tmp_path, MINIMAL | change))
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe", b"- 1", b""], ids=str)
def test_files_that_are_no_recipe(tmp_path, content):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"recipe\.yaml"):
        load_recipe(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")


def test_differences_name_nested_keys():
    one = {"a": 1, "b": {"c": 1, "d": 2}}
    assert differences(one, {"a": 1, "b": {"c": 1, "d": 3}, "e": 4}) == ["b.d", "e"]


def test_export_options_of_a_recipe(tmp_path):
    (tmp_path / "en").write_text("a dog\na cat\n")
    (tmp_path / "de").write_text("ein hund\neine katze\n")
    files = [str(tmp_path / "en"), str(tmp_path / "de")]
    changes = {
        "quantizations": ["int4", "mixed"],
        "quantization_scheme": {".": "int8"},
        "export": {"custom_ops": True, "shortlist": files},
    }
    recipe = load_recipe(write(tmp_path, MINIMAL | changes))
    options = recipe.export_options("int4", samples=["a dog"])
    assert (options.quantization, options.quantization_scheme, options.custom_ops) == (
        "int4",
        None,
        True,
    )
    assert options.shortlist == (["a dog", "a cat"], ["ein hund", "eine katze"])
    assert options.samples == ["a dog"]
    assert recipe.export_options("mixed").quantization_scheme == {".": "int8"}
    with pytest.raises(InputError, match="Custom operations need floats"):
        recipe.export_options("static_int8")
