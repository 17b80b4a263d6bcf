"""The adaptive embedding, and the adaptive softmax tied to it."""

import itertools
from collections.abc import Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.embedding_lookup import embedding_lookup
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import copy_initializer
from tfcompress.layers.common.token_embedding import TokenEmbedding
from tfcompress.layers.dense import Dense, sub_dense
from tfcompress.layers.dropout import Dropout

TIES = ("shared", "none")


@register
class AdaptiveEmbedding(TokenEmbedding):
    """Token embedding in bands of falling frequency, each with a narrower table, and back.

    Ids are sorted by frequency. `cutoffs` divide them into bands; the table of band i is
    `embedding_dim // factor**i` wide, and a projection widens what it gives to `hidden_dim`. The
    same layer, called with `reverse=True`, is the output layer: the adaptive softmax over the tied
    tables, whose head chooses a word of the first band or another band, and whose tails choose
    words within the others. It gives logarithms of probabilities, which are valid logits for any
    softmax cross-entropy.

    Every band is computed for every token, so that shapes are known; each table is stored once.

    Number of parameters, with `s_i` ids of width `w_i` in band i of `b` bands and
    `H = hidden_dim`: the sum of `s_i*w_i + w_i*H` over the bands. With `tie="shared"` also
    `(b - 1)*H` for the head's classes; and without `tie_projections` the sum of `H*w_i` over the
    bands after the first, and `H*w_0` where `embedding_dim` differs from H.

    Args:
        vocabulary_size: Number of token ids.
        hidden_dim: Width of the output.
        cutoffs: Where the bands after the first begin, ascending; none for a single band.
        embedding_dim: Width of the first band's table; `hidden_dim` by default.
        factor: How many times narrower each band is than the one before.
        scale_bands: Whether looked-up vectors are multiplied by the square root of their width.
            DeLighT's reference code does, fairseq's does not.
        tie: How `reverse` works: `"shared"`, through the tables of the input; `"none"`, not at all.
        tie_projections: Whether `reverse` goes through the projections of the input, transposed,
            rather than through projections of its own. The first band needs one only where
            `embedding_dim` differs from `hidden_dim`; the reference codes tie all others, but give
            this one its own in any case.
        dropout: Dropout rate on the looked-up vectors, before the projections.
        embeddings_initializer: Initializer of the tables; a normal distribution of variance
            `1/w_i` by default.
        kernel_initializer: Initializer of the projections.
        mask_zero: Whether id 0 is padding, as in `keras.layers.Embedding`: the layers that follow
            get a mask.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Integer ids `[...]`; with `reverse`, hidden vectors `[..., hidden_dim]`.
        reverse: Whether to compute the logarithms of probabilities.
        training: Whether dropout is active.

    Returns:
        `[..., hidden_dim]`; with `reverse`, `[..., vocabulary_size]`.

    Raises:
        ValueError: If a size is below 1, the cutoffs do not ascend between 0 and
            `vocabulary_size`, a band would have no width, `tie` is unknown, or `reverse` is asked
            for with `tie="none"` or another width.

    Example:

    >>> layer = tfc.layers.AdaptiveEmbedding(1000, hidden_dim=64, cutoffs=[100, 400])
    >>> hidden = layer(np.array([[3, 150, 999]]))
    >>> hidden.shape, layer(hidden, reverse=True).shape
    (TensorShape([1, 3, 64]), TensorShape([1, 3, 1000]))

    References: Grave et al., 2017, arXiv:1609.04309 (softmax); Baevski and Auli, 2019,
    arXiv:1809.10853 (input).
    """

    use_bias = False
    bias_initializer = "zeros"

    weight_channels = {"embeddings": (0,)}

    def __init__(
        self,
        vocabulary_size: int,
        *,
        hidden_dim: int,
        cutoffs: Sequence[int],
        embedding_dim: int | None = None,
        factor: float = 4,
        scale_bands: bool = True,
        tie: str = "shared",
        tie_projections: bool = True,
        dropout: float = 0.0,
        embeddings_initializer=None,
        kernel_initializer="glorot_uniform",
        mask_zero: bool = False,
        **kwargs,
    ):
        super().__init__(mask_zero, **kwargs)
        sizes = {"vocabulary_size": vocabulary_size, "hidden_dim": hidden_dim, "factor": factor}
        if embedding_dim is not None:
            sizes["embedding_dim"] = embedding_dim
        for name, value in sizes.items():
            if not value >= 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        edges = [0, *map(int, cutoffs), vocabulary_size]
        ascending = all(start < end for start, end in itertools.pairwise(edges))
        if not ascending or edges[1:-1] != list(cutoffs):
            raise ValueError(
                "`cutoffs` must be integers that ascend between 0 and `vocabulary_size`. Received: "
                f"cutoffs={list(cutoffs)}, vocabulary_size={vocabulary_size}. Leave both ends out."
            )
        width = embedding_dim or hidden_dim
        self._edges = tuple(edges)
        self._widths = tuple(int(width // factor**i) for i in range(len(edges) - 1))
        if not self._widths[-1]:
            raise ValueError(
                f"The last of {len(self._widths)} bands would have no width. Received: "
                f"{'hidden_dim' if embedding_dim is None else 'embedding_dim'}={width}, "
                f"factor={factor}, cutoffs={list(cutoffs)}. Use fewer bands or a smaller factor."
            )
        if tie not in TIES:
            raise ValueError(f"`tie` must be one of {', '.join(TIES)}. Received: tie={tie!r}.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.vocabulary_size = vocabulary_size
        self.hidden_dim = hidden_dim
        self.cutoffs = tuple(edges[1:-1])
        self.embedding_dim = embedding_dim
        self.factor = factor
        self.scale_bands = scale_bands
        self.tie = tie
        self.tie_projections = tie_projections
        self.dropout = dropout
        self.embeddings_initializer = None
        if embeddings_initializer is not None:
            self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        sizes = [end - start for start, end in itertools.pairwise(self._edges)]
        self.embeddings = [
            self._table(f"embeddings_{i}", size, width)
            for i, (size, width) in enumerate(zip(sizes, self._widths))
        ]
        self.projections: list[Dense] = [
            sub_dense(self, f"projection_{i}", self.hidden_dim, width)
            for i, width in enumerate(self._widths)
        ]
        self.embedding_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        if self.tie == "shared":
            self._build_softmax()
        super().build(input_shape)

    def applied_both_ways(self):
        """Matrices that are applied transposed as well."""
        if self.tie == "none" or not self.tie_projections:
            return []
        return self.projections[self._first_projected :]

    def _table(self, name, rows, width):
        initializer = keras.initializers.RandomNormal(stddev=width**-0.5)
        if self.embeddings_initializer is not None:
            initializer = copy_initializer(self.embeddings_initializer)
        return self.add_weight(name=name, shape=(rows, width), initializer=initializer)

    def _build_softmax(self):
        if self.cutoffs:
            self.class_projection = sub_dense(
                self, "class_projection", len(self.cutoffs), self.hidden_dim
            )
        # The head meets the first table directly where it can.
        self._first_projected = 1 if self._widths[0] == self.hidden_dim else 0
        self.output_projections: list[Dense] = []
        if not self.tie_projections:
            self.output_projections = [
                sub_dense(self, f"output_projection_{i}", width, self.hidden_dim)
                for i, width in enumerate(self._widths)
                if i >= self._first_projected
            ]

    def call(self, inputs, reverse=False, training=None):
        self._reverses = reverse
        if reverse:
            return self._log_probabilities(inputs)
        ids = self._token_ids(inputs)
        x = self._embed(tf.reshape(ids, [-1]), training)
        if ids.shape.rank == 1:
            return x
        return tf.reshape(x, [*known_or_dynamic_shape(ids), self.hidden_dim])

    def step(self, inputs, position):
        """Embeds the token at one position.

        Args:
            inputs: Integer ids `[batch]`.
            position: Integer scalar; not used, as no embedding depends on it.

        Returns:
            `[batch, hidden_dim]`, equal to what `call` gives at this position.
        """
        return self(inputs, training=False)

    def _embed(self, ids, training):
        """The sum over all bands, in each of which the ids of the others are zero vectors."""
        total, last = None, len(self._widths) - 1
        for i, (start, end) in enumerate(itertools.pairwise(self._edges)):
            rows, inside = ids - start, ids >= start
            if i > 0:
                rows = tf.maximum(rows, 0)
            if i < last:
                rows = tf.minimum(rows, end - start - 1)
                inside = tf.logical_and(inside, ids < end)
            x = embedding_lookup(self, tf.cast(self.embeddings[i], self.compute_dtype), rows)
            # Selection and scale are one factor, which no converter can fold into the kernel.
            scale = self._widths[i] ** 0.5 if self.scale_bands else 1.0
            x *= scale * tf.cast(inside, x.dtype)[:, tf.newaxis]
            x = self.projections[i](self.embedding_dropout(x, training=training))
            total = x if total is None else total + x
        return total

    def _log_probabilities(self, hidden):
        x = tf.reshape(tf.cast(hidden, self.compute_dtype), [-1, self.hidden_dim])
        scores = self._scores(0, x)
        if self.cutoffs:
            scores = tf.concat([scores, self.class_projection(x)], axis=-1)
        head = _log_softmax(scores)
        y = head
        if self.cutoffs:
            first = self._edges[1]
            bands = [head[:, :first]]
            for i in range(1, len(self._widths)):
                band = head[:, first + i - 1 : first + i]
                bands.append(_log_softmax(self._scores(i, x)) + band)
            y = tf.concat(bands, axis=-1)
        y = tf.cast(y, self.compute_dtype)
        if hidden.shape.rank == 2:
            return y
        leading = known_or_dynamic_shape(hidden, rank=hidden.shape.rank - 1)
        return tf.reshape(y, [*leading, self.vocabulary_size])

    def _scores(self, i: int, x):
        """Products with the words of band i, in whose narrow width they are taken."""
        if i >= self._first_projected:
            if self.tie_projections:
                kernel = tf.cast(self.projections[i].kernel, x.dtype)
                x = tf.matmul(x, kernel, transpose_b=True)
            else:
                x = self.output_projections[i - self._first_projected](x)
        return tf.matmul(x, tf.cast(self.embeddings[i], x.dtype), transpose_b=True)

    def get_config(self):
        initializer = self.embeddings_initializer
        if initializer is not None:
            initializer = keras.initializers.serialize(initializer)
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "hidden_dim": self.hidden_dim,
            "cutoffs": list(self.cutoffs),
            "embedding_dim": self.embedding_dim,
            "factor": self.factor,
            "scale_bands": self.scale_bands,
            "tie": self.tie,
            "tie_projections": self.tie_projections,
            "dropout": self.dropout,
            "embeddings_initializer": initializer,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _log_softmax(scores):
    """In float32: the probabilities of rare words are small."""
    return tf.nn.log_softmax(tf.cast(scores, tf.float32))
