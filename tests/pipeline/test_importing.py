"""`tfcompress import` makes a run of a MarianMT folder, which other commands and recipes take."""

import json

import numpy as np
import pytest
from models import m2m100_folders as m2m
from models import marian_folders as marian

import tfcompress as tfc
from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.models.decoding import greedy_decode
from tfcompress.pipeline.recipe_files import recipe_from_mapping


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "opus-mt-en-de"
    # Pieces without ids count as unknown, in the runtime too.
    marian.write_random_model(folder, left_out=("▁in", "▁the", "▁a", "s"))
    return folder


def test_import_export_and_translate(folder, tmp_path, capsys):
    run, bundle = str(tmp_path / "run"), str(tmp_path / "bundle")
    assert main(["import", str(folder), run, "--max-length", "50"]) == 0
    assert main(["run", "status", run, "--json"]) == 0
    status = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert status["name"] == "opus-mt-en-de"
    assert status["stages"] == {"tokenizers": "done", "model": "done"}
    assert main(["export", run, bundle, "--quantization", "float32"]) == 0
    model, source, target = tfc.models.from_marian(folder, max_length=50)
    rows = [[*ids, source.eos_id] for ids in source.encode(marian.SENTENCES)]
    expected = target.decode(greedy_decode(model, rows))
    translator = tfc.runtime.Translator(bundle, native=False)
    assert translator.translate(list(marian.SENTENCES)) == expected
    saved = tfc.models.load_preset(f"{run}/model")
    for one, other in zip(saved.model.weights, model.model.weights):
        np.testing.assert_array_equal(one, other)


def test_models_that_translate_the_other_way(folder, tmp_path):
    run, corpus = tmp_path / "run", tmp_path / "corpus"
    tfc.pipeline.import_model(folder, run)
    corpus.mkdir()
    for split in ("train", "valid", "test"):
        (corpus / f"{split}.en").write_text("\n".join(marian.SENTENCES))
        (corpus / f"{split}.de").write_text("\n".join(marian.TRANSLATED))
    filtered = {"path": str(run), "sequences": True, "filter": {"path": str(run), "keep": 0.5}}
    wrong = r"`{}` must translate from {} to {}\. Received: .* from en to de\."
    for languages, changes, message in (
        (("en", "de"), {"teacher": filtered}, wrong.format("teacher.filter.path", "de", "en")),
        (("de", "en"), {"teacher": filtered}, wrong.format("teacher.path", "de", "en")),
        (("de", "en"), {"start_from": str(run)}, wrong.format("start_from", "de", "en")),
        (
            ("de", "en"),
            {"pretrained": {"path": str(folder)}},
            wrong.format("pretrained.path", "de", "en"),
        ),
    ):
        sides = dict(zip(("source_language", "target_language"), languages))
        settings = {"name": "student", "corpus": {"path": str(corpus), **sides}, **changes}
        if "teacher" in changes:
            settings["model"] = {"hidden_dim": 16}
        with pytest.raises(InputError, match=message):
            tfc.pipeline.run_recipe(recipe_from_mapping(settings), tmp_path / "student")
        assert not (tmp_path / "student").exists()


def test_what_is_imported_is_not_lost(folder, tmp_path, capsys):
    run = tmp_path / "run"
    tfc.pipeline.import_model(folder, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="exists already"):
        tfc.pipeline.import_model(folder, run)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: another\ncorpus: {format: phrases, pairs: 2400}\nmodel: {hidden_dim: 16}\n"
    )
    assert main(["train", str(recipe), "--run", str(run), "--quiet"]) == 2
    assert "under `start_from`" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert after == before


def test_nothing_is_written_of_a_wrong_folder(folder, tmp_path, capsys):
    (folder / "vocab.json").unlink()
    assert main(["import", str(folder), str(tmp_path / "run")]) == 2
    assert "vocab.json" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "nothing"), str(tmp_path / "run")]) == 2
    assert "There is no such file or folder" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def m2m100(tmp_path):
    folder = tmp_path / "m2m100"
    m2m.write_random_model(folder)
    texts = tmp_path / "texts"
    texts.write_text("\n".join([*m2m.SENTENCES[:2], *m2m.TRANSLATED[:2]]))
    return folder, texts


@pytest.mark.slow
@pytest.mark.parametrize("native", [False, True])
def test_m2m100_is_imported_for_two_languages(m2m100, tmp_path, native, request, monkeypatch):
    if native:
        library = request.getfixturevalue("built") / "libtfcompress.so"
        monkeypatch.setenv("TFCOMPRESS_NATIVE", str(library))
    (folder, texts), run, bundle = m2m100, str(tmp_path / "run"), str(tmp_path / "bundle")
    languages = ["--source-language", "en", "--target-language", "de"]
    assert main(["import", str(folder), run, *languages, "--corpus", str(texts)]) == 0
    sentences = m2m.SENTENCES
    options = ["--quantization", "float32", *(["--custom-ops"] if native else [])]
    assert main(["export", run, bundle, *options]) == 0
    lines = texts.read_text().splitlines()
    model, source, target = tfc.models.from_m2m100(
        folder, source_language="en", target_language="de", corpus=(lines, lines)
    )
    rows = [[*ids, source.eos_id] for ids in source.encode(sentences)]
    expected = target.decode(greedy_decode(model, rows))
    translator = tfc.runtime.Translator(bundle, native=native)
    assert translator.translate(sentences) == expected
    ids = source.encode(sentences)
    assert target.decode(translator.translate_ids(ids)) == expected


def test_languages_of_m2m100(m2m100, folder, tmp_path, capsys):
    run = str(tmp_path / "run")
    assert main(["import", str(m2m100[0]), run, "--source-language", "en"]) == 2
    assert "Received: target_language=None" in capsys.readouterr().err
    languages = ["--source-language", "en", "--target-language", "ger"]
    assert main(["import", str(m2m100[0]), run, *languages]) == 2
    assert "Give one, such as" in capsys.readouterr().err
    assert main(["import", str(folder), run, "--source-language", "en"]) == 2
    assert "`source_language` is for M2M100" in capsys.readouterr().err
    assert main(["import", str(folder), run, "--corpus", str(m2m100[1])]) == 2
    assert "a corpus for" in capsys.readouterr().err


@pytest.mark.slow
def test_recipes_begin_with_translators_of_other_libraries(m2m100, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split in ("train", "valid", "test"):
        (corpus / f"{split}.en").write_text("\n".join(m2m.SENTENCES[:4]))
        (corpus / f"{split}.de").write_text("\n".join(m2m.TRANSLATED[:4]))
    recipe = {
        "name": "tuned",
        "pretrained": {
            "path": str(m2m100[0]),
            "source_language": "en",
            "target_language": "de",
            "trim": True,
        },
        "corpus": {"path": str(corpus), "source_language": "en", "target_language": "de"},
        "training": {"updates": 2, "evaluate_every": 2, "batch_tokens": 64},
        "quantizations": ["float32"],
    }
    path, run = tmp_path / "recipe.yaml", tmp_path / "run"
    path.write_text(json.dumps(recipe))
    assert main(["train", str(path), "--run", str(run), "--quiet"]) == 0
    config = tfc.models.load_preset(run / "model").config
    assert config.first_position == 2
    assert len(config.target_prefix) == 1
    assert (
        config.target_vocabulary_size
        < json.loads((m2m100[0] / "config.json").read_text())["vocab_size"]
    )
    with pytest.raises(InputError, match="do not go together"):
        recipe_from_mapping(recipe | {"start_from": str(run)})
    with pytest.raises(InputError, match=r"`tokenizer\.like` does not go with `pretrained`"):
        recipe_from_mapping(recipe | {"tokenizer": {"like": str(run)}})
