"""Attention whose heads follow fixed patterns instead of learned scores."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.fixed_patterns import fixed_patterns
from tfcompress.custom_ops.names import FIXED_PATTERNS
from tfcompress.layers.common.fixed_patterns import (
    EDGES,
    PATTERNS,
    apply_pattern,
    check_patterns,
    pattern_matrix,
)
from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.masks import additive_padding_mask, token_mask
from tfcompress.layers.common.pattern_units import TokenUnits, WordUnits
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import merge_heads, scale_queries, split_heads
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.dropout import Dropout

# As long as products with whole matrices are about as fast as running sums.
_SHORT = 128


@register
class FixedPatternAttention(Layer):
    """Self-attention of an encoder with heads of fixed patterns, and some learned ones beside them.

    A fixed head has no queries and keys: its weights depend on positions and the sentence's length
    only, and it takes time linear in the length. In a sentence with tokens 0 to l, token i attends

    - `"current"`, `"previous"`, `"next"`: to token i, i - 1, i + 1;
    - `"left_context"`: to tokens j from 0 to i - 2, with weights that grow as `(j + 1)**3`;
    - `"right_context"`: to tokens j from i + 2 to l, as `(l - j + 1)**3`;
    - `"sentence_end"`, `"sentence_start"`: to all tokens, as `(j + 1)**3` and `(l - j + 1)**3`;
    - `"last_token"`: to token l.

    The weights of a row add up to 1. With `word_ids` the patterns hold between words: a token
    attends as its word does, and a word's weight is shared equally by its tokens.

    `tfcompress.layers.common.fixed_patterns` names the published mixes: `SEVEN_FIXED` (all but the
    last token), with one learned head, and `EIGHT_FIXED`.

    Number of parameters, with input width `d`, `h = len(patterns) + num_learned_heads`,
    `n = h * head_dim` and `q = num_learned_heads * head_dim`: `2*d*n + 2*d*q`, and `n + 2*q + d`
    more with biases.

    Args:
        patterns: The pattern of each fixed head.
        num_learned_heads: Number of heads of ordinary attention, which follow the fixed ones.
        head_dim: Width of a head. The input width divided by the number of heads by default.
        edges: What a token attends to whose targets lie outside the sentence: `"zero"`, nothing;
            `"self"`, itself. The paper leaves it open.
        dropout: Dropout rate on the attention probabilities of the learned heads.
        use_bias: Whether the projections have biases.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or additive
            `[batch, 1, 1, length]` as `PaddingMask` gives it. Padding stands at an end.
        word_ids: Integer `[batch, length]`, the word of each token, numbered from 0 without gaps;
            anything at padding.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If there are no patterns, one is unknown, a size or rate is impossible, the
            input width is not divisible by the number of heads while `head_dim` is not given, or
            `word_ids` cannot belong to the input.

    Example:

    >>> from tfcompress.layers.common.fixed_patterns import SEVEN_FIXED
    >>> layer = tfc.layers.FixedPatternAttention(SEVEN_FIXED, num_learned_heads=1)
    >>> layer(np.random.rand(2, 7, 32).astype("float32")).shape
    TensorShape([2, 7, 32])

    Reference: Raganato et al., 2020, arXiv:2002.10260.
    """

    input_axes = ("batch", "length", "width")

    # Patterns look ahead, so that no decoder can use them.
    causal = False

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        num_learned_heads: int = 0,
        head_dim: int | None = None,
        edges: str = "zero",
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not patterns or isinstance(patterns, str):
            raise ValueError(
                "`patterns` must be a sequence of at least one pattern's name. "
                f"Received: patterns={patterns!r}. Use MultiHeadAttention for learned heads only."
            )
        check_patterns(patterns, edges)
        if num_learned_heads < 0:
            raise ValueError(
                "`num_learned_heads` must not be negative. "
                f"Received: num_learned_heads={num_learned_heads}."
            )
        if head_dim is not None and head_dim < 1:
            raise ValueError(f"`head_dim` must be at least 1. Received: head_dim={head_dim}.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.patterns = tuple(patterns)
        self.num_learned_heads = num_learned_heads
        self.head_dim = head_dim
        self.edges = edges
        self.dropout = dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width, num_heads = input_shape[-1], len(self.patterns) + self.num_learned_heads
        if self.head_dim is None and width % num_heads:
            raise ValueError(
                "The input width must be divisible by the number of heads. Received: "
                f"width={width}, {len(self.patterns)} fixed heads, {self.num_learned_heads} "
                "learned. Pass `head_dim` to choose the width of a head."
            )
        self._head_dim = self.head_dim or width // num_heads
        self._fixed_dim = len(self.patterns) * self._head_dim
        self._learned_dim = self.num_learned_heads * self._head_dim
        inner = self._fixed_dim + self._learned_dim
        self.value = sub_dense(self, "value", inner, width)
        self.output_projection = sub_dense(self, "output", width, inner)
        if self.num_learned_heads:
            self.query = sub_dense(self, "query", self._learned_dim, width)
            self.key = sub_dense(self, "key", self._learned_dim, width)
            self.probability_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def call(self, inputs, padding_mask=None, word_ids=None, training=None):
        mask = None
        if padding_mask is not None:
            mask = additive_padding_mask(padding_mask, inputs.dtype)
        if word_ids is not None:
            word_ids = self._checked(word_ids, inputs)
        values = self.value(inputs)
        if not self.num_learned_heads:
            return self.output_projection(self._fixed(values, mask, word_ids))
        fixed, learned = tf.split(values, [self._fixed_dim, self._learned_dim], axis=-1)
        heads = [
            self._fixed(fixed, mask, word_ids),
            self._learned(inputs, learned, mask, training),
        ]
        return self.output_projection(tf.concat(heads, axis=-1))

    def _checked(self, word_ids, inputs):
        word_ids = tf.convert_to_tensor(word_ids)
        if not word_ids.dtype.is_integer or not word_ids.shape.is_compatible_with(inputs.shape[:2]):
            raise ValueError(
                "`word_ids` must be integers [batch, length], one for each position of the input. "
                f"Received: shape={word_ids.shape}, dtype={word_ids.dtype.name}, input shape="
                f"{inputs.shape}. Pass the number of each token's word."
            )
        return tf.cast(word_ids, tf.int32)

    def _fixed(self, values, mask=None, word_ids=None):
        if self.computes_with(FIXED_PATTERNS) and mask is None and word_ids is None:
            patterns = [PATTERNS.index(pattern) for pattern in self.patterns]
            return fixed_patterns(values, self._average, patterns, EDGES.index(self.edges))
        length = values.shape[1]
        if mask is None and word_ids is None and length is not None and length <= _SHORT:
            return self._product(values, length)
        return self._average(values, mask, word_ids)

    def _product(self, values, length):
        """The same for sentences of one length, in numbers that fit into 8 bits, unlike sums of
        cubes: TensorFlow's own conversion to integers would leave noise of them."""
        weights = tf.constant(self.matrices(length), tf.float32)
        heads = split_heads(tf.cast(values, tf.float32), len(self.patterns), self._head_dim)
        return tf.cast(merge_heads(tf.matmul(weights, heads), self._fixed_dim), values.dtype)

    def _average(self, values, mask=None, word_ids=None):
        # Weights are cubes, too large and too many for sums in half precision.
        dtype, values = values.dtype, tf.cast(values, tf.float32)
        if mask is None:
            tokens = tf.zeros_like(values[:, :, :1]) + 1
        else:
            tokens = token_mask(mask, tf.float32)
            values *= tokens
        units = TokenUnits(tokens)
        if word_ids is not None:
            units = WordUnits.number(word_ids, tokens)
            values = units.means(values)
        heads = [
            apply_pattern(pattern, head, units, self.edges)
            for pattern, head in zip(
                self.patterns, tf.split(values, len(self.patterns), axis=-1), strict=True
            )
        ]
        return tf.cast(tf.concat(heads, axis=-1), dtype)

    def _learned(self, inputs, values, mask, training):
        query, key, value = (
            split_heads(x, self.num_learned_heads, self._head_dim)
            for x in (self.query(inputs), self.key(inputs), values)
        )
        scores = tf.matmul(scale_queries(query, self._head_dim), key, transpose_b=True)
        if mask is not None:
            scores += tf.cast(mask, scores.dtype)
        probabilities = self.probability_dropout(tf.nn.softmax(scores), training=training)
        return merge_heads(tf.matmul(probabilities, value), self._learned_dim)

    def matrices(self, length: int, word_ids: Sequence[int] | None = None) -> np.ndarray:
        """Returns the weights of the fixed heads in a sentence of `length` tokens, for inspection.

        Args:
            length: Number of tokens.
            word_ids: The word of each token, from 0 upwards, for word-based attention.

        Returns:
            `[len(patterns), length, length]`.
        """
        return np.stack(
            [pattern_matrix(name, length, self.edges, word_ids) for name in self.patterns]
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "patterns": list(self.patterns),
            "num_learned_heads": self.num_learned_heads,
            "head_dim": self.head_dim,
            "edges": self.edges,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
