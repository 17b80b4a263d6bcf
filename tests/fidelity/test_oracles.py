"""The layers give what the methods' reference codes gave, on the arrays these left behind.

Each `.npz` file of the folder `$TFCOMPRESS_ORACLES` holds weights, inputs and outputs of one
case, and its configuration as JSON. The beginning of its name says which method it is of.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models import SharingConfig, StackConfig
from tfcompress.models.config import layer_groups

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TFCOMPRESS_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
FILES = sorted(FOLDER.glob("*.npz"))
TOLERANCE = 1e-5

if not FILES:
    pytest.skip(
        f"no oracles in {FOLDER}; set TFCOMPRESS_ORACLES to their folder", allow_module_level=True
    )


@keras.utils.register_keras_serializable("tests")
def gelu_tanh(x):
    """The tanh approximation, ALBERT's."""
    return keras.activations.gelu(x, approximate=True)


ALBERT_INPUTS = ("input_ids", "token_type_ids", "attention_mask")
ACTIVATIONS = {"gelu tanh approximation": gelu_tanh, "gelu(erf)": "gelu", "relu": "relu"}


def albert(config, arrays):
    """ALBERT: factorized embedding, shared post-norm layers, pooler."""
    embedding = layers.FactorizedEmbedding(
        config["vocab"],
        config["H"],
        config["E"],
        tie="none",
        use_bias=True,
        normalize=True,
        positions=layers.LearnedPosition(len(arrays["w/embeddings.position_embeddings.weight"])),
        token_types=len(arrays["w/embeddings.token_type_embeddings.weight"]),
        epsilon=config["ln_eps"],
    )
    blocks = [
        [_albert_layer(config) for _ in range(config["inner"])] for _ in range(config["groups"])
    ]
    pooler = layers.Dense(config["H"], activation="tanh")

    ids = keras.Input((None,), dtype="int32")
    types = keras.Input((None,), dtype="int32")
    tokens = keras.Input((None,), dtype="int32")
    hidden = [embedding(ids, token_type_ids=types)]
    sharing = SharingConfig("groups", config["groups"])
    for group in layer_groups(StackConfig(config["layers"], sharing=sharing))[0]:
        x = hidden[-1]
        for block in blocks[group]:
            x = block(x, padding_mask=tokens)
        hidden.append(x)
    model = keras.Model([ids, types, tokens], hidden)
    pooler.build((None, config["H"]))

    _load_albert_embedding(embedding, arrays)
    for group, inner in enumerate(blocks):
        for index, block in enumerate(inner):
            prefix = f"encoder.albert_layer_groups.{group}.albert_layers.{index}"
            _load_albert_layer(block, arrays, prefix)
    pooler.set_weights(linear(arrays, "pooler"))

    hidden = model([arrays[name].astype("int32") for name in ALBERT_INPUTS])
    parameters = model.count_params() + pooler.count_params()
    assert parameters == config.get("params", parameters)
    return {
        "hidden_states": np.stack([np.asarray(x) for x in hidden]),
        "last_hidden": hidden[-1],
        "pooled": pooler(hidden[-1][:, 0]),
    }


def _albert_layer(config):
    return layers.TransformerEncoderLayer(
        layers.MultiHeadAttention(config["heads"]),
        layers.FeedForward(config["ffn"], activation=ACTIVATIONS[config["act"]]),
        epsilon=config["ln_eps"],
    )


def _load_albert_embedding(embedding, arrays):
    embedding.embeddings.assign(arrays["w/embeddings.word_embeddings.weight"])
    embedding.type_embeddings.assign(arrays["w/embeddings.token_type_embeddings.weight"])
    embedding.positions.set_weights([arrays["w/embeddings.position_embeddings.weight"]])
    embedding.normalization.set_weights(affine(arrays, "embeddings.LayerNorm"))
    embedding.projection.set_weights(linear(arrays, "encoder.embedding_hidden_mapping_in"))


def _load_albert_layer(layer, arrays, prefix):
    attention = layer.attention
    attention.query.set_weights(linear(arrays, f"{prefix}.attention.query"))
    attention.key.set_weights(linear(arrays, f"{prefix}.attention.key"))
    attention.value.set_weights(linear(arrays, f"{prefix}.attention.value"))
    attention.output_projection.set_weights(linear(arrays, f"{prefix}.attention.dense"))
    layer.attention_normalization.set_weights(affine(arrays, f"{prefix}.attention.LayerNorm"))
    layer.feed_forward.inner.set_weights(linear(arrays, f"{prefix}.ffn"))
    layer.feed_forward.outer.set_weights(linear(arrays, f"{prefix}.ffn_output"))
    layer.feed_forward_normalization.set_weights(affine(arrays, f"{prefix}.full_layer_layer_norm"))


def linear(arrays, name):
    """A dense layer's weights from `[out, in]` arrays."""
    return [arrays[f"w/{name}.weight"].T, arrays[f"w/{name}.bias"]]


def affine(arrays, name):
    """A normalization's weights."""
    return [arrays[f"w/{name}.weight"], arrays[f"w/{name}.bias"]]


# By the beginning of the file's name: what builds the layers from configuration and arrays, loads
# the weights, runs them and returns what they give by the names of the file's arrays; and the
# names of the file's inputs.
METHODS = {"albert": (albert, ALBERT_INPUTS)}

# Methods whose layer does not exist yet. Each moves to METHODS together with its layer.
NOT_YET = {
    "adaptive": "AdaptiveEmbedding",
    "define": "DeFINEEmbedding",
    "delight": "DeLighTEncoderLayer",
    "dynconv": "DynamicConv",
    "fixed": "FixedPatternAttention",
    "head_importance": "HeadPruner",
    "layerdrop": "LayerDropWrapper",
    "lightconv": "LightweightConv",
    "lsra": "LSRA",
    "theseus": "TheseusModule",
}


def method_of(path, methods):
    """The method whose name the file's name begins with, or None."""
    matches = [name for name in methods if f"{path.stem}_".startswith(f"{name}_")]
    return max(matches, key=len, default=None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_equals_the_reference_code(path):
    method = method_of(path, METHODS)
    if method is None:
        absent = method_of(path, NOT_YET)
        assert absent, f"{path.name}: no builder in METHODS for files of this name"
        assert not hasattr(layers, NOT_YET[absent]), f"{NOT_YET[absent]} has no builder in METHODS"
        pytest.skip(f"{NOT_YET[absent]} is not in this version")
    with np.load(path) as file:
        arrays = dict(file)
    config = json.loads(str(arrays.pop("config_json")))
    run, inputs = METHODS[method]
    expected = {k: v for k, v in arrays.items() if not k.startswith("w/") and k not in inputs}
    actual = run(config, arrays)
    assert expected, "no outputs to compare"
    assert not expected.keys() - actual.keys(), "outputs of the file that nothing computes"
    for name, reference in expected.items():
        given = np.asarray(actual[name])
        assert given.shape == reference.shape, name
        worst = np.max(np.abs(given - reference), initial=0)
        assert worst <= TOLERANCE, f"{name} differs by {worst:.2e}"


def test_files_of_unknown_methods_are_not_passed_over():
    with pytest.raises(AssertionError, match="no builder"):
        test_equals_the_reference_code(Path("albertine_L3.npz"))


def test_activation_survives_a_file(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, layers.FeedForward(6, activation=gelu_tanh)(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    data = tf.random.normal((3, 4))
    np.testing.assert_array_equal(loaded(data), model(data))
