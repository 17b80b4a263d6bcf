"""The example scripts run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import one_flavour
from models.published_folders import write
from text.text_corpus import PIECES, write_text_corpus

EXAMPLES = Path(__file__).parents[1] / "examples"
MAKE_PRESET = """
import sys
import keras_nlp

vocabulary = open(sys.argv[1] + "/vocab.txt", encoding="utf-8").read().split()
backbone = keras_nlp.models.BertBackbone(
    vocabulary_size=len(vocabulary), num_layers=1, num_heads=2, hidden_dim=32,
    intermediate_dim=64, max_sequence_length=16,
)
tokenizer = keras_nlp.tokenizers.BertTokenizer(vocabulary, lowercase=True)
preprocessor = keras_nlp.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=16)
classifier = keras_nlp.models.BertTextClassifier(backbone, num_classes=2, preprocessor=preprocessor)
classifier.save_to_preset(sys.argv[2])
"""


def run(*command, keras="1"):
    environment = os.environ | {"TF_USE_LEGACY_KERAS": keras, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@one_flavour
def test_keras_nlp_to_bundle(tmp_path):
    corpus = write_text_corpus(tmp_path / "corpus")
    run("-c", MAKE_PRESET, corpus, tmp_path / "preset", keras="0")
    script = EXAMPLES / "keras_nlp_to_bundle.py"
    assert len(script.read_text().splitlines()) < 80
    printed = run(script, tmp_path / "preset", corpus, tmp_path / "out", keras="0")
    assert (tmp_path / "out" / "bundle" / "manifest.json").is_file()
    assert all(line[:2] in ("0\t", "1\t") for line in printed.splitlines()[-3:])


RUN = """
import sys
import numpy as np
from tfcompress.runtime import KerasModel

with KerasModel(sys.argv[1]) as model:
    print(model.run(np.ones([2, 5], int), signature="tag", outputs=["logits"])["logits"].shape)
heavy = {"tensorflow", "keras", "tf_keras", "tfcompress.layers"}
print(sorted(heavy & {*sys.modules}))
"""


@pytest.mark.slow
@one_flavour
def test_own_keras_model(tmp_path):
    """Its bundle then runs where TensorFlow is not loaded."""
    printed = run(EXAMPLES / "own_keras_model.py", tmp_path / "bundle", keras="0").splitlines()
    before, after = (int(word) for word in printed[0].split() if word.isdigit())
    assert after < before
    assert float(printed[-1].split()[-1]) > 0.7
    assert run("-c", RUN, tmp_path / "bundle").splitlines() == ["(2, 5, 2)", "[]"]


@one_flavour
@pytest.mark.slow
def test_language_model(tmp_path):
    command = [EXAMPLES / "language_model.py", tmp_path / "out"]
    printed = run(*command, "--updates", "60", "--pairs", "4000").splitlines()
    assert (tmp_path / "out" / "bundle" / "manifest.json").is_file()
    perplexity = next(line for line in printed if line.startswith("test perplexity"))
    assert float(perplexity.split()[2]) < 150
    assert printed[-2].startswith("Where is|")


@one_flavour
@pytest.mark.slow
def test_theseus(tmp_path):
    corpus = write_text_corpus(tmp_path / "corpus")
    model = write(tmp_path / "model", vocab_size=len(PIECES))
    (model / "vocab.txt").write_text((corpus / "vocab.txt").read_text())
    command = [EXAMPLES / "theseus_sst2.py", corpus, tmp_path / "run", "--pretrained", model]
    printed = run(*command, "--updates", "6", "--schedule", "constant")
    for name in ("predecessor_float32", "successors_constant_dynamic_int8"):
        assert f"{name}: accuracy" in printed
