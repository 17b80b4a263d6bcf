"""`tfcompress import` takes Marian's own files, and `tfcompress export` writes them again."""

import json

import numpy as np
import pytest
from flavours import one_flavour
from models import marian_students as students
from models.marian_folders import SENTENCES

import tfcompress as tfc
from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.pipeline.marian_sources import find_marian_files

pytestmark = one_flavour


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    vocabulary = students.vocabulary()
    options = students.settings(students.size_of(vocabulary), **{"enc-depth": 1, "dec-depth": 1})
    tensors = students.random_tensors(options)
    (folder / "vocab.ende.spm").write_bytes(vocabulary)
    (folder / "model.bin").write_bytes(students.bergamot(tensors, options))
    return folder


def test_in_and_out_again(source, tmp_path, capsys):
    run, out, again = (str(tmp_path / name) for name in ("run", "out", "again"))
    assert main(["import", str(source), run, "--max-length", "40"]) == 0
    texts = tmp_path / "texts.en"
    texts.write_text("\n".join(SENTENCES))
    capsys.readouterr()
    options = ["--representative-data", str(texts), "--shortlist", str(texts), str(texts)]
    assert main(["export", run, out, "--format", "marian", *options, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert sorted(files) == [
        "lex.s2t.bin",
        "model.bin",
        "model.intgemm.alphas.bin",
        "model.npz",
        "vocab.spm",
    ]
    assert main(["import", out, again]) == 2
    assert "It must be clear which model is meant" in capsys.readouterr().err
    assert main(["import", f"{out}/model.bin", again, "--max-length", "40"]) == 0
    models = [tfc.models.load_preset(f"{folder}/model") for folder in (run, again)]
    for one, other in zip(*(model.model.weights for model in models)):
        np.testing.assert_array_equal(one, other)
    tfc.pipeline.export_marian(again, tmp_path / "third")
    for name in ("lex.s2t.bin", "vocab.spm", "model.bin"):
        assert (tmp_path / "third" / name).stat().st_size >= files[name]
    assert main(["export", run, out, "--format", "marian", "--quantization", "int4"]) == 2
    assert "Received: --quantization" in capsys.readouterr().err
    assert main(["export", "student_tiny", out + "2", "--format", "marian"]) == 2
    assert "need a run with tokenizers" in capsys.readouterr().err


FOLDERS = {
    ("model.npz", "vocab.spm"): ["vocab.spm"],
    ("model.npz", "model.npz.optimizer.npz", "vocab.spm"): ["vocab.spm"],
    ("m.intgemm.alphas.bin", "lex.50.50.ende.s2t.bin", "vocab.ende.spm"): ["vocab.ende.spm"],
    ("model.bin", "srcvocab.enja.spm", "trgvocab.enja.spm"): [
        "srcvocab.enja.spm",
        "trgvocab.enja.spm",
    ],
    ("opus.npz", "opus.vocab.yml", "source.spm", "target.spm"): ["opus.vocab.yml"],
    ("opus.npz", "opus.src.vocab.yml", "opus.trg.vocab.yml"): None,
    ("model.npz",): None,
    ("model.npz", "a.spm", "b.spm"): None,
    ("model.npz", "model.bin", "vocab.spm"): None,
    ("model.bin", "lex.a.bin", "lex.b.bin", "vocab.spm"): None,
}


@pytest.mark.parametrize(("names", "expected"), FOLDERS.items(), ids=map(" ".join, FOLDERS))
def test_which_files_belong_together(names, expected, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    if expected is None:
        with pytest.raises(InputError, match=str(tmp_path)):
            find_marian_files(tmp_path)
        return
    model, vocabularies, shortlist = find_marian_files(tmp_path)
    assert model.name == names[0]
    assert [path.name for path in vocabularies] == expected
    assert (shortlist is not None) == any(name.startswith("lex") for name in names)


def test_other_sources(tmp_path):
    assert find_marian_files(tmp_path) is None
    (tmp_path / "model.txt").touch()
    with pytest.raises(InputError, match=r"ends in \.npz or \.bin"):
        find_marian_files(tmp_path / "model.txt")
