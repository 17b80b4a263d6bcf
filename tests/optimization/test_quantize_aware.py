import collections

import numpy as np
import pytest
import tensorflow as tf
from flavours import LEGACY, legacy_only
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from optimization.families import FAMILIES, batch, make_family, slow_but, trained
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.export.quantization.quantizer import unpack
from tfcompress.grids import Grid
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models import Seq2SeqTransformer
from tfcompress.optimization import assign_quantizers, quantize_aware, strip_quantization

BITS = {
    "dynamic_int8": {"bits": 8},
    "int4": {"bits": 4, "block_size": 32},
    "int4_per_channel": {"bits": 4},
}
# In every run; the others take their time.
_ALWAYS = {
    ("plain", "int4_per_channel"),
    ("factorized_shared", "int4"),
    ("fixed_patterns", "dynamic_int8"),
}


# Moves every weight to other points of its grid.
A_FEW_STEPS = {"learning_rate": 0.02, "steps": 3}


def stored_integers(path):
    """Yields `(bits, dequantized values)` of every quantized tensor of a bundle, as stored."""
    model = flatbuffer.read((path / "model.tflite").read_bytes())
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.type not in (schema.TensorType.INT8, schema.TensorType.INT4):
                continue
            bits = 8 if tensor.type == schema.TensorType.INT8 else 4
            integers = unpack(model.buffers[tensor.buffer].data, bits).reshape(tensor.shape)
            details = tensor.quantization.details
            if details is None:
                axis = tensor.quantization.quantizedDimension
                shape = [1] * integers.ndim
                shape[axis] = -1
                yield bits, integers * tensor.quantization.scale.reshape(shape)
                continue
            stored = subgraph.tensors[details.scales]
            scales = model.buffers[stored.buffer].data.view(np.float16).astype(np.float32)
            blocks = integers.reshape(len(integers), -1, details.blockSize)
            yield bits, (blocks * scales.reshape(len(integers), -1, 1)).reshape(integers.shape)


def content(values):
    """The same for a matrix and its transpose: a bundle has output channels in front."""
    values = np.ascontiguousarray(values, np.float32)
    # One group is none.
    values = values[0] if values.ndim == 3 and len(values) == 1 else values
    if values.ndim != 2:
        return values.tobytes()
    return min(values.tobytes(), np.ascontiguousarray(values.T).tobytes())


@pytest.mark.costly
@legacy_only
@pytest.mark.parametrize(
    ("family", "quantization"),
    slow_but(_ALWAYS, FAMILIES, BITS),
)
def test_what_was_trained_is_what_is_exported(family, quantization, tmp_path):
    transformer = make_family(family)
    before = transformer.model.get_weights()
    model = quantize_aware(transformer.model, **BITS[quantization])
    trained(model, **A_FEW_STEPS)
    for was, weight in zip(before, transformer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)

    plain = strip_quantization(model)
    inputs, _ = batch()
    expected = model(inputs, training=False).numpy()
    np.testing.assert_allclose(plain(inputs, training=False).numpy(), expected, atol=1e-5)

    path = tmp_path / "bundle"
    manifest = convert(
        Seq2SeqTransformer(transformer.config, model=plain),
        path,
        quantization=quantization,
        samples=[[5, 9, 4, 2], [7, 2]],
    )
    # Only activations are rounded on top of what the model has been trained with.
    assert manifest["parity"]["mean_log_probability_difference"] < 0.05
    assigned = collections.Counter()
    for layer in plain.layers:
        grids = model.quantizer_assignment.grids(layer.name)
        for slot in weight_slots(layer):
            if slot.path in grids:
                assigned[content(slot.get().numpy())] = grids[slot.path].bits
    actual = {content(values): bits for bits, values in stored_integers(path)}
    assert actual == dict(assigned)


@legacy_only
def test_training_moves_weights_that_are_rounded():
    transformer = make_family("plain")
    model = quantize_aware(transformer.model, bits=4, block_size=32)
    losses = trained(model, learning_rate=0.02, steps=20, epochs=2)
    assert losses[1] < losses[0]


@legacy_only
@given(
    weights=stn.arrays(np.float32, (8, 64), elements=st.floats(-(2.0**15), 2.0**15, width=32)),
    grid=st.sampled_from(
        [
            Grid(),
            Grid(8, channels=(1,)),
            Grid(8, channels=()),
            Grid(4),
            Grid(4, channels=(0,), block_size=32, inputs=(1,)),
            Grid(4, channels=(1,), block_size=4, inputs=(0,)),
        ]
    ),
)
def test_tensorflow_rounds_as_numpy_does(weights, grid):
    from tfcompress.optimization.grid_quantizer import fake_quantize

    with tf.GradientTape() as tape:
        x = tf.constant(weights)
        tape.watch(x)
        y = fake_quantize(x, grid)
    np.testing.assert_array_equal(y.numpy(), grid.round(weights))
    np.testing.assert_array_equal(tape.gradient(y, x), np.ones_like(weights))


@legacy_only
def test_static_activations_are_quantized():
    transformer = make_family("plain")
    model = quantize_aware(transformer.model, activations="static")
    trained(model, **A_FEW_STEPS)
    inputs, _ = batch()
    plain = strip_quantization(model)
    difference = np.abs(model(inputs, training=False) - plain(inputs, training=False)).max()
    logits = plain(inputs, training=False)
    assert 1e-4 < difference < 0.5 * np.abs(logits).max()


@legacy_only
def test_layers_of_keras():
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(50, 32)(inputs)
    attended = keras.layers.MultiHeadAttention(2, 16)(x, value=x)
    x = keras.layers.LayerNormalization()(keras.layers.Add()([x, attended]))
    x = keras.layers.Dense(40, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.EinsumDense("abc,cd->abd", (None, 50))(x))
    quantized = quantize_aware(model)
    assignment = quantized.quantizer_assignment
    paths = {weight.path for weight in assignment.weights if weight.grid is not None}
    assert len(assignment.weights) == 7
    assert {"kernel", "embeddings", "query_dense/kernel", "output_dense/kernel"} <= paths
    quantized.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ids = np.random.default_rng(0).integers(0, 50, (4, 6))
    quantized.fit(ids, ids, epochs=2, verbose=0)
    plain = strip_quantization(quantized)
    np.testing.assert_allclose(plain(ids), quantized(ids, training=False), atol=1e-6)


def test_plan():
    transformer = make_family("factorized_shared")
    assignment = assign_quantizers(transformer.model, 4, block_size=32, skip="cross_attention/key")
    by_name = {f"{weight.layer}/{weight.path}": weight for weight in assignment.weights}
    assert by_name["embedding/embeddings"].grid == Grid(
        4, channels=(0,), block_size=32, inputs=(1,)
    )
    assert by_name["embedding/projection/kernel"].grid == Grid(8, channels=())
    assert "both directions" in by_name["embedding/projection/kernel"].reason
    skipped = by_name["decoder_layer_0/cross_attention/key/kernel"]
    assert (skipped.grid, skipped.reason) == (None, "skipped")
    assert by_name["encoder_layer_0/feed_forward/inner/kernel"].grid == Grid(
        4, channels=(1,), block_size=32, inputs=(0,)
    )
    total = transformer.model.count_params()
    assert sum(weight.size for weight in assignment.weights) + assignment.others == total
    text = str(assignment)
    assert "embedding/embeddings  96x32  int4, blocks of 32\n" in text
    assert f"of {total:,} parameters are quantized" in text


def test_small_weights_stay_as_they_do_in_bundles():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(9)])
    (weight,) = assign_quantizers(model).weights
    assert weight.grid is None
    assert "fewer than 1,024" in weight.reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 5}, "`bits` must be 8 or 4. Received: bits=5"),
        ({"bits": 4, "block_size": 64}, "must be 32"),
        ({"bits": 8, "block_size": 32}, "4 bits only"),
        ({"skip": "nothing_like_this"}, "`skip` must match a weight"),
        ({"skip": "("}, "regular expression"),
    ],
)
def test_wrong_assignments(options, message):
    with pytest.raises(InputError, match=message):
        assign_quantizers(make_family("plain").model, **options)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(64)

    def call(self, inputs):
        return self.dense(inputs)


@legacy_only
def test_what_cannot_be_taken_apart():
    model = Subclassed()
    model(np.zeros((1, 64), "float32"))
    with pytest.raises(InputError, match="subclassed"):
        quantize_aware(model)
    with pytest.raises(InputError, match="Pass its `model`"):
        quantize_aware(make_family("plain"))
    with pytest.raises(InputError, match="`activations` must be one of"):
        quantize_aware(make_family("plain").model, activations="int8")
    small = keras.Sequential([keras.Input((8,)), keras.layers.Dense(9)])
    with pytest.raises(InputError, match="needs weights to quantize"):
        quantize_aware(small)
    with pytest.raises(InputError, match="that quantize_aware made"):
        strip_quantization(small)


@pytest.mark.skipif(LEGACY, reason="Keras 3 only")
def test_keras_3_says_what_to_do():
    model = make_family("plain").model
    for function in (quantize_aware, strip_quantization):
        with pytest.raises(InputError, match="Set TF_USE_LEGACY_KERAS=1") as error:
            function(model)
        assert "\n" not in str(error.value)
