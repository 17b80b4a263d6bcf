"""Recipes that begin with a trained model, operate on it, or learn from a teacher."""

import copy

import pytest
from flavours import one_flavour

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models import load_preset
from tfcompress.pipeline import TranslationRecipe, run_recipe
from tfcompress.text import Tokenizer


@pytest.fixture
def run(finished_run, recipe_mapping, corpus_folder, tmp_path):
    """Runs a changed recipe and returns its folder."""

    def start(name="changed", **changes):
        mapping = copy.deepcopy(recipe_mapping) | {"name": name, "quantizations": ["dynamic_int8"]}
        training = mapping["training"] | {"updates": 2} | changes.pop("training", {})
        mapping |= {"training": training} | changes
        if "start_from" in mapping:
            mapping["model"] = changes.get("model", {})
        folder = tmp_path / name
        recipe = schema.from_mapping(TranslationRecipe, mapping)
        run_recipe(recipe, folder, corpus=corpus_folder, verbose=0, log=lambda line: None)
        return folder

    return start


@pytest.mark.slow
@one_flavour
def test_surgery_without_training(run, finished_run):
    folder = run(
        start_from=str(finished_run),
        surgery={
            "before": [
                {"prune_heads": {"fraction": 0.4, "minimum_per_layer": 1, "sentences": 40}},
                {"narrow_feed_forward": {"encoder": 20, "decoder": 24, "sentences": 40}},
                {"factorize_embedding": {"embedding_dim": 8}},
                {"trim_vocabulary": {}},
            ]
        },
        training={"updates": 0},
    )
    config = load_preset(folder / "model").config
    assert config.embedding.embedding_dim == 8
    assert config.encoder.feed_forward.intermediate_dim == 20
    heads = (config.encoder.attention, config.decoder.attention, config.decoder.cross_attention)
    assert sum(attention.num_heads for attention in heads) == 6 - int(6 * 0.4)
    tokenizer = Tokenizer(folder / "tokenizer.model")
    assert config.source_vocabulary_size == tokenizer.vocabulary_size <= 256
    assert (folder / "report.html").is_file()


@one_flavour
@pytest.mark.slow
def test_replacing_layers(run, finished_run, recipe_mapping):
    stack = recipe_mapping["model"]["encoder"] | {"num_layers": 2}
    deep = run("deep", model=recipe_mapping["model"] | {"encoder": stack})
    folder = run(
        start_from=str(deep),
        model={"encoder": {"successors": 1}},
        surgery={"after": [{"take_successors": {}}]},
        training={"train_only": "_module_", "replacing": {"schedule": "linear"}},
    )
    model, former = load_preset(folder / "model"), load_preset(deep / "model")
    assert model.config.encoder.num_layers == 1
    kept = zip(model.layer("embedding").get_weights(), former.layer("embedding").get_weights())
    assert all((new == old).all() for new, old in kept)


@pytest.mark.slow
@one_flavour
def test_learning_from_a_teacher(run, finished_run):
    folder = run(
        tokenizer={"like": str(finished_run)},
        teacher={"path": str(finished_run), "sequences": True, "beam_size": 2, "n_best": 2},
        training={"distillation": {"weight": 0.5, "hidden_weight": 0.1}},
    )
    lines = (folder / "teacher.txt").read_text().splitlines()
    assert len(lines) == 368
    # So that the run can be exported by itself, or begun with.
    tokenizer = (folder / "tokenizer.model").read_bytes()
    assert tokenizer == (finished_run / "tokenizer.model").read_bytes()
    assert (folder / "model" / "config.json").is_file()


@one_flavour
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_from": "nowhere"}, "`start_from` must be the folder of a finished run"),
        ({"surgery": {"before": [{"take_successors": {}}]}}, "needs a trained model"),
        ({"training": {"updates": 0}}, "`training.updates` 0 needs a trained model"),
        ({"surgery": {"after": [{"trim_vocabulary": {}}]}}, "cannot trim the vocabulary"),
        ({"surgery": {"after": [{}]}}, "exactly one of"),
        ({"surgery": {"after": [{"drop_layer": {}}]}}, "did you mean `drop_layers`"),
        ({"training": {"distillation": {}}}, "needs a `teacher`"),
        ({"teacher": {"path": "x"}}, "teaches nothing"),
        (
            {"teacher": {"path": "x", "sequences": True, "n_best": 9}},
            r"between 1 and `teacher.beam_size` \(received 9 and 5\)",
        ),
        (
            {"surgery": {"after": [{"drop_layers": {"rate": 0.7}}]}},
            r"in \[0, 0.5\]. Received: 0.7",
        ),
        ({"surgery": {"after": [{"prune_heads": {"protect": "("}}]}}, "a regular expression"),
        ({"surgery": {"after": [{"prune_heads": {"fraction": 1.0}}]}}, "prune_heads.fraction"),
        ({"surgery": {"after": [{"prune_heads": {"steps": 0}}]}}, "at least 1. Received: 0"),
        ({"surgery": {"after": [{"narrow_feed_forward": {"sentences": 0}}]}}, "at least 1"),
        ({"training": {"replacing": {}}}, "needs a model with successors"),
        ({"training": {"replacing": {"rate": 2.0}}}, r"`rate` must lie in \(0, 1\]"),
        ({"training": {"replacing": {"slope": 0.1}}}, "does not belong to the constant schedule"),
        ({"training": {"train_only": "["}}, "a regular expression"),
        ({"training": {"quantize_aware": {"bits": 3}}}, "`bits` must be 8 or 4. Received: bits=3"),
        ({"training": {"quantize_aware": {}, "pruning": {}}}, "trainings of their own"),
        ({"training": {"pruning": {"begin": 2}}}, "must begin before it ends"),
        ({"training": {"pruning": {"sparsity": 1.0}}}, r"in \(0, 1\) \(received 1.0\)"),
        ({"training": {"pruning": {}, "average": 2}}, "`pruning` needs `accumulate` 1"),
        ({"training": {"clustering": {"number_of_clusters": 1}}}, "at least 2"),
        ({"training": {"clustering": {}, "precision": "mixed_float16"}}, "float32"),
    ],
)
def test_impossible(run, changes, message):
    with pytest.raises(InputError, match=message):
        run(**changes)
