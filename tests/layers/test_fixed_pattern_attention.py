import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
)

from tfcompress.layers import FixedPatternAttention, MultiHeadAttention, TransformerDecoderLayer
from tfcompress.layers.common.fixed_patterns import (
    EDGES,
    EIGHT_FIXED,
    PATTERNS,
    SEVEN_FIXED,
    pattern_matrix,
)

MASK = lengths_mask([3, 5], 5)
ADDITIVE = np.where(MASK, 0, -3e4).astype("float32")[:, np.newaxis, np.newaxis]
WORDS = np.array([[0, 1, 1, 9, -4], [0, 0, 1, 2, 2]], "int32")


def parameters(width, fixed, learned, head_dim, bias=True):
    """The closed formula of the docstring."""
    inner, scored = (fixed + learned) * head_dim, learned * head_dim
    count = 2 * width * inner + 2 * width * scored
    return count + (inner + 2 * scored + width if bias else 0)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs", "expected"),
    [
        (
            {"patterns": ["next", "sentence_end"], "num_learned_heads": 2, "dropout": 0.2},
            {},
            parameters(8, 2, 2, 2),
        ),
        (
            {"patterns": ["right_context", "last_token"], "head_dim": 3, "use_bias": False},
            {"padding_mask": MASK, "word_ids": WORDS},
            parameters(8, 2, 0, 3, bias=False),
        ),
    ],
    ids=["with_learned_heads", "word_based"],
)
def test_contract(options, call_kwargs, expected):
    run_layer_test(
        lambda: FixedPatternAttention(edges="self", **options),
        normal(2, 5, 8),
        call_kwargs=call_kwargs,
        output_shape=(2, 5, 8),
        parameters=expected,
        zero_gradients=1 if "dropout" in options else 0,  # the learned keys' bias
        random_in_training="dropout" in options,
    )


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs"),
    [
        ({"patterns": SEVEN_FIXED, "num_learned_heads": 1}, {"padding_mask": ADDITIVE}),
        ({"patterns": EIGHT_FIXED, "edges": "self"}, {"padding_mask": MASK, "word_ids": WORDS}),
        ({"patterns": EIGHT_FIXED}, {}),
    ],
    ids=["seven_fixed", "word_based", "no_mask"],
)
def test_export(options, call_kwargs):
    run_export_test(FixedPatternAttention(**options), normal(2, 5, 8), call_kwargs=call_kwargs)


def test_parameters_that_the_patterns_save():
    def count(layer):
        layer.build((None, None, 512))
        return layer.count_params()

    learned = count(MultiHeadAttention(8))
    assert (
        6 * (learned - count(FixedPatternAttention(SEVEN_FIXED, num_learned_heads=1))) == 2_757_888
    )
    assert 6 * (learned - count(FixedPatternAttention(EIGHT_FIXED))) == 3_151_872


def applied(length, edges="zero", word_ids=None, patterns=PATTERNS):
    """The weights `[patterns, length, length]` that the layer gives unit vectors."""
    layer = FixedPatternAttention(patterns, edges=edges, use_bias=False)
    heads = len(patterns)
    x = np.tile(np.eye(length, dtype="float32"), heads)[np.newaxis]
    layer.build(x.shape)
    layer.set_weights([np.eye(heads * length)] * 2)
    if word_ids is not None:
        word_ids = np.array([word_ids])
    y = layer(x, word_ids=word_ids)
    return dict(zip(patterns, np.transpose(np.reshape(y, (length, heads, length)), (1, 0, 2))))


# Without a target: the first or last rows of these patterns.
EDGE_ROWS = {"previous": [0], "next": [-1], "left_context": [0, 1], "right_context": [-1, -2]}


@pytest.mark.parametrize("length", [1, 2, 3, 8])
def test_identities(length):
    zero, own = applied(length), applied(length, "self")
    assert_close(zero["right_context"], zero["left_context"][::-1, ::-1], 1e-7)
    assert_close(zero["next"], zero["previous"][::-1, ::-1], 0)
    assert_close(zero["sentence_start"], zero["sentence_end"][:, ::-1], 1e-7)
    assert_close(zero["current"], np.eye(length), 0)
    for name in PATTERNS:
        empty = np.zeros(length, bool)
        empty[[row for row in EDGE_ROWS.get(name, []) if -length <= row < length]] = True
        assert_close(zero[name].sum(axis=1), np.where(empty, 0, 1), 1e-6, name)
        assert_close(own[name][~empty], zero[name][~empty], 0, name)
        assert_close(own[name][empty], np.eye(length)[empty], 0, name)


def test_weights_by_hand():
    weights = applied(5)
    assert_close(weights["previous"][3], [0, 0, 1, 0, 0], 0)
    assert_close(weights["next"][3], [0, 0, 0, 0, 1], 0)
    assert_close(weights["left_context"][4], np.array([1, 8, 27, 0, 0]) / 36, 1e-7)
    assert_close(weights["right_context"][1], np.array([0, 0, 0, 8, 1]) / 9, 1e-7)
    assert_close(weights["sentence_end"][2], np.array([1, 8, 27, 64, 125]) / 225, 1e-7)
    assert_close(weights["last_token"][0], [0, 0, 0, 0, 1], 0)
    by_word = applied(5, word_ids=[0, 0, 1, 2, 2])
    assert_close(by_word["current"][1], [0.5, 0.5, 0, 0, 0], 0)
    assert_close(by_word["next"][2], [0, 0, 0, 0.5, 0.5], 0)
    assert_close(by_word["right_context"][0], [0, 0, 0, 0.5, 0.5], 0)
    assert_close(by_word["left_context"], by_word["right_context"][::-1, ::-1], 1e-7)
    assert_close(by_word["sentence_end"][4], np.array([0.5, 0.5, 8, 13.5, 13.5]) / 36, 1e-7)
    assert_close(by_word["last_token"][0], [0, 0, 0, 0.5, 0.5], 0)


def attention(layer, x, word_ids=None):
    """One sentence in numpy, through the dense matrices, in double precision."""
    x = x.astype("float64")
    values, output = (part.get_weights() for part in (layer.value, layer.output_projection))
    heads = np.split(x @ values[0] + values[1], len(layer.patterns) + layer.num_learned_heads, 1)
    weights = list(layer.matrices(len(x), word_ids))
    if layer.num_learned_heads:
        queries, keys = (
            np.split(x @ kernel + bias, layer.num_learned_heads, 1)
            for kernel, bias in (part.get_weights() for part in (layer.query, layer.key))
        )
        for query, key in zip(queries, keys):
            p = np.exp(query @ key.T / np.sqrt(key.shape[1]))
            weights.append(p / p.sum(axis=1, keepdims=True))
    context = [matrix @ head for matrix, head in zip(weights, heads)]
    return np.concatenate(context, axis=1) @ output[0] + output[1]


LAYERS = {}


def built(patterns, learned=0, edges="zero", **options):
    """A layer of width 8 and head width 3 with random weights, made once."""
    key = (tuple(patterns), learned, edges)
    if key not in LAYERS:
        LAYERS[key] = FixedPatternAttention(
            patterns, num_learned_heads=learned, head_dim=3, edges=edges, **options
        )
        LAYERS[key].build((None, None, 8))
        randomize(LAYERS[key])
    return LAYERS[key]


words = st.lists(st.sampled_from([0, 1]), max_size=11).map(
    lambda steps: list(itertools.accumulate([0, *steps]))
)
mixes = st.sampled_from([(SEVEN_FIXED, 1), (EIGHT_FIXED, 0), (PATTERNS[::-1], 2)])


@settings(max_examples=30)
@given(
    sentences=st.lists(words, min_size=1, max_size=3),
    mix=mixes,
    edges=st.sampled_from(EDGES),
    by_word=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_the_dense_matrices(sentences, mix, edges, by_word, seed):
    layer = built(*mix, edges)
    lengths = [len(sentence) for sentence in sentences]
    longest = max(lengths) + seed % 3
    tokens = lengths_mask(lengths, longest)
    x = normal(len(lengths), longest, 8, seed=seed)
    x[~tokens] *= 1e3
    word_ids = np.random.default_rng(seed).integers(-99, 99, tokens.shape)
    word_ids[tokens] = np.concatenate(sentences)
    y = layer(x, padding_mask=tokens, word_ids=word_ids if by_word else None)
    assert np.all(np.isfinite(y))
    for i, sentence in enumerate(sentences):
        expected = attention(layer, x[i, : len(sentence)], sentence if by_word else None)
        assert_close(y[i, : len(sentence)], expected, 2e-5)


@pytest.mark.parametrize("by_word", [False, True])
@pytest.mark.parametrize("side", ["after", "before"])
def test_padding_at_either_end_changes_nothing(side, by_word):
    layer = built(SEVEN_FIXED, 1)
    x, word_ids = normal(1, 5, 8), np.array([[0, 0, 1, 2, 2]])
    part = slice(0, 5) if side == "after" else slice(4, 9)
    padded, tokens = normal(1, 9, 8, seed=1), np.zeros((1, 9), bool)
    padded[:, part], tokens[:, part] = x, True
    padded_ids = np.full((1, 9), 70)
    padded_ids[:, part] = word_ids
    words = {"word_ids": padded_ids} if by_word else {}
    expected = layer(x, **({"word_ids": word_ids} if by_word else {}))
    assert_close(layer(padded, padding_mask=tokens, **words)[:, part], expected, 1e-6)


@pytest.mark.costly
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("by_word", [False, True])
def test_long_sentences_lose_no_digits(by_word, dtype):
    length = 1024
    layer = FixedPatternAttention(EIGHT_FIXED, dtype=dtype)
    x = 1 + normal(1, length, 8)
    word_ids = np.arange(length) // 3 if by_word else None
    y = layer(x, word_ids=None if word_ids is None else word_ids[np.newaxis])
    expected = attention(layer, x[0], word_ids)
    assert_close(y[0], expected, 5e-6 if dtype == "float32" else 1e-2)


def largest_tensor(layer, length, **call_kwargs):
    """The number of elements of the largest tensor in the traced call."""

    @tf.function
    def run(x):
        return layer(x, **call_kwargs)

    graph = run.get_concrete_function(tf.TensorSpec([1, length, 8])).graph
    shapes = [tensor.shape for op in graph.get_operations() for tensor in op.outputs]
    assert all(shape.rank is not None for shape in shapes)
    # Of an unknown size nothing is known: it counts as the length.
    return max(np.prod([size or length for size in shape]) for shape in shapes)


def test_cost_is_linear_in_the_length():
    length, heads = 97, 8
    options = {"padding_mask": np.ones((1, length), bool)}
    words = {"word_ids": np.arange(length)[np.newaxis] // 2}
    layer = FixedPatternAttention(EIGHT_FIXED)
    layer.build((None, None, 8))
    for kwargs in (options, options | words, words):
        assert largest_tensor(layer, length, **kwargs) <= length * (heads + 1)
    assert largest_tensor(built(SEVEN_FIXED, 1), length, **options) == length**2


def test_matrices_are_those_of_the_heads():
    layer = FixedPatternAttention(["next", "current", "next"], edges="self")
    matrices = layer.matrices(4, [0, 0, 1, 2])
    assert matrices.shape == (3, 4, 4)
    assert_close(matrices[0], pattern_matrix("next", 4, "self", [0, 0, 1, 2]), 0)
    assert_close(matrices[0], matrices[2], 0)


WRONG = {
    "no_patterns": (lambda: FixedPatternAttention([]), ["at least one", "patterns=[]"]),
    "one_name": (lambda: FixedPatternAttention("next"), ["sequence", "patterns='next'"]),
    "pattern": (
        lambda: FixedPatternAttention(["next", "left"]),
        ["`patterns` must be one of current, previous", "'left'"],
    ),
    "edges": (
        lambda: FixedPatternAttention(["next"], edges="wrap"),
        ["`edges` must be one of zero, self", "edges='wrap'"],
    ),
    "learned": (
        lambda: FixedPatternAttention(["next"], num_learned_heads=-1),
        ["`num_learned_heads`", "num_learned_heads=-1", "must not be negative"],
    ),
    "head_dim": (
        lambda: FixedPatternAttention(["next"], head_dim=0),
        ["`head_dim`", "head_dim=0", "at least 1"],
    ),
    "dropout": (
        lambda: FixedPatternAttention(["next"], dropout=1.0),
        ["`dropout`", "dropout=1.0", "in [0, 1)"],
    ),
    "width": (
        lambda: FixedPatternAttention(SEVEN_FIXED)(normal(2, 5, 8)),
        ["divisible by the number of heads", "width=8, 7 fixed heads, 0 learned", "`head_dim`"],
    ),
    "mask": (
        lambda: FixedPatternAttention(["next"])(normal(2, 5, 8), padding_mask=MASK[0]),
        ["padding mask must be", "shape=(5,), dtype=bool"],
    ),
    "word_ids_of_one_sentence": (
        lambda: FixedPatternAttention(["next"])(normal(2, 5, 8), word_ids=WORDS[0]),
        ["`word_ids` must be integers [batch, length]", "shape=(5,)", "input shape=(2, 5, 8)"],
    ),
    "word_ids_of_another_length": (
        lambda: FixedPatternAttention(["next"])(normal(2, 5, 8), word_ids=WORDS[:, :4]),
        ["`word_ids` must be integers [batch, length]", "shape=(2, 4)", "Pass the number"],
    ),
    "word_ids_of_another_type": (
        lambda: FixedPatternAttention(["next"])(normal(2, 5, 8), word_ids=WORDS * 1.0),
        ["`word_ids` must be integers [batch, length]", "dtype=float"],
    ),
    "matrix_of_no_tokens": (lambda: pattern_matrix("next", 0), ["at least 1", "length=0"]),
    "matrix_of_a_gap": (
        lambda: pattern_matrix("next", 3, word_ids=[0, 2, 2]),
        ["beginning with 0", "word_ids=[0, 2, 2] for length=3", "Number the words"],
    ),
    "decoder": (
        lambda: TransformerDecoderLayer(FixedPatternAttention(["next"])),
        ["must be causal", "causal=False"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
