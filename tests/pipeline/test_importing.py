"""`tfcompress import` makes a run of a MarianMT folder, which other commands and recipes take."""

import json

import numpy as np
import pytest
from models import marian_folders as marian

import tfcompress as tfc
from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.models.decoding import greedy_decode


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
