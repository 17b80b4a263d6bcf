"""A corpus of travel phrases and a recipe that trains on it in seconds."""

import pytest
import yaml

from tfcompress.text.phrases import write_corpus


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, pairs=400, valid=20, test=12)
    return folder


@pytest.fixture(scope="session")
def recipe_mapping():
    stack = {
        "num_layers": 1,
        "attention": {"num_heads": 2},
        "feed_forward": {"intermediate_dim": 32},
    }
    return {
        "name": "tiny",
        "corpus": {"source_language": "en", "target_language": "de"},
        "tokenizer": {"vocabulary_size": 256},
        "model": {
            "hidden_dim": 16,
            "encoder": stack,
            "decoder": stack,
            "embedding": {"share": True},
            "normalize_first": True,
            "max_source_length": 48,
            "max_target_length": 48,
        },
        "training": {
            "updates": 4,
            "batch_tokens": 512,
            "evaluate_every": 2,
            "evaluate_sentences": 4,
            "schedule": "constant",
        },
        "evaluation": {"beam_size": 2, "examples": 2},
        "benchmark": {"sentences": 3, "runs": 1},
    }


@pytest.fixture(scope="session")
def recipe_path(recipe_mapping, tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe_mapping), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def finished_run(corpus_folder, recipe_path, tmp_path_factory):
    """The folder of a run that went through all stages, made by the command line."""
    from tfcompress.commands import main

    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["train", str(recipe_path), "--corpus", str(corpus_folder), "--quiet"]
    assert main([*arguments, "--run", str(folder)]) == 0
    return folder
