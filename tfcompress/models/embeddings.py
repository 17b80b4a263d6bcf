"""The embeddings and the output layer of a model, from its configuration."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.custom_ops.maths import dense_operands
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.scaling import default_max_groups

_SIDES = ("source", "target")


class Embeddings:
    """Which layers embed and compute logits, and how they are applied.

    The layers themselves are passed in by name, so that the training graph and incremental
    decoding go the same way.

    Args:
        config: The model.

    Attributes:
        tables: Names of the layers that look up tokens, by side.
    """

    def __init__(self, config: Seq2SeqConfig):
        self._config = config
        embedding = config.embedding
        self._has_transform = embedding.kind in ("define", "dextra")
        self._looks_up_vectors = self._has_transform and embedding.cached
        shares_table = embedding.share and not self._looks_up_vectors
        self.tables = {
            side: "embedding" if shares_table else f"{side}_embedding" for side in _SIDES
        }
        self._output = self.tables["target"]
        if self._looks_up_vectors:
            self._output = "output_embedding"

    def make(self) -> dict[str, keras.layers.Layer]:
        """Returns new layers by name."""
        config, embedding = self._config, self._config.embedding
        made = {}
        for side in _SIDES:
            made.setdefault(self.tables[side], self._table(self.tables[side]))
            if self._has_transform and not embedding.cached:
                made[f"{side}_transform"] = _transform(config, f"{side}_transform")
        if embedding.tie == "none":
            made["output_projection"] = layers.Dense(
                config.target_vocabulary_size,
                use_bias=embedding.use_output_bias,
                name="output_projection",
            )
        elif self._has_transform:
            if self._looks_up_vectors:
                made[self._output] = self._narrow_table(self._output)
            if embedding.embedding_dim != config.hidden_dim:
                made["output_map"] = layers.Dense(
                    embedding.embedding_dim, use_bias=False, name="output_map"
                )
        return made

    def embed(
        self, made: Mapping[str, keras.layers.Layer], side: str, ids: tf.Tensor, **options
    ) -> tf.Tensor:
        """Returns the vectors of whole sentences.

        Args:
            made: Layers by name.
            side: "source" or "target".
            ids: Integer `[batch, length]`.
            **options: `training`, where the caller knows it.
        """
        x = made[self.tables[side]](ids, **options)
        return self._transformed(made, side, x, **options)

    def embed_step(
        self, made: Mapping[str, keras.layers.Layer], ids: tf.Tensor, position: tf.Tensor | int
    ) -> tf.Tensor:
        """Returns the vectors of the target's tokens at one position.

        Args:
            made: Layers by name.
            ids: Integer `[batch]`.
            position: Integer scalar.
        """
        x = made[self.tables["target"]].step(ids, position)
        return self._transformed(made, "target", x)

    def logits(self, made: Mapping[str, keras.layers.Layer], x: tf.Tensor) -> tf.Tensor:
        """Returns the logits of hidden vectors.

        Args:
            made: Layers by name.
            x: `[..., hidden_dim]`.
        """
        if self._config.embedding.tie == "none":
            return made["output_projection"](x)
        if "output_map" in made:
            x = made["output_map"](x)
        return made[self._output](x, reverse=True)

    def output_operands(
        self, made: Mapping[str, keras.layers.Layer], x: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor] | None:
        """Returns what the logits of hidden vectors are a product of, if they are one.

        Args:
            made: Layers by name.
            x: `[batch, hidden_dim]`.

        Returns:
            As of `FactorizedEmbedding.output_operands`, or None.
        """
        if self._config.embedding.tie == "none":
            return x, *dense_operands(made["output_projection"])
        output = made[self._output]
        if not hasattr(output, "output_operands"):
            return None
        return output.output_operands(made["output_map"](x) if "output_map" in made else x)

    def _transformed(self, made, side, x, **options):
        transform = made.get(f"{side}_transform")
        return x if transform is None else transform(x, **options)

    def _table(self, name):
        config, embedding = self._config, self._config.embedding
        if self._has_transform:
            if embedding.cached:
                return layers.FactorizedEmbedding(
                    self._size(name), hidden_dim=config.hidden_dim, tie="none", name=name
                )
            return self._narrow_table(name)
        is_output = name == self._output and embedding.tie != "none"
        if embedding.kind == "adaptive":
            return layers.AdaptiveEmbedding(
                self._size(name),
                hidden_dim=config.hidden_dim,
                cutoffs=embedding.cutoffs,
                embedding_dim=embedding.embedding_dim,
                factor=embedding.factor,
                tie="shared" if is_output else "none",
                name=name,
            )
        return layers.FactorizedEmbedding(
            self._size(name),
            hidden_dim=config.hidden_dim,
            embedding_dim=embedding.embedding_dim,
            scale=(embedding.embedding_dim or config.hidden_dim) ** (0.5 * embedding.use_scale),
            tie=embedding.tie if is_output else "none",
            use_bias=embedding.use_bias,
            use_output_bias=embedding.use_output_bias and is_output,
            name=name,
        )

    def _narrow_table(self, name):
        embedding = self._config.embedding
        is_output = name == self._output and embedding.tie != "none"
        return layers.FactorizedEmbedding(
            self._size(name),
            hidden_dim=embedding.embedding_dim,
            scale=embedding.embedding_dim**0.5,
            tie="shared" if is_output else "none",
            use_output_bias=embedding.use_output_bias and is_output,
            name=name,
        )

    def _size(self, name):
        is_source = name == "source_embedding"
        config = self._config
        return config.source_vocabulary_size if is_source else config.target_vocabulary_size


def _transform(config, name):
    embedding, transform = config.embedding, config.embedding.transform
    schedule = "dextra"
    if embedding.kind == "define":
        schedule = "released" if embedding.schedule == "released" else "define"
    return layers.DExTraBlock(
        config.hidden_dim,
        num_layers=transform.num_layers,
        width_multiplier=transform.width_multiplier,
        projection_dim=config.hidden_dim // 2,
        max_groups=transform.max_groups or default_max_groups(config.hidden_dim),
        schedule=schedule,
        activation="gelu" if embedding.kind == "define" else "swish",
        dropout=transform.dropout,
        name=name,
    )
