"""What the embeddings of DeFINE and DeLighT have in common."""

import math

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.sublayers import build_sublayer
from tfcompress.layers.common.token_embedding import TokenEmbedding
from tfcompress.layers.dense import Dense
from tfcompress.layers.dextra_block import DExTraBlock
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.factorized_embedding import FactorizedEmbedding
from tfcompress.scaling import default_max_groups

TIES = ("own", "none")
_TOKENS_AT_ONCE = 4096


class HierarchicalEmbedding(TokenEmbedding):
    """Base of embeddings that are a narrow table and a `DExTraBlock` behind it.

    Args:
        vocabulary_size: Number of token ids.
        hidden_dim: Width of the output.
        embedding_dim: Width of the table.
        num_layers: Number of grouped layers.
        width_multiplier: Largest width of the transform, in widths of the table.
        max_groups: Largest number of groups, or None.
        projection_dim: Width after the input projection, or None.
        scale: Factor on the looked-up vectors, or None.
        tie: "own" or "none".
        dropout: Dropout rate of the looked-up vectors.
        transform_dropout: Dropout rate of each layer of the transform.
        embeddings_initializer: Initializer of the table, or None.
        mask_zero: Whether id 0 is padding.
        block: Further arguments of `DExTraBlock`.
        **kwargs: Keyword arguments of `keras.layers.Layer`.
    """

    def __init__(
        self,
        vocabulary_size,
        *,
        hidden_dim,
        embedding_dim,
        num_layers,
        width_multiplier,
        max_groups,
        projection_dim,
        scale,
        tie,
        dropout,
        transform_dropout,
        embeddings_initializer,
        mask_zero,
        block,
        **kwargs,
    ):
        super().__init__(mask_zero, **kwargs)
        sizes = {
            "vocabulary_size": vocabulary_size,
            "hidden_dim": hidden_dim,
            "embedding_dim": embedding_dim,
        }
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        for name, rate in {"dropout": dropout, "transform_dropout": transform_dropout}.items():
            if not 0.0 <= rate < 1.0:
                raise ValueError(f"`{name}` must lie in [0, 1). Received: {name}={rate}.")
        if tie not in TIES:
            raise ValueError(f"`tie` must be one of {', '.join(TIES)}. Received: tie={tie!r}.")
        self.vocabulary_size = vocabulary_size
        self.hidden_dim = hidden_dim
        self.embedding_dim = embedding_dim
        self.max_groups = max_groups
        self.projection_dim = projection_dim
        self.scale = embedding_dim**0.5 if scale is None else scale
        self.tie = tie
        self.dropout = dropout
        self.table = FactorizedEmbedding(
            vocabulary_size,
            hidden_dim=embedding_dim,
            scale=self.scale,
            tie="shared" if tie == "own" else "none",
            embeddings_initializer=embeddings_initializer,
            dtype=self.dtype_policy,
            name="table",
        )
        self.embedding_dropout = Dropout(dropout, dtype=self.dtype_policy)
        self.transform = DExTraBlock(
            hidden_dim,
            num_layers=num_layers,
            width_multiplier=width_multiplier,
            projection_dim=hidden_dim // 2 if projection_dim is None else projection_dim,
            max_groups=default_max_groups(hidden_dim) if max_groups is None else max_groups,
            dropout=transform_dropout,
            dtype=self.dtype_policy,
            name="transform",
            **block,
        )
        self.output_projection = None
        if tie == "own" and embedding_dim != hidden_dim:
            self.output_projection = Dense(
                embedding_dim, use_bias=False, dtype=self.dtype_policy, name="output_projection"
            )

    def build(self, input_shape):
        build_sublayer(self.table, (None, None))
        build_sublayer(self.transform, (None, self.embedding_dim))
        if self.output_projection is not None:
            build_sublayer(self.output_projection, (None, self.hidden_dim))
        super().build(input_shape)

    def call(self, inputs, reverse=False, training=None):
        self._reverses = reverse
        if reverse:
            return self._logits(inputs)
        x = self.table(self._token_ids(inputs))
        if training and self.dropout:
            x *= self.embedding_dropout(tf.ones_like(x[..., :1, :]), training=True)
        return self.transform(x, training=training)

    def _logits(self, hidden):
        if self.output_projection is not None:
            hidden = self.output_projection(hidden)
        return self.table(hidden, reverse=True)

    def step(self, inputs, position):
        """Embeds the token at one position.

        Args:
            inputs: Integer ids `[batch]`.
            position: Integer scalar.

        Returns:
            `[batch, hidden_dim]`, equal to what `call` gives at this position.
        """
        return self.transform(self.table.step(inputs, position), training=False)

    def cache_outputs(self) -> FactorizedEmbedding:
        """Computes the vectors of all tokens once and for all.

        What the transform makes of a token depends on nothing else. At inference, a table of
        `vocabulary_size * hidden_dim` saves its arithmetic; `cache_costs` says what that costs.

        Returns:
            An embedding, not tied to an output layer, that gives what this one gives at inference.
        """
        cached = FactorizedEmbedding(
            self.vocabulary_size,
            hidden_dim=self.hidden_dim,
            tie="none",
            mask_zero=self.mask_zero,
            dtype=self.dtype_policy,
            name=f"{self.name}_cached",
        )
        build_sublayer(cached, (None, None))
        rows = [
            np.asarray(self(np.arange(first, last, dtype="int32"), training=False))
            for first, last in _chunks(self.vocabulary_size)
        ]
        cached.embeddings.assign(np.concatenate(rows).astype("float32"))
        return cached

    def cache_costs(self) -> dict[str, dict[str, int]]:
        """Compares this embedding with the one that `cache_outputs` makes.

        Returns:
            Under "computed" and "cached": `parameters`, `bytes` (of the parameters in float32) and
            `multiply_adds` (of embedding one token). Tied, the table stays for the output layer and
            counts in both.
        """
        if not self.built:
            build_sublayer(self, (None, None))
        block = self.transform
        layers = (block.input_projection, *block.transform.group_layers, block.output_projection)
        table = self.vocabulary_size * self.hidden_dim
        kept = self.count_params() - block.count_params() if self.tie == "own" else 0
        return {
            "computed": _costs(
                self.count_params(), sum(math.prod(layer.kernel.shape) for layer in layers)
            ),
            "cached": _costs(table + kept, 0),
        }

    def get_config(self):
        block = self.transform.get_config()
        shared = (
            "num_layers",
            "width_multiplier",
            "shuffle",
            "activation",
            "normalize",
            "use_bias",
            "kernel_initializer",
            "bias_initializer",
        )
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "hidden_dim": self.hidden_dim,
            "embedding_dim": self.embedding_dim,
            "max_groups": self.max_groups,
            "projection_dim": self.projection_dim,
            "scale": self.scale,
            "tie": self.tie,
            "dropout": self.dropout,
            "transform_dropout": block["dropout"],
            "epsilon": block["epsilon"],
            "embeddings_initializer": keras.initializers.serialize(
                self.table.embeddings_initializer
            ),
            **{name: block[name] for name in shared},
        }


def _chunks(count):
    """Splits a range so that the widest layer's output of one part stays small."""
    return [
        (first, min(first + _TOKENS_AT_ONCE, count)) for first in range(0, count, _TOKENS_AT_ONCE)
    ]


def _costs(parameters, multiply_adds):
    return {
        "parameters": parameters,
        "bytes": 4 * parameters,
        "multiply_adds": multiply_adds,
    }
