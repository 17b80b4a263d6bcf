"""ALBERT's factorized embedding, and the output projection tied to it."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.embedding_lookup import embedding_lookup
from tfcompress.layers.common.layer import mask_for
from tfcompress.layers.common.serialization import pack, register, unpack
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import build_sublayer, copy_initializer
from tfcompress.layers.common.token_embedding import TokenEmbedding
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.layer_normalization import LayerNormalization

TIES = ("shared", "own", "none")


@register
class FactorizedEmbedding(TokenEmbedding):
    """Token embedding through a narrow table: `ids -> [E] -> [hidden_dim]`, and back.

    A table of `V x E` and a projection of `E x H` replace the `V x H` table of an ordinary
    embedding. The same layer, called with `reverse=True`, is the output layer: it maps hidden
    vectors to logits through the tied table.

    Number of parameters, with `V = vocabulary_size`, `E = embedding_dim` and `H = hidden_dim`:
    `V*E`; `+ E*H` where E is given (`+ H` with `use_bias`); `+ H*E` with `tie="own"` (`+ E` with
    `use_bias`); `+ V` with `use_output_bias`; `+ 2*E` with `normalize`; `+ types*E`; and those of
    `positions`. With `project_first`, the last three have the width H instead of E.

    Args:
        vocabulary_size: Number of token ids.
        hidden_dim: Width of the output, H.
        embedding_dim: Width of the table, E. None makes an ordinary embedding: a table of
            `V x H` and no projection.
        scale: Factor on the looked-up vectors, in E dimensions; for instance `E**0.5`.
        tie: How `reverse` works. `"shared"`: through both factors of the input; `"own"`: through
            the tied table and a projection `H -> E` of its own; `"none"`: not at all.
        use_bias: Whether the projections have biases. ALBERT's has one.
        use_output_bias: Whether logits get a bias for each token.
        normalize: Whether to normalize in E dimensions before the projection, as ALBERT does.
        positions: A position layer applied in E dimensions, before the normalization (ALBERT).
        token_types: Number of token types whose embeddings are added in E dimensions, or 0.
        project_first: Whether looked-up vectors are projected at once, so that token types,
            positions and normalization have H dimensions. So does a trained table become two
            factors without any change of what follows it.
        epsilon: Epsilon of the normalization.
        dropout: Dropout rate after the normalization, before the projection unless that was first.
        embeddings_initializer: Initializer of the tables; a normal distribution of variance 1/E
            by default.
        kernel_initializer: Initializer of the projections.
        bias_initializer: Initializer of the biases, that of the logits too.
        mask_zero: Whether id 0 is padding, as in `keras.layers.Embedding`: the layers that follow
            get a mask.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Integer ids `[...]`; with `reverse`, hidden vectors `[..., hidden_dim]`.
        token_type_ids: Integer ids of the same shape, where `token_types` is set; 0 by default.
        reverse: Whether to compute logits.
        training: Whether dropout is active.

    Returns:
        `[..., hidden_dim]`; with `reverse`, logits `[..., vocabulary_size]`.

    Raises:
        ValueError: If a size is below 1, `tie` is unknown, `reverse` is asked for with
            `tie="none"` or another width, or `token_type_ids` are given without `token_types`.

    Example:

    >>> layer = tfc.layers.FactorizedEmbedding(1000, hidden_dim=64, embedding_dim=16)
    >>> hidden = layer(np.array([[3, 5, 7]]))
    >>> hidden.shape, layer(hidden, reverse=True).shape
    (TensorShape([1, 3, 64]), TensorShape([1, 3, 1000]))

    Reference: Lan et al., 2020, arXiv:1909.11942. The reference code leaves the projection out
    where E equals H; here it is left out where `embedding_dim` is None. `project_first` is not in
    the paper.
    """

    weight_channels = {"embeddings": (0,), "type_embeddings": (0,)}

    def __init__(
        self,
        vocabulary_size: int,
        *,
        hidden_dim: int,
        embedding_dim: int | None = None,
        scale: float | None = None,
        tie: str = "shared",
        use_bias: bool = False,
        use_output_bias: bool = False,
        normalize: bool = False,
        positions: keras.layers.Layer | None = None,
        token_types: int = 0,
        project_first: bool = False,
        epsilon: float = 1e-5,
        dropout: float = 0.0,
        embeddings_initializer=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        mask_zero: bool = False,
        **kwargs,
    ):
        super().__init__(mask_zero, **kwargs)
        sizes = {"vocabulary_size": vocabulary_size, "hidden_dim": hidden_dim}
        if embedding_dim is not None:
            sizes["embedding_dim"] = embedding_dim
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if token_types < 0:
            raise ValueError(
                f"`token_types` must not be negative. Received: token_types={token_types}."
            )
        if tie not in TIES:
            raise ValueError(f"`tie` must be one of {', '.join(TIES)}. Received: tie={tie!r}.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.vocabulary_size = vocabulary_size
        self.hidden_dim = hidden_dim
        self.embedding_dim = embedding_dim
        self.scale = scale
        self.tie = tie
        self.use_bias = use_bias
        self.use_output_bias = use_output_bias
        self.normalize = normalize
        self.positions = positions
        self.token_types = token_types
        self.project_first = project_first
        self.epsilon = epsilon
        self.dropout = dropout
        self.embeddings_initializer = keras.initializers.get(
            embeddings_initializer
            or keras.initializers.RandomNormal(stddev=(embedding_dim or hidden_dim) ** -0.5)
        )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        width = self.embedding_dim or self.hidden_dim
        inner = self.hidden_dim if self.project_first else width
        self.embeddings = self._table("embeddings", self.vocabulary_size, width)
        if self.token_types:
            self.type_embeddings = self._table("type_embeddings", self.token_types, inner)
        if self.positions is not None and not self.positions.built:
            build_sublayer(self.positions, (None, None, inner))
        if self.normalize:
            self.normalization = LayerNormalization(
                self.epsilon, dtype=self.dtype_policy, name="normalization"
            )
            build_sublayer(self.normalization, (None, None, inner))
        self.embedding_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        if self.embedding_dim is not None:
            self.projection = sub_dense(self, "projection", self.hidden_dim, width)
        if self.tie == "own":
            self.output_projection = sub_dense(self, "output_projection", width, self.hidden_dim)
        if self.use_output_bias:
            self.output_bias = self.add_weight(
                name="output_bias",
                shape=(self.vocabulary_size,),
                initializer=copy_initializer(self.bias_initializer),
            )
        super().build(input_shape)

    def check_call(self, inputs, kwargs):
        super().check_call(inputs, kwargs)
        if kwargs.get("token_type_ids") is not None and not self.token_types:
            raise ValueError(
                "This embedding has no token types. Received: token_type_ids with token_types=0. "
                "Pass the number of types as `token_types`."
            )

    def applied_both_ways(self):
        """Matrices that are applied transposed as well."""
        tied = self.tie == "shared" and self.embedding_dim is not None
        return [self.projection] if tied else []

    def _table(self, name, rows, width):
        initializer = copy_initializer(self.embeddings_initializer)
        return self.add_weight(name=name, shape=(rows, width), initializer=initializer)

    def call(self, inputs, token_type_ids=None, reverse=False, training=None):
        self._reverses = reverse
        if reverse:
            return self._logits(inputs)
        ids = self._token_ids(inputs)
        x = self._look_up(self.embeddings, ids)
        if self.scale is not None:
            x *= self.scale
        if self._projects_first:
            x = self.projection(x)
        if self.token_types:
            types = tf.zeros_like(ids) if token_type_ids is None else token_type_ids
            x += self._look_up(self.type_embeddings, self._token_ids(types))
        if self.positions is not None:
            x = self.positions(x, **mask_for(self.positions, self.compute_mask(ids)))
        return self._finish(x, training)

    def step(self, inputs, position):
        """Embeds the token at one position.

        Args:
            inputs: Integer ids `[batch]`.
            position: Integer scalar.

        Returns:
            `[batch, hidden_dim]`, equal to what `call` gives at this position.
        """
        ids = self._token_ids(inputs)
        x = self._look_up(self.embeddings, ids)
        if self.scale is not None:
            # In rank 3, as in `call`: the converter would fold a factor right before a matrix
            # product into its kernel, and store the projection once more.
            width = x.shape[-1]
            x = tf.reshape(tf.reshape(x, [1, -1, width]) * self.scale, [-1, width])
        if self._projects_first:
            x = self.projection(x)
        if self.token_types:
            x += self._look_up(self.type_embeddings, tf.zeros_like(ids))
        if self.positions is not None:
            x = self.positions.step(x, position)
        return self._finish(x, training=False)

    def _look_up(self, table, ids):
        rows = embedding_lookup(self, tf.cast(table, self.compute_dtype), tf.reshape(ids, [-1]))
        if ids.shape.rank == 1:
            return rows
        return tf.reshape(rows, [*known_or_dynamic_shape(ids), table.shape[1]])

    @property
    def _projects_first(self):
        return self.project_first and self.embedding_dim is not None

    def _finish(self, x, training):
        if self.normalize:
            x = self.normalization(x)
        x = self.embedding_dropout(x, training=training)
        if self.embedding_dim is None or self.project_first:
            return x
        return self.projection(x)

    def output_operands(self, hidden: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns what the logits of hidden vectors are a product of.

        Args:
            hidden: `[..., hidden_dim]`.

        Returns:
            `x` `[count, width]`, the table `[vocabulary_size, width]` and the bias
            `[vocabulary_size]`, zeros where there is none: logits are `x @ table.T + bias`.
        """
        size = [self.vocabulary_size]
        bias = tf.convert_to_tensor(self.output_bias) if self.use_output_bias else tf.zeros(size)
        return self._before_table(hidden), tf.convert_to_tensor(self.embeddings), bias

    def _before_table(self, hidden):
        x = tf.reshape(tf.cast(hidden, self.compute_dtype), [-1, self.hidden_dim])
        if self.tie == "own":
            return self.output_projection(x)
        if self.embedding_dim is not None:
            return tf.matmul(x, tf.cast(self.projection.kernel, x.dtype), transpose_b=True)
        return x

    def _logits(self, hidden):
        x = self._before_table(hidden)
        logits = tf.matmul(x, tf.cast(self.embeddings, x.dtype), transpose_b=True)
        if self.use_output_bias:
            logits = tf.nn.bias_add(logits, tf.cast(self.output_bias, x.dtype))
        if hidden.shape.rank == 2:
            return logits
        leading = known_or_dynamic_shape(hidden, rank=hidden.shape.rank - 1)
        return tf.reshape(logits, [*leading, self.vocabulary_size])

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "hidden_dim": self.hidden_dim,
            "embedding_dim": self.embedding_dim,
            "scale": self.scale,
            "tie": self.tie,
            "use_bias": self.use_bias,
            "use_output_bias": self.use_output_bias,
            "normalize": self.normalize,
            "positions": pack(self.positions),
            "token_types": self.token_types,
            "project_first": self.project_first,
            "epsilon": self.epsilon,
            "dropout": self.dropout,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**unpack(config, "positions"))
