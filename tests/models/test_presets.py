import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import (
    PRESETS,
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
    list_presets,
    load_preset,
    preset,
    save_preset,
)

STACK = StackConfig(
    2,
    attention=AttentionConfig(2),
    feed_forward=FeedForwardConfig(24),
    sharing=SharingConfig("attention", groups=1),
)
CONFIG = Seq2SeqConfig(
    source_vocabulary_size=30,
    hidden_dim=16,
    encoder=STACK,
    decoder=STACK,
    embedding=EmbeddingConfig(8, share=True, tie="own", use_bias=True, use_output_bias=True),
    positions="learned",
    normalize_first=True,
    max_source_length=12,
    max_target_length=12,
)
SOURCE = np.array([[5, 9, 2, 0], [7, 8, 11, 2]], "int32")
TARGET = np.array([[1, 6, 9], [1, 20, 21]], "int32")


def logits(transformer):
    return np.array(transformer.model([SOURCE, TARGET]))


def randomize(transformer, seed=0):
    """Gives every variable random values, normalizations and biases included."""
    random = np.random.default_rng(seed)
    model = transformer.model
    model.set_weights([random.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return transformer


@pytest.fixture(scope="module")
def transformer():
    return randomize(Seq2SeqTransformer(CONFIG))


@pytest.fixture
def saved(transformer, tmp_path):
    folder = tmp_path / "saved"
    save_preset(transformer, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "millions", "weights"),
    [
        ("transformer_big", 258, 258080768),
        ("big_shared", 111, 111280128),
        ("big_shared_e128", 40, 39862272),
        ("big_shared_e256", 50, 50364416),
        ("big_shared_e256_one_table", 40, 40124416),
        ("big_shared_e256_vocabulary6k", 33, 32956416),
        ("big_shared_e256_ffn2048", 42, 41975808),
        ("big_shared_e256_12e3d", 50, 50364416),
        ("big_shared_e256_12e6d_768", 41, 40534016),
    ],
)
def test_counts_of_the_survey(name, millions, weights):
    counted = describe(name).to_dict()["parameters"]["weights_only"]
    assert counted == weights
    assert round(counted / 1e6) == millions


def test_shared_layers_alone_are_the_surveys_30_million():
    components = describe("big_shared").components
    assert (components["encoder"] + components["decoder"]).weights == 29360128


def test_transformer_base():
    # The body of Vaswani et al. and a table of 37,000; their table rounds up to 65M.
    assert describe("transformer_base").total.parameters == 44138496 + 37000 * 512


def test_sharing_costs_no_multiply_adds_and_layers_no_parameters():
    plain, shared = describe("transformer_big").total, describe("big_shared").total
    assert plain.multiply_adds == shared.multiply_adds
    flat, deep = describe("big_shared_e256").total, describe("big_shared_e256_12e3d").total
    assert flat.parameters == deep.parameters


def test_list_presets():
    descriptions = list_presets()
    assert descriptions.keys() == PRESETS.keys()
    assert len(set(descriptions.values())) == len(descriptions)
    for name, description in descriptions.items():
        assert description
        assert "\n" not in description
        assert len(description) < 100
        assert preset(name) == PRESETS[name].config


def test_presets_differ():
    assert len({entry.config for entry in PRESETS.values()}) == len(PRESETS)


def test_unknown_name():
    with pytest.raises(
        InputError, match=r"Received: 'transformer_smal'. Did you mean `transformer_small`"
    ):
        preset("transformer_smal")
    with pytest.raises(InputError, match="Presets are transformer_tiny, "):
        load_preset("zzzz")


def test_from_preset_builds_its_own_class(transformer, tmp_path):
    class Tagger(TextEncoder):
        pass

    config = TextEncoderConfig(
        9,
        hidden_dim=8,
        encoder=StackConfig(1, attention=AttentionConfig(1), feed_forward=FeedForwardConfig(8)),
    )
    save_preset(TextEncoder(config), tmp_path / "encoder")
    save_preset(transformer, tmp_path / "translator")
    assert type(Tagger.from_preset(tmp_path / "encoder")) is Tagger
    assert type(load_preset(tmp_path / "encoder")) is TextEncoder
    for name in ("transformer_tiny", tmp_path / "translator"):
        with pytest.raises(
            InputError,
            match=r"Tagger needs a preset of its own. Received: .*, of Seq2SeqTransformer. Call",
        ):
            Tagger.from_preset(name)
    for name in ("bert_base", tmp_path / "encoder"):
        with pytest.raises(InputError, match="Seq2SeqTransformer needs a preset of its own"):
            Seq2SeqTransformer.from_preset(name)


def test_from_preset_by_name():
    built = Seq2SeqTransformer.from_preset("transformer_tiny_shared_e64")
    assert built.config == preset("transformer_tiny_shared_e64")
    assert built.model.count_params() == describe(built).total.parameters
    assert len({id(layer) for layer in built.encoder_layers}) == 2


def test_round_trip(transformer, tmp_path):
    folder = tmp_path / "new" / "folder"
    transformer.save_to_preset(folder)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.weights.h5"}
    assert os.listdir(folder.parent) == ["folder"]
    loaded = Seq2SeqTransformer.from_preset(folder)
    assert loaded.config == CONFIG
    np.testing.assert_array_equal(logits(loaded), logits(transformer))
    assert preset(str(folder)) == CONFIG
    assert describe(folder).name == "folder"


@pytest.mark.slow
def test_saving_again_replaces(saved):
    other = randomize(Seq2SeqTransformer(CONFIG), seed=1)
    save_preset(other, saved)
    np.testing.assert_array_equal(logits(load_preset(saved)), logits(other))
    assert os.listdir(saved.parent) == ["saved"]


def test_failed_save_leaves_the_old_one(transformer, saved, monkeypatch):
    def fail(model, path, *args, **kwargs):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    monkeypatch.setattr(type(transformer.model), "save_weights", fail)
    with pytest.raises(InputError, match="No space left on device"):
        save_preset(transformer, saved)
    with pytest.raises(InputError, match="No space left on device"):
        save_preset(transformer, saved.parent / "fresh")
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert os.listdir(saved.parent) == ["saved"]


def test_interruption_between_the_renames_restores_the_old_one(transformer, saved, monkeypatch):
    rename, calls = os.rename, []

    def interrupted(*paths):
        calls.append(paths)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(*paths)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_preset(transformer, saved)
    assert len(calls) == 3
    assert os.listdir(saved.parent) == ["saved"]
    np.testing.assert_array_equal(logits(load_preset(saved)), logits(transformer))


def test_saving_removes_no_files_of_others(transformer, saved):
    (saved / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"other files.*with thesis\.tex"):
        save_preset(transformer, saved)
    assert (saved / "thesis.tex").exists()
    with pytest.raises(InputError, match=r"a file. Choose another name"):
        save_preset(transformer, saved / "thesis.tex")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.costly
@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_dim": 32},
        {"embedding": {**CONFIG.to_mapping()["embedding"], "use_output_bias": False}},
        {"encoder": {**CONFIG.to_mapping()["encoder"], "num_layers": 1}},
        {"decoder": {**CONFIG.to_mapping()["decoder"], "num_layers": 3}},
    ],
)
def test_weights_of_another_configuration(saved, changes):
    change_config(saved, **changes)
    with pytest.raises(InputError, match=r"must be those of the config.json beside them \(\d"):
        load_preset(saved)


def test_same_number_of_weights_in_other_shapes(saved):
    with h5py.File(saved / "model.weights.h5", "r+") as file:
        names = []
        file.visit(names.append)
        (name,) = (name for name in names if getattr(file[name], "shape", None) == (30, 8))
        transposed = file[name][:].T
        del file[name]
        file[name] = transposed
    with pytest.raises(InputError, match="weights must be those of") as error:
        load_preset(saved)
    assert "\n" not in str(error.value)


def test_damaged_files(saved):
    weights = saved / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"must be those of the config\.json"):
        load_preset(saved)
    weights.unlink()
    with pytest.raises(InputError, match=r"weights are missing.*model\.weights\.h5"):
        load_preset(saved)
    change_config(saved, hidden_dm=3)
    with pytest.raises(InputError, match=r"config.json: unknown key `hidden_dm`: did you mean"):
        load_preset(saved)
    (saved / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"must be JSON.*config\.json.*Save the model anew"):
        preset(saved)
    (saved / "config.json").unlink()
    with pytest.raises(InputError, match=r"no such file. Received: .*config\.json"):
        preset(saved)


OTHER_KERAS = """
import sys, numpy as np
from tfcompress.models import Seq2SeqTransformer
transformer = Seq2SeqTransformer.from_preset(sys.argv[1])
source, target = np.load(sys.argv[2]), np.load(sys.argv[3])
np.save(sys.argv[4], transformer.model([source, target]))
transformer.save_to_preset(sys.argv[5])
"""


@pytest.mark.slow
def test_the_other_keras_reads_and_writes_it(transformer, saved, tmp_path):
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "0") == "1"
    np.save(tmp_path / "source.npy", SOURCE)
    np.save(tmp_path / "target.npy", TARGET)
    names = ("saved", "source.npy", "target.npy", "logits.npy", "back")
    subprocess.run(
        [sys.executable, "-c", OTHER_KERAS, *(str(tmp_path / name) for name in names)],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "0" if legacy else "1"},
        check=True,
    )
    expected = logits(transformer)
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-5)
    np.testing.assert_array_equal(logits(load_preset(tmp_path / "back")), expected)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("bert_base", 109_482_240),
        ("distil_bert_base", 66_362_880),
        # As published, without two positions, the token type and the pooler that texts do not need.
        ("roberta_base", 124_645_632 - 3 * 768 - 768 * 769),
        # Without the pooler, which vectors do not read.
        ("minilm_l6", 22_713_216 - 384 * 385),
    ],
)
def test_published_sizes(name, parameters):
    assert describe(name).to_dict()["parameters"]["total"] == parameters
