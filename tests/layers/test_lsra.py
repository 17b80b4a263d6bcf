import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from layers.convolution_reference import convolved, parameters
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress.export.graph import flatbuffer
from tfcompress.layers import (
    LSRA,
    DynamicConv,
    FeedForward,
    LightweightConv,
    MultiHeadAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

MASK = lengths_mask([3, 5], 5)


def make(attention_dim=None, layer_class=DynamicConv, kernel_size=3, causal=False, **options):
    return LSRA(
        MultiHeadAttention(2, causal=causal),
        convolution=layer_class(kernel_size, num_heads=2, causal=causal, **options),
        attention_dim=attention_dim,
    )


def built(layer, width=8, **call_kwargs):
    layer(normal(2, 5, width), **call_kwargs)
    randomize(layer)
    return layer


def encoder_layer(attention):
    return TransformerEncoderLayer(attention, feed_forward=FeedForward(8))


def decoder_layer(attention, **options):
    return TransformerDecoderLayer(
        attention, cross_attention=MultiHeadAttention(2), feed_forward=FeedForward(8), **options
    )


@pytest.mark.costly
@pytest.mark.parametrize(
    ("make_layer", "call_kwargs", "expected", "random"),
    [
        (
            lambda: make(weight_dropout=0.3),
            {"padding_mask": MASK},
            4 * 4 * 4 + 4 * 4 + parameters(4, 6 * 4, gated=True),
            True,
        ),
        (
            lambda: make(2, LightweightConv, causal=True),
            {},
            4 * 2 * 2 + 4 * 2 + parameters(6, 6, gated=True),
            False,
        ),
    ],
    ids=["dynamic", "lightweight"],
)
def test_contract(make_layer, call_kwargs, expected, random):
    run_layer_test(
        make_layer,
        normal(2, 5, 8),
        call_kwargs=call_kwargs,
        output_shape=(2, 5, 8),
        parameters=expected,
        zero_gradients=1,  # the bias of the attention's keys
        random_in_training=random,
    )


@pytest.mark.parametrize("layer_class", [LightweightConv, DynamicConv])
@pytest.mark.parametrize("attention_dim", [None, 2, 6])
@pytest.mark.parametrize("mask", [None, MASK])
def test_attention_on_the_first_channels_convolution_on_the_rest(layer_class, attention_dim, mask):
    layer = built(make(attention_dim, layer_class, kernel_size=4))
    x, dim = normal(2, 5, 8), attention_dim or 4
    attended = layer.attention(x[..., :dim], padding_mask=mask)
    rest = convolved(layer.convolution, x[..., dim:], mask)
    assert_close(layer(x, padding_mask=mask), np.concatenate([attended, rest], axis=-1), 2e-5)


@pytest.mark.parametrize("attention_dim", [None, 8])
def test_without_convolution_it_is_the_attention(attention_dim):
    x, attention = normal(2, 5, 8), MultiHeadAttention(2)
    layer = built(LSRA(attention, attention_dim=attention_dim))
    assert_close(layer(x, padding_mask=MASK), attention(x, padding_mask=MASK), 0)


@pytest.mark.parametrize("attention_dim", [None, 0])
def test_without_attention_it_is_the_convolution(attention_dim):
    x, convolution = normal(2, 5, 8), DynamicConv(3, num_heads=2)
    layer = built(LSRA(convolution=convolution, attention_dim=attention_dim))
    assert_close(layer(x, padding_mask=MASK), convolution(x, padding_mask=MASK), 0)


def test_width_of_the_branches_may_differ_from_their_share():
    layer = LSRA(MultiHeadAttention(2, output_dim=6), convolution=LightweightConv(3, num_heads=2))
    assert layer.compute_output_shape((None, None, 8)) == (None, None, 10)
    assert layer(normal(2, 5, 8)).shape == (2, 5, 10)


@pytest.mark.parametrize("causal", [False, True])
def test_is_causal_as_its_branches(causal):
    assert make(causal=causal).causal is causal
    assert LSRA(MultiHeadAttention(2, causal=causal)).causal is causal
    assert LSRA(convolution=DynamicConv(3, num_heads=2, causal=causal)).causal is causal


BOTH = {"attention": {"keys", "values"}, "convolution": {"inputs"}}
STEPS = [
    (lambda: make(causal=True), BOTH),
    (lambda: make(2, LightweightConv, 31, causal=True), BOTH),
    (lambda: LSRA(MultiHeadAttention(2, causal=True)), {"attention": BOTH["attention"]}),
    (
        lambda: LSRA(convolution=DynamicConv(7, num_heads=2, causal=True)),
        {"convolution": {"inputs"}},
    ),
    (
        lambda: LSRA(
            DynamicConv(3, num_heads=2, causal=True),
            convolution=DynamicConv(3, num_heads=2, causal=True),
        ),
        {"attention": {"inputs"}, "convolution": {"inputs"}},
    ),
]


@pytest.mark.parametrize(("make_layer", "names"), STEPS)
def test_step(make_layer, names):
    layer = built(make_layer())
    assert {name: set(part) for name, part in layer.init_cache(1, 1).items()} == names
    run_step_test(layer, normal(2, 4, 8), cache_kwargs={"batch_size": 2, "max_length": 5})


@pytest.mark.parametrize(("attention_dim", "normalize_first"), [(None, False), (6, True)])
def test_step_inside_a_decoder_layer(attention_dim, normalize_first):
    memory = normal(2, 3, 8, seed=1)
    layer = decoder_layer(make(attention_dim, causal=True), normalize_first=normalize_first)
    run_step_test(
        built(layer, memory=memory),
        normal(2, 4, 8),
        call_kwargs={"memory": memory},
        cache_kwargs={"batch_size": 2, "max_length": 4, "memory": memory},
    )


def test_step_in_half_precision():
    attention = MultiHeadAttention(2, causal=True, dtype="mixed_float16")
    convolution = DynamicConv(3, num_heads=2, causal=True, dtype="mixed_float16")
    layer = LSRA(attention, convolution=convolution, dtype="mixed_float16")
    x = normal(2, 4, 8)
    whole, cache = layer(x), layer.init_cache(2, 4)
    for position in range(4):
        y, cache = layer.step(tf.constant(x[:, position], tf.float16), position, cache)
        assert y.dtype == tf.float16
        assert_close(y, whole[:, position], 5e-3)


@pytest.mark.parametrize("layer_class", [LightweightConv, DynamicConv])
def test_padding_changes_no_token(layer_class):
    layer = built(encoder_layer(make(layer_class=layer_class, kernel_size=5)))
    x = normal(2, 5, 8)
    disturbed = np.where(MASK[..., np.newaxis], x, 50 * normal(2, 5, 8, seed=1))
    y = layer(disturbed, padding_mask=MASK)
    assert_close(y[:1, :3], layer(x[:1, :3]), 2e-5)
    assert_close(y[1:], layer(x[1:]), 2e-5)


def test_export_of_an_encoder_layer():
    run_export_test(
        encoder_layer(make(layer_class=LightweightConv, kernel_size=7)),
        normal(2, 5, 8),
        call_kwargs={"padding_mask": MASK},
    )


def test_export_of_a_decoder_layer():
    memory = normal(2, 3, 8, seed=1)
    run_export_test(
        decoder_layer(make(causal=True)), normal(2, 5, 8), call_kwargs={"memory": memory}
    )


def flat(cache):
    return {name: value for part in cache.values() for name, value in part.items()}


@pytest.mark.costly
@pytest.mark.parametrize("layer_class", [LightweightConv, DynamicConv])
def test_export_of_the_step(layer_class, tmp_path):
    """With batch size and room of the cache unknown, to operations that LiteRT has."""
    layer = built(make(layer_class=layer_class, kernel_size=7, causal=True))
    cache = layer.init_cache(2, 6)
    specs = [tf.TensorSpec([None, 8], name="x"), tf.TensorSpec([1], tf.int32, "position")]
    specs.append(
        {
            part: {name: tf.TensorSpec(x.sizes(None, None), name=name) for name, x in spec.items()}
            for part, spec in layer.state_spec().items()
        }
    )

    @tf.function(input_signature=specs)
    def step(x, position, cache):
        y, cache = layer.step(x, position, cache)
        return {"y": y, **{f"new_{name}": value for name, value in flat(cache).items()}}

    module = tf.Module()
    module.kept = [v if isinstance(v, tf.Variable) else v.value for v in layer.variables]
    tf.saved_model.save(module, tmp_path, signatures={"step": step})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path), signature_keys=["step"])
    converter.allow_custom_ops = True
    model = flatbuffer.read(converter.convert())
    flatbuffer.use_builtin_cache_updates(model)
    assert not flatbuffer.custom_operations(model)
    runner = Interpreter(model_content=flatbuffer.write(model)).get_signature_runner("step")
    x, cache = normal(2, 6, 8), {name: value.numpy() for name, value in flat(cache).items()}
    for position in range(6):
        outputs = runner(x=x[:, position], position=np.array([position], "int32"), **cache)
        assert_close(outputs.pop("y"), layer(x[:, : position + 1])[:, -1], 1e-4)
        cache = {name.removeprefix("new_"): value for name, value in outputs.items()}


@pytest.mark.parametrize(
    ("action", "fragments"),
    [
        (lambda: LSRA(), ["at least one branch", "attention=None, convolution=None"]),
        (lambda: LSRA("attention"), ["`attention` must be a Keras layer", "attention='attention'"]),
        (lambda: LSRA(convolution=3), ["`convolution` must be a Keras layer", "convolution=3"]),
        (lambda: make(-1), ["`attention_dim` must be at least 0", "attention_dim=-1"]),
        (
            lambda: LSRA(
                MultiHeadAttention(2, causal=True), convolution=DynamicConv(3, num_heads=2)
            ),
            ["attention with causal=True, convolution with causal=False", "Pass the same `causal`"],
        ),
        (lambda: built(make(0)), ["width=8, attention_dim=0", "attention=<", "from 1 to 7"]),
        (lambda: built(make(8)), ["width=8, attention_dim=8", "convolution=<", "from 1 to 7"]),
        (lambda: built(make(9)), ["width=8, attention_dim=9", "convolution=<", "from 1 to 7"]),
        (
            lambda: built(LSRA(MultiHeadAttention(2), attention_dim=4)),
            ["width=8, attention_dim=4", "convolution=None", "leave it out"],
        ),
        (
            lambda: built(LSRA(convolution=DynamicConv(3, num_heads=2), attention_dim=4)),
            ["width=8, attention_dim=4", "attention=None", "leave it out"],
        ),
        (lambda: decoder_layer(make()), ["must be causal", "causal=False"]),
    ],
)
def test_wrong_arguments(action, fragments):
    with pytest.raises(ValueError) as caught:
        action()
    assert all(fragment in str(caught.value) for fragment in ["Received: ", *fragments])
