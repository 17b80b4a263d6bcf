"""A run of a language model, from text files to measured bundles, and the commands on it."""

import json
import math
import shutil

import numpy as np
import pytest
import yaml

from tfcompress.commands.main import main
from tfcompress.errors import InputError
from tfcompress.pipeline import LanguageModelRecipe, evaluate_language_model, load_recipe
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.reporting import load_results

WORDS = [
    "the",
    "red",
    "ball",
    "a",
    "small",
    "dog",
    "plays",
    "with",
    "old",
    "men",
    "who",
    "run",
    "in",
    "park",
]
RECIPE = {
    "model_type": "language_model",
    "name": "tiny",
    "corpus": {"join": True},
    "tokenizer": {"vocabulary_size": 32},
    "model": {
        "hidden_dim": 16,
        "max_length": 16,
        "decoder": {
            "num_layers": 2,
            "attention": {"num_heads": 2},
            "feed_forward": {"intermediate_dim": 32},
        },
    },
    "surgery": {"after": [{"name": "narrow_feed_forward", "settings": {"decoder": 16}}]},
    "training": {
        "updates": 4,
        "evaluate_every": 2,
        "batch_tokens": 128,
        "learning_rate": 0.01,
        "schedule": "constant",
        "label_smoothing": 0.0,
    },
    "quantizations": ["float32", "dynamic_int8"],
    "benchmark": {"texts": 2, "runs": 1},
}


def lines(count, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(3, 9))) for _ in range(count)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (split, count) in enumerate({"train": 300, "valid": 30, "test": 20}.items()):
        (folder / f"{split}.txt").write_text("\n".join(lines(count, seed)) + "\n\n")
    return folder


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    recipe = {key: value for key, value in RECIPE.items() if key != "surgery"}
    recipe["surgery"] = {"after": [{"narrow_feed_forward": {"decoder": 16}}]}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = ["train", str(folder / "recipe.yaml"), "--corpus", str(corpus)]
    assert main([*command, "--run", str(folder / "run")]) == 0
    return folder / "run"


@pytest.mark.slow
def test_run(run, corpus, capsys):
    rows = load_results(run).rows
    assert [row.quantization for row in rows] == ["float32", "dynamic_int8"]
    for row in rows:
        assert row.perplexity_low < row.perplexity < row.perplexity_high
        assert row.score.lower_is_better
    report = (run / "report.md").read_text()
    assert "perplexity" in report
    assert "<svg" in (run / "report.html").read_text()
    bundle, test = str(run / "bundles" / "float32"), str(corpus / "test.txt")
    assert main(["evaluate", bundle, "--data", test, "--join", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["perplexity"] == pytest.approx(rows[0].perplexity)
    total = metrics["tokens"] * math.log(metrics["perplexity"])
    assert metrics["word_perplexity"] == pytest.approx(math.exp(total / metrics["words"]))
    assert metrics["bits_per_byte"] == pytest.approx(total / math.log(2) / metrics["bytes"])
    assert main(["evaluate", bundle, "--data", test, "--source", test]) == 2
    assert "takes no --source" in capsys.readouterr().err
    assert main(["generate", bundle, "--prompt", "the red", "--max-tokens", "4"]) == 0
    assert capsys.readouterr().out.startswith("the red")
    options = ["--prompt", "the", "--max-tokens", "4", "--beam-size", "3", "--n-best", "2"]
    assert main(["generate", bundle, *options, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["continuations"]) == 2
    assert main(["generate", bundle, "--prompt", "a", "--top-k", "3"]) == 2
    assert "`top_k` is for draws" in capsys.readouterr().err
    assert main(["benchmark", bundle, "--input", test, "--runs", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target_tokens_per_s"] > 0
    assert main(["export", str(run), str(run / "int4"), "--quantization", "int4"]) == 0
    manifest = json.loads((run / "int4" / "manifest.json").read_text())
    assert manifest["tokenizers"]["text"] == "tokenizer.model"


@pytest.mark.slow
def test_goes_on_from_a_run(run, corpus, tmp_path):
    recipe = {key: value for key, value in RECIPE.items() if key not in ("surgery", "tokenizer")}
    recipe |= {
        "model": {},
        "start_from": str(run),
        "teacher": {"path": str(run)},
        "training": {**RECIPE["training"], "distillation": {"weight": 0.5}},
        "surgery": {"before": [{"drop_layers": {"keep": {"decoder": [0]}}}]},
        "quantizations": ["dynamic_int8"],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = ["train", str(tmp_path / "recipe.yaml"), "--corpus", str(corpus)]
    assert main([*command, "--run", str(tmp_path / "run")]) == 0
    assert load_results(tmp_path / "run").rows[0].parameters < load_results(run).rows[0].parameters


@pytest.mark.slow
def test_training_files_have_shares(corpus, tmp_path):
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder)
    (folder / "more.txt").write_text("red dogs\n" * 40)
    recipe = {key: value for key, value in RECIPE.items() if key != "surgery"}
    names = {"train": ["train", "more"], "join": True}
    command = ["train", str(tmp_path / "recipe.yaml"), "--corpus", str(folder)]
    for weights, code in (([1, 99], 0), ([1, 99], 0), ([1, 1], 2)):
        recipe["corpus"] = names | {"weights": weights}
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        assert main([*command, "--run", str(tmp_path / "run")]) == code
    # Four updates of two words only.
    recipe["corpus"] = names | {"weights": [99, 1]}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert main([*command, "--run", str(tmp_path / "other")]) == 0
    one, other = (load_results(tmp_path / name).rows[0].perplexity for name in ("run", "other"))
    assert one > other


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": {"weights": [1, 2]}}, r"as many as the names in `corpus\.train`"),
        ({"corpus": {"train": ["a", "b"], "weights": [1, 0]}}, "weights` must be positive"),
        ({"training": {"metric": "val_bleu"}}, "must be one of val_perplexity, val_loss"),
        ({"training": {"evaluate_sentences": 3}}, "evaluate_sentences"),
        ({"teacher": {"path": "run"}}, "go together"),
        ({"model": {"preset": "transformer_tiny"}}, "must be a language model"),
        (
            {"surgery": {"before": [{"trim_vocabulary": {}}]}, "start_from": "run"},
            "trim the vocabulary",
        ),
        ({"model": {"encoder": {}}}, "encoder"),
        ({"export": {"shortlist": ["a", "b"]}}, "`export` may hold"),
    ],
)
def test_recipes_that_are_impossible(changes, message):
    base = {"model_type": "language_model", "name": "x", "model": {"preset": "language_model_tiny"}}
    with pytest.raises(InputError, match=message):
        recipe_from_mapping(base | changes)


def test_recipes(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "model_type: language_model\nname: x\nmodel: {preset: delight_language_model_tiny}\n"
    )
    recipe = load_recipe(path)
    assert isinstance(recipe, LanguageModelRecipe)
    assert recipe.model_config(300).vocabulary_size == 300


def test_evaluation_needs_texts():
    with pytest.raises(InputError, match="There must be texts"):
        evaluate_language_model("bundle", [])
