import functools
import inspect

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import LEGACY_KERAS, assert_close, global_policy, randomize
from tensorflow import keras

from tfcompress import layers
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    StackConfig,
)

SOURCE, TARGET, WIDTH, INNER, E = 17, 19, 8, 12, 4
SOURCES = np.array([[5, 9, 16, 7, 2], [4, 2, 0, 0, 0], [3, 3, 8, 2, 0]], "int32")
TARGETS = np.array([[1, 18, 4, 4], [1, 6, 2, 0], [1, 12, 11, 10]], "int32")


def make(pattern="none", groups=1, *, num_layers=(1, 1), embedding=None, **changes):
    """A small transformer with random weights."""
    stacks = [
        StackConfig(
            count,
            attention=AttentionConfig(2),
            feed_forward=FeedForwardConfig(INNER),
            sharing=SharingConfig(pattern, groups=min(groups, count)),
        )
        for count in num_layers
    ]
    config = Seq2SeqConfig(
        **{
            "source_vocabulary_size": SOURCE,
            "target_vocabulary_size": TARGET,
            "hidden_dim": WIDTH,
            "encoder": stacks[0],
            "decoder": stacks[1],
            "embedding": EmbeddingConfig(**(embedding or {})),
            "max_source_length": 10,
            "max_target_length": 10,
            **changes,
        }
    )
    transformer = Seq2SeqTransformer(config)
    randomize(transformer.model, scale=0.2)
    return transformer


ONE_TABLE = {"share": True, "embedding_dim": E}
VARIANTS = {
    "plain": {"num_layers": (2, 2)},
    "pre_norm": {"normalize_first": True},
    "learned": {"positions": "learned"},
    "factorized": {"embedding": {"embedding_dim": E, "use_bias": True, "use_output_bias": True}},
    "own_projection": {"embedding": {"embedding_dim": E, "tie": "own", "use_bias": True}},
    "untied": {"embedding": {"tie": "none", "use_output_bias": True}, "normalize_first": True},
    "all": {"pattern": "all", "num_layers": (3, 2), "normalize_first": True},
    "groups": {"pattern": "groups", "groups": 2, "num_layers": (3, 3)},
    "attention": {
        "pattern": "attention",
        "num_layers": (2, 3),
        "normalize_first": True,
        "positions": "learned",
    },
    "feed_forward": {
        "pattern": "feed_forward",
        "groups": 2,
        "num_layers": (3, 3),
        "embedding": ONE_TABLE,
        "target_vocabulary_size": SOURCE,
    },
}


WIDE_HEADS = StackConfig(
    1,
    attention=AttentionConfig(3, head_dim=5),
    feed_forward=FeedForwardConfig(INNER, activation="gelu"),
)
VARIANTS["wide_heads"] = {"encoder": WIDE_HEADS, "decoder": WIDE_HEADS}


@functools.cache
def variant(name):
    """A transformer that tests only read."""
    return make(**VARIANTS[name])


@pytest.mark.costly
@pytest.mark.parametrize("name", VARIANTS)
def test_step_by_step_equals_the_training_graph(name):
    transformer = variant(name)
    targets = TARGETS % transformer.config.target_vocabulary_size
    logits = transformer.model([SOURCES, targets])
    assert logits.shape == (3, 4, transformer.config.target_vocabulary_size)
    memory, mask = transformer.encode(SOURCES)
    cache = transformer.init_cache(memory, 6)
    for position in range(targets.shape[1]):
        step, cache = transformer.step(
            targets[:, position], position, cache, memory_padding_mask=mask
        )
        assert_close(step, logits[:, position], 2e-5, f"position {position}")


def test_step_in_a_graph_of_unknown_sizes():
    transformer = variant("wide_heads")
    logits = transformer.model([SOURCES, TARGETS])
    ids = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[ids, ids])
    def decode(sources, targets):
        memory, mask = transformer.encode(sources)
        cache = transformer.init_cache(memory, tf.shape(targets)[1])
        rows = []
        for position in range(2):
            step, cache = transformer.step(
                targets[:, position], position, cache, memory_padding_mask=mask
            )
            rows.append(step)
        return tf.stack(rows, axis=1)

    assert_close(decode(SOURCES, TARGETS), logits[:, :2], 2e-5)


def attention(width=WIDTH):
    return 4 * width * width + 4 * width


def feed_forward(width=WIDTH):
    return 2 * width * INNER + INNER + width


def stack_parameters(pattern, groups, num_layers, attentions):
    """The parameters of a stack, each distinct half counted once."""
    halves = {
        "none": (num_layers, num_layers),
        "all": (1, 1),
        "groups": (groups, groups),
        "attention": (groups, num_layers),
        "feed_forward": (num_layers, groups),
    }[pattern]
    normalization = 2 * WIDTH
    first = halves[0] * attentions * (attention() + normalization)
    return first + halves[1] * (feed_forward() + normalization)


@pytest.fixture(
    params=[
        ("none", 1, (1, 2)),
        ("all", 1, (3, 2)),
        ("groups", 2, (3, 1)),
        ("attention", 1, (2, 2)),
        ("feed_forward", 1, (2, 2)),
    ],
    ids=lambda param: param[0],
)
def shared(request):
    """A transformer of each sharing pattern, and the number of its parameters."""
    pattern, groups, num_layers = request.param
    transformer = make(
        pattern, groups, num_layers=num_layers, embedding=ONE_TABLE, target_vocabulary_size=SOURCE
    )
    expected = SOURCE * E + E * WIDTH
    expected += stack_parameters(pattern, groups, num_layers[0], attentions=1)
    expected += stack_parameters(pattern, min(groups, num_layers[1]), num_layers[1], attentions=2)
    return transformer, expected


@pytest.mark.costly
def test_parameters_and_copies_keep_the_sharing(shared, tmp_path):
    transformer, expected = shared
    model = transformer.model
    assert model.count_params() == expected
    targets = TARGETS % SOURCE
    logits = model([SOURCES, targets])

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    cloned = keras.models.clone_model(model)
    assert not {id(x) for x in cloned.weights} & {id(x) for x in model.weights}
    cloned.set_weights(model.get_weights())
    for copy in (loaded, cloned):
        assert copy.count_params() == expected
        assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
        assert_close(copy([SOURCES, targets]), logits, 1e-5)

    again = Seq2SeqTransformer(transformer.config, model=loaded)
    memory, mask = again.encode(SOURCES)
    cache = again.init_cache(memory, 4)
    step, _ = again.step(targets[:, 0], 0, cache, memory_padding_mask=mask)
    assert_close(step, logits[:, 0], 2e-5)


class OneInputWrapper(keras.layers.Wrapper):
    """Calls a layer as tensorflow-model-optimization does: all but one input by keyword."""

    def call(self, inputs, training=None, **kwargs):
        if "training" in inspect.signature(self.layer.call).parameters:
            kwargs["training"] = training
        return self.layer.call(inputs, **kwargs)


def wrapped(layer):
    copy = layer.__class__.from_config(layer.get_config())
    is_ours = type(layer).__module__.startswith("tfcompress")
    return OneInputWrapper(copy, name=layer.name) if is_ours else copy


@pytest.mark.costly
@pytest.mark.skipif(not LEGACY_KERAS, reason="tensorflow-model-optimization is for tf_keras only")
@pytest.mark.parametrize("name", ["factorized", "attention"])
def test_clone_of_wrapped_layers(name):
    model = variant(name).model
    clone = keras.models.clone_model(model, clone_function=wrapped)
    assert clone.count_params() == model.count_params()
    clone.set_weights(model.get_weights())
    assert_close(clone([SOURCES, TARGETS]), model([SOURCES, TARGETS]), 1e-5)


def test_a_shared_layer_is_one_object():
    transformer = variant("groups")
    for stack in (transformer.encoder_layers, transformer.decoder_layers):
        first, second, third = stack
        assert first is second
        assert second is not third
    names = [layer.name for layer in transformer.decoder_layers]
    assert names == ["decoder_layer_0", "decoder_layer_0", "decoder_layer_1"]


@pytest.mark.slow
def test_there_are_layers_only_between_layers():
    for name in VARIANTS:
        for layer in variant(name).model.layers:
            known = isinstance(layer, keras.layers.InputLayer) or hasattr(
                layers, type(layer).__name__
            )
            assert known, f"{name}: {layer}"


@pytest.fixture
def plain():
    return variant("plain")


def test_inputs_by_name(plain):
    named = {"source_token_ids": SOURCES, "target_token_ids": TARGETS}
    assert_close(plain.model(named), plain.model([SOURCES, TARGETS]), 0)


def test_padding_of_the_source_changes_nothing(plain):
    model = tf.function(
        lambda source, target: plain.model([source, target]),
        input_signature=[tf.TensorSpec([None, None], tf.int32)] * 2,
    )
    tokens = st.lists(st.integers(3, SOURCE - 1), max_size=5)

    @settings(max_examples=30)
    @given(st.lists(tokens, min_size=1, max_size=3), st.integers(0, 3))
    def check(sentences, extra):
        longest = max(map(len, sentences)) + 1 + extra
        batch = np.zeros((len(sentences), longest), "int32")
        for row, sentence in zip(batch, sentences):
            row[: len(sentence) + 1] = [*sentence, 2]
        logits = model(batch, TARGETS[: len(batch)])
        for i, sentence in enumerate(sentences):
            alone = model(np.array([[*sentence, 2]], "int32"), TARGETS[i : i + 1])
            assert_close(logits[i], alone[0], 2e-5)

    check()


def test_later_target_tokens_change_nothing(plain):
    logits = plain.model([SOURCES, TARGETS])
    for kept in range(1, 4):
        changed = TARGETS.copy()
        changed[:, kept:] = 17
        assert_close(plain.model([SOURCES, changed])[:, :kept], logits[:, :kept], 1e-6)


def test_half_precision_stays_close(plain):
    with global_policy("mixed_float16"):
        half = make(num_layers=(2, 2))
    half.model.set_weights(plain.model.get_weights())
    logits = np.asarray(plain.model([SOURCES, TARGETS]))
    assert_close(half.model([SOURCES, TARGETS]), logits, 0.02 * np.abs(logits).max())


def test_every_weight_learns():
    for name in ("untied", "own_projection"):
        transformer = variant(name)
        model, vocabulary = transformer.model, transformer.config.target_vocabulary_size
        variables = [
            v if isinstance(v, tf.Variable) else v.value for v in model.trainable_variables
        ]
        with tf.GradientTape() as tape:
            logits = model([SOURCES, TARGETS % vocabulary])
            loss = tf.reduce_sum(tf.nn.log_softmax(logits)[:, :, 3])
        gradients = tape.gradient(loss, variables)
        assert all(gradient is not None for gradient in gradients), name
        still = sum(np.max(np.abs(tf.convert_to_tensor(g))) < 1e-5 for g in gradients)
        assert still == 1 + 2, f"{name}: only the biases of the keys stand still"
