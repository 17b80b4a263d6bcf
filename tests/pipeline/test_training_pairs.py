"""Recipes that train on a teacher's best translations, filtered, aligned and with noise."""

import copy

import numpy as np
import pytest
from flavours import one_flavour
from models import marian_folders as marian

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.pipeline import (
    TranslationRecipe,
    export_model,
    filtering,
    import_model,
    run_recipe,
    training_pairs,
)
from tfcompress.pipeline.filtering import KeptLines, best_share
from tfcompress.text import TokenizedPairs, Tokenizer
from tfcompress.text.token_cache import TokenCache

NOISE = {"upper_case": 0.2, "typos": 0.3, "tags": 0.2, "variants": 2}


@pytest.fixture(scope="module")
def backward(recipe_mapping, corpus_folder, tmp_path_factory):
    """A run of a model in the opposite direction, without bundles of its own worth."""
    folder = tmp_path_factory.mktemp("backward") / "run"
    mapping = copy.deepcopy(recipe_mapping) | {"quantizations": ["float32"]}
    mapping["corpus"] = {"source_language": "de", "target_language": "en"}
    mapping["training"] |= {"updates": 2}
    recipe = schema.from_mapping(TranslationRecipe, mapping)
    run_recipe(recipe, folder, corpus=corpus_folder, verbose=0, log=lambda line: None)
    return folder


@pytest.fixture
def run(recipe_mapping, corpus_folder, tmp_path):
    def start(name="changed", data=corpus_folder, **changes):
        mapping = copy.deepcopy(recipe_mapping) | {"name": name, "quantizations": ["dynamic_int8"]}
        for key in ("training", "corpus"):
            mapping[key] = mapping[key] | changes.pop(key, {})
        mapping["training"]["updates"] = 2
        recipe = schema.from_mapping(TranslationRecipe, mapping | changes)
        lines = []
        run_recipe(recipe, tmp_path / name, corpus=data, verbose=0, log=lines.append)
        return tmp_path / name, lines

    return start


@pytest.mark.slow
@one_flavour
def test_everything_together_goes_on_after_a_kill(run, finished_run, backward, monkeypatch):
    settings = {
        "corpus": {"noise": NOISE},
        "teacher": {
            "path": str(finished_run),
            "sequences": True,
            "beam_size": 2,
            "n_best": 2,
            "filter": {"path": str(backward), "keep": 0.5},
        },
        "training": {"guided_alignment": {"weight": 0.1}},
    }
    score, calls = filtering._score, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(filtering, "_score", killed)
    with pytest.raises(KeyboardInterrupt):
        run(**settings)
    folder, lines = run(**settings)
    scores = (folder / "training" / "backward.txt").read_text().splitlines()
    alignments = (folder / "training" / "alignments.txt").read_text().splitlines()
    # 368 pairs in three pieces, one of which was done before the kill.
    assert len(scores) == 368
    assert len(calls) == 4
    assert len(alignments) == 184
    assert any("184 of 368 pairs are kept" in line for line in lines)
    cache = TokenCache(folder / "training" / "corpus")
    assert [chunk.examples for chunk in cache.content.chunks] == [184, 184]
    translations = (folder / "teacher.txt").read_text().splitlines()
    kept = [*KeptLines(translations, best_share(scores, 0.5))]
    pairs = TokenizedPairs.from_corpus(Tokenizer(folder / "tokenizer.model"), kept, kept)
    assert (cache.read([0])[1][0] == pairs.target_ids).all()
    # Nothing is done again.
    run(**settings)
    assert len(calls) == 4
    with pytest.raises(InputError, match=r"differs in corpus.noise.typos\. "):
        run(**settings | {"corpus": {"noise": NOISE | {"typos": 0.4}}})
    settings["teacher"]["filter"]["path"] = str(finished_run)
    with pytest.raises(InputError, match=r"from de to en\. Received: .* from en to de\."):
        run("forward", **settings)
    settings["teacher"]["filter"] = {"path": str(backward), "keep": 0.6}
    with pytest.raises(InputError, match=r"differs in teacher.filter.keep\. "):
        run(**settings)


@pytest.mark.slow
@one_flavour
def test_a_student_of_an_imported_model(run, recipe_mapping, tmp_path, monkeypatch):
    marian.write_random_model(tmp_path / "opus-mt-en-de")
    teacher = tmp_path / "teacher"
    import_model(tmp_path / "opus-mt-en-de", teacher, max_length=50)
    for split in ("train", "valid", "test"):
        for language, texts in (("en", marian.SENTENCES), ("de", marian.TRANSLATED)):
            lines = "".join(f"{text}\n" for text in texts)
            (tmp_path / f"{split}.{language}").write_text(lines)
    # Room for what a model of random weights says.
    model = recipe_mapping["model"] | {"max_source_length": 256, "max_target_length": 256}
    settings = {"tokenizer": {"like": str(teacher)}, "model": model, "data": tmp_path}
    settings["teacher"] = {"path": str(teacher), "sequences": True, "beam_size": 2, "n_best": 2}
    with pytest.raises(InputError, match=r"bundles.dynamic_int8.*make it: `tfcompress export "):
        run(**settings)
    bundle = teacher / "bundles" / "dynamic_int8"
    export_model(teacher, bundle, quantization="dynamic_int8")
    from tfcompress.models import load_preset

    folder, _ = run(**settings)
    # The student speaks the tokenizers' ids: padding and begin are one, end is 0.
    config, expected = (load_preset(one / "model").config for one in (folder, teacher))
    for name in ("pad_id", "bos_id", "eos_id"):
        assert getattr(config, name) == getattr(expected, name)
    # Another student takes the translations over.
    settings["teacher"]["translations"] = str(folder)
    monkeypatch.setattr(training_pairs, "translate_n_best", lambda *_: pytest.fail("again"))
    again, _ = run("again", **settings)
    assert (again / "teacher.txt").read_bytes() == (folder / "teacher.txt").read_bytes()
    # Where they came from does not count.
    settings["teacher"]["translations"] = None
    run("again", **settings)
    settings["teacher"]["translations"] = str(tmp_path)
    with pytest.raises(InputError, match=r"a run with translations.*without teacher.txt.journal"):
        run("none", **settings)
    del settings["teacher"]["translations"]
    with pytest.raises(InputError, match=r"`model.pad_id` must be the tokenizer's"):
        run("other", **settings | {"model": model | {"pad_id": 3}})


def test_the_best_share():
    scores = ["3", "1", "inf", "1", "2"]
    assert [*KeptLines("abcde", best_share(scores, 0.6))] == ["b", "d", "e"]
    assert [*KeptLines("abcde", best_share(scores, 0.4))] == ["b", "d"]
    assert best_share(scores, 1.0).all()
    assert best_share(scores, 0.01).sum() == 1
    lines = KeptLines("abcde", np.array([True, False, True, True, False]))
    assert (len(lines), lines[0], lines[-1], lines[1:]) == (3, "a", "d", ["c", "d"])
    with pytest.raises(IndexError):
        lines[3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": {"noise": {"typos": 2.0}}}, r"`typos` must lie in \[0, 1\]"),
        ({"corpus": {"noise": {"typoes": 0.1}}}, "did you mean `typos`"),
        ({"training": {"guided_alignment": {"weight": -1.0}}}, "`guided_alignment.weight`"),
        (
            {"teacher": {"path": "x", "sequences": True, "filter": {"path": "y", "keep": 0.0}}},
            r"`teacher.filter.keep` must lie in \(0, 1\] \(received 0.0\)",
        ),
        *(
            (
                {"teacher": {"path": "x"} | teacher, "training": {"distillation": {}}},
                rf"`teacher\.{name}` needs translations.*set `teacher\.sequences`",
            )
            for teacher in (
                {"filter": {"path": "y"}}, {"n_best": 2}, {"translations": "z"}, {"beam_size": 2},
                {"quantization": "int4"},
            )
            for name in teacher
        ),
        (
            {"teacher": {"path": "x", "sequences": True, "filter": {"path": "y"}},
             "corpus": {"train": ["train"], "weights": [1.0]}},
            "does not go with `corpus.weights`",
        ),
    ],
)  # fmt: skip
def test_impossible(run, changes, message):
    with pytest.raises(InputError, match=message):
        run(**changes)


def test_only_translators_align(recipe_mapping):
    from tfcompress.pipeline import TextEncoderRecipe

    mapping = {
        "name": "a",
        "model_type": "text_encoder",
        "pretrained": "minilm",
        "training": {"guided_alignment": {}},
    }
    with pytest.raises(InputError, match=r"`training.guided_alignment` needs a translation model"):
        schema.from_mapping(TextEncoderRecipe, mapping)
