"""Recipes of text encoders, from texts with labels to measured bundles."""

import json
import shutil

import numpy as np
import pytest
import yaml
from flavours import one_flavour
from text.text_corpus import write_text_corpus

from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
    TextEncoder,
    load_preset,
)
from tfcompress.pipeline import TextEncoderRecipe, load_recipe, run_recipe
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.reporting import load_results

MODEL = {
    "hidden_dim": 32,
    "encoder": {
        "num_layers": 2,
        "attention": {"num_heads": 2},
        "feed_forward": {"intermediate_dim": 64},
    },
    "max_length": 16,
    "dropout": 0.0,
}
TRAINING = {
    "updates": 80,
    "batch_tokens": 256,
    "learning_rate": 0.003,
    "schedule": "constant",
    "label_smoothing": 0.0,
    "evaluate_every": 40,
}
SHORT = TRAINING | {"updates": 2, "evaluate_every": 1}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_text_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def recipe_path(corpus, tmp_path_factory):
    mapping = {
        "name": "tiny",
        "model_type": "text_encoder",
        "corpus": {"labels": ["0", "1"]},
        "tokenizer": str(corpus),
        "model": MODEL,
        "training": TRAINING,
        "benchmark": {"texts": 3, "runs": 1},
    }
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(yaml.safe_dump(mapping))
    return path


@pytest.fixture(scope="module")
def finished(corpus, recipe_path, tmp_path_factory):
    """The folder of a run that went through all stages, made by the command line."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["train", str(recipe_path), "--corpus", str(corpus), "--quiet"]
    assert main([*arguments, "--run", str(folder)]) == 0
    return folder


@pytest.fixture
def run(finished, corpus, tmp_path):
    """Runs a recipe that begins with the finished run and returns its folder."""

    def start(name="changed", **changes):
        mapping = {
            "name": name,
            "model_type": "text_encoder",
            "start_from": str(finished),
            "training": SHORT,
            "quantizations": ["dynamic_int8"],
            "benchmark": {"texts": 2, "runs": 1},
        }
        folder = tmp_path / name
        recipe = recipe_from_mapping(mapping | changes)
        run_recipe(recipe, folder, corpus=corpus, verbose=0, log=lambda line: None)
        return folder

    return start


def test_results(finished):
    results = load_results(finished)
    assert [row.quantization for row in results.rows] == ["float32", "dynamic_int8"]
    float32, int8 = results.rows
    assert float32.accuracy > 80
    assert float32.accuracy_low < float32.accuracy < float32.accuracy_high or (
        float32.accuracy == 100
    )
    assert int8.model_bytes < float32.model_bytes
    assert all(row.sentences == 24 and row.bleu is None for row in results.rows)
    assert [point.step for point in results.history] == [40, 80]
    assert results.history[-1].validation_accuracy > 80
    assert results.examples[0].reference in ("0", "1")
    report = (finished / "report.md").read_text()
    assert "accuracy" in report
    assert "BLEU" not in report
    assert "accuracy" in (finished / "report.html").read_text()


def test_a_finished_run_is_only_reported(finished, corpus, recipe_path, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    said = []
    run_recipe(load_recipe(recipe_path), copy, corpus=corpus, verbose=0, log=said.append)
    assert said == ["tiny: reading the corpus"]
    shutil.rmtree(copy / "model")
    run_recipe(load_recipe(recipe_path), copy, corpus=corpus, verbose=0, log=said.append)
    # The same model comes of its training, so that nothing else is done again.
    words = [line.split(": ", 1)[1].split()[0] for line in said[2:]]
    assert words == ["model/config.json", "tokenizing", "training"]


@pytest.mark.slow
@one_flavour
def test_every_surgery(run, corpus):
    folder = run(
        surgery={
            "before": [
                {"prune_heads": {"fraction": 0.5, "sentences": 40}},
                {"narrow_feed_forward": {"encoder": 20, "sentences": 40}},
                {"factorize_embedding": {"embedding_dim": 8, "weigh_tokens": True}},
            ],
            "after": [{"drop_layers": {"search_encoder": 1, "sentences": 20}}],
        },
    )
    config = load_preset(folder / "model").config
    assert config.embedding_dim == 8
    assert config.project_first
    assert config.encoder.num_layers == 1
    assert config.encoder.feed_forward.intermediate_dim == 20
    manifest = json.loads((folder / "bundles" / "dynamic_int8" / "manifest.json").read_text())
    assert manifest["tokenizer"]["tokenizer_type"] == "published"


@pytest.mark.slow
@one_flavour
def test_theseus_and_distillation(run, finished):
    theseus = run(
        "theseus",
        model={"encoder": {"successors": 1}},
        training=SHORT | {"replacing": {"rate": 0.5}, "train_only": "_module_"},
        surgery={"after": [{"take_successors": {}}]},
    )
    assert load_preset(theseus / "model").config.encoder.num_layers == 1
    student = run(
        "student",
        start_from=str(theseus),
        teacher={"path": str(finished)},
        training=SHORT | {"distillation": {"weight": 0.5, "hidden_weight": 1.0}},
    )
    assert load_results(student).rows[0].accuracy is not None


@pytest.mark.slow
@one_flavour
def test_a_saved_encoder_is_a_beginning(run, finished, corpus, tmp_path):
    saved = tmp_path / "saved"
    encoder = load_preset(finished / "model")
    plain = TextEncoder(encoder.config.replace(head=None))
    plain.save_to_preset(saved)
    folder = run(
        start_from=None,
        pretrained=str(saved),
        tokenizer=str(corpus),
        training={"updates": 2, "evaluate_every": 1, "batch_tokens": 256},
    )
    head = load_preset(folder / "model").config.head
    assert (head.task, head.pooling, head.labels) == ("classification", "pooled", ("0", "1"))


@pytest.mark.slow
def test_nothing_is_trained_with_0_updates(run, finished):
    folder = run(training={"updates": 0})
    for one, other in zip(
        load_preset(folder / "model").model.get_weights(),
        load_preset(finished / "model").model.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrained": "x"}, "`pretrained` and `start_from` do not go together"),
        ({"start_from": None}, "`model` must describe a model unless"),
        ({"start_from": None, "model": MODEL}, "`tokenizer` must be a folder"),
        ({"tokenizer": "x"}, "`tokenizer` does not go with `start_from`"),
        ({"surgery": {"before": [{"trim_vocabulary": {}}]}}, "cannot trim_vocabulary"),
        ({"teacher": {"path": "x"}}, "go together"),
        ({"training": {"evaluate_sentences": 3}}, "evaluate_sentences` is for translations"),
        ({"quantizations": ["mixed"]}, "`quantization_scheme` goes with"),
        ({"benchmark": {"texts": 0}}, r"`benchmark\.texts` must be at least 1"),
        ({"model_type": "tree"}, "`model_type` must be one of translation, text_encoder"),
        ({"teachers": {}}, "teacher"),
        ({"training": {"metric": "val_bleu"}}, r"`training\.metric` must be one of val_acc"),
    ],
)
def test_impossible_recipes(changes, message):
    mapping = {"name": "x", "model_type": "text_encoder", "start_from": "run"} | changes
    with pytest.raises(InputError, match=message):
        recipe_from_mapping(mapping)


def test_other_models(run, corpus, tmp_path):
    stack = StackConfig(1, attention=AttentionConfig(1), feed_forward=FeedForwardConfig(8))
    config = Seq2SeqConfig(20, hidden_dim=8, encoder=stack, decoder=stack)
    Seq2SeqTransformer(config).save_to_preset(tmp_path / "saved")
    settings = {"start_from": None, "pretrained": str(tmp_path / "saved"), "tokenizer": str(corpus)}
    with pytest.raises(InputError, match="must be a text encoder"):
        run("translation", **settings)
    with pytest.raises(
        InputError, match=r"must have the same vocabulary_size\. Received: 24 and 22\."
    ):
        run("sizes", model={"vocabulary_size": 22})


def test_labels_that_the_corpus_does_not_know(run, corpus):
    with pytest.raises(InputError, match=r"dev\.tsv, line 2, label '\d'. Give one of good, bad"):
        run(corpus={"labels": ["good", "bad"]})


def test_recipes_are_of_their_kind():
    recipe = TextEncoderRecipe("x", start_from="y")
    assert recipe.model_type == "text_encoder"
    with pytest.raises(InputError, match="teachers"):
        recipe_from_mapping({"name": "x", "teachers": 1})


@pytest.mark.parametrize(
    "option",
    [
        ["--beam-size", "5"],
        ["--length-penalty", "1.0"],
        ["--tokenize", "13a"],
        ["--lowercase"],
    ],
    ids=lambda option: option[0],
)
def test_evaluate_refuses_what_translation_models_have(finished, corpus, capsys, option):
    bundle, data = str(finished / "bundles" / "float32"), str(corpus / "test.tsv")
    assert main(["evaluate", bundle, "--data", data, *option]) == 2
    assert f"A text encoder takes no {option[0]}." in capsys.readouterr().err


@pytest.mark.slow
def test_export_from_the_command_line(finished, corpus, tmp_path, capsys):
    assert main(["export", str(finished), str(tmp_path / "one")]) == 0
    again = json.loads((tmp_path / "one" / "manifest.json").read_text())
    former = json.loads((finished / "bundles" / "dynamic_int8" / "manifest.json").read_text())
    assert again["files"]["model.tflite"] == former["files"]["model.tflite"]
    assert again["tokenizer"] == former["tokenizer"]
    saved = str(shutil.copytree(finished / "model", tmp_path / "saved"))
    # A run whose tokenizer is lost becomes no bundle without one.
    shutil.copytree(finished, tmp_path / "lost")
    shutil.rmtree(tmp_path / "lost" / "tokenizer")
    assert main(["export", str(tmp_path / "lost"), str(tmp_path / "x")]) == 2
    assert "has no tokenizer of a text encoder" in capsys.readouterr().err
    command = ["export", saved, str(tmp_path / "two"), "--tokenizer", str(corpus)]
    texts = tmp_path / "texts.txt"
    texts.write_text("the film is great .\na dull story .\n")
    command += ["--quantization", "static_int8", "--representative", str(texts)]
    assert main(command) == 0
    assert (tmp_path / "two" / "tokenizer.json").is_file()
    capsys.readouterr()
    command = ["export", saved, str(tmp_path / "x"), "--custom-ops"]
    assert main([*command, "--shortlist", str(texts), str(texts)]) == 2
    assert "A text encoder model takes no `shortlist`" in capsys.readouterr().err
    command = ["export", saved, str(tmp_path / "x"), "--quantization", "static_int8"]
    assert main([*command, "--representative", str(texts)]) == 2
    assert "needs a tokenizer" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
