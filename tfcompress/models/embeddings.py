"""The embeddings and the output layer of a model, from its configuration."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.custom_ops.maths import dense_operands
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.scaling import default_max_groups


class Embeddings:
    """Which layers embed and compute logits, and how they are applied.

    The layers themselves are passed in by name, so that the training graph and incremental
    decoding go the same way.

    Args:
        config: The model.

    Attributes:
        tables: Names of the layers that look up tokens, by side.
    """

    def __init__(self, config: Seq2SeqConfig | LanguageModelConfig):
        self._config = config
        embedding = config.embedding
        self._zero_start = embedding.zero_start
        self._has_transform = embedding.layer_type in ("define", "dextra")
        self._looks_up_vectors = self._has_transform and embedding.cached
        shares_table = embedding.share and not self._looks_up_vectors
        self.tables = {
            side: "embedding" if shares_table else f"{side}_embedding"
            for side in config.vocabulary_sizes
        }
        self._output = self.tables["target"]
        if self._looks_up_vectors:
            self._output = "output_embedding"

    def make(self) -> dict[str, keras.layers.Layer]:
        """Returns new layers by name."""
        config, embedding = self._config, self._config.embedding
        layers_by_name = {}
        for side in self.tables:
            layers_by_name.setdefault(self.tables[side], self._table(self.tables[side]))
            if self._has_transform and not embedding.cached:
                layers_by_name[f"{side}_transform"] = _transform(config, f"{side}_transform")
        if embedding.zero_start:
            layers_by_name["target_start"] = layers.ZeroStart(name="target_start")
        if embedding.tie == "none":
            layers_by_name["output_projection"] = layers.Dense(
                config.target_vocabulary_size,
                use_bias=embedding.use_output_bias,
                name="output_projection",
            )
        elif self._has_transform:
            if self._looks_up_vectors:
                layers_by_name[self._output] = self._narrow_table(self._output)
            if embedding.embedding_dim != config.hidden_dim:
                layers_by_name["output_map"] = layers.Dense(
                    embedding.embedding_dim, use_bias=False, name="output_map"
                )
        return layers_by_name

    def embed(
        self, layers_by_name: Mapping[str, keras.layers.Layer], side: str, ids: tf.Tensor, **options
    ) -> tf.Tensor:
        """Returns the vectors of whole sentences.

        Args:
            layers_by_name: Layers by name.
            side: "source" or "target".
            ids: Integer `[batch, length]`.
            **options: `training`, where the caller knows it.
        """
        x = layers_by_name[self.tables[side]](ids, **options)
        x = self._transformed(layers_by_name, side, x, **options)
        return layers_by_name["target_start"](x) if side == "target" and self._zero_start else x

    def embed_step(
        self,
        layers_by_name: Mapping[str, keras.layers.Layer],
        ids: tf.Tensor,
        position: tf.Tensor | int,
    ) -> tf.Tensor:
        """Returns the vectors of the target's tokens at one position.

        Args:
            layers_by_name: Layers by name.
            ids: Integer `[batch]`.
            position: Integer scalar.
        """
        x = layers_by_name[self.tables["target"]].step(ids, position)
        x = self._transformed(layers_by_name, "target", x)
        return layers_by_name["target_start"].step(x, position) if self._zero_start else x

    def logits(self, layers_by_name: Mapping[str, keras.layers.Layer], x: tf.Tensor) -> tf.Tensor:
        """Returns the logits of hidden vectors.

        Args:
            layers_by_name: Layers by name.
            x: `[..., hidden_dim]`.
        """
        if self._config.embedding.tie == "none":
            return layers_by_name["output_projection"](x)
        if "output_map" in layers_by_name:
            x = layers_by_name["output_map"](x)
        return layers_by_name[self._output](x, reverse=True)

    def output_operands(
        self, layers_by_name: Mapping[str, keras.layers.Layer], x: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor] | None:
        """Returns what the logits of hidden vectors are a product of, if they are one.

        Args:
            layers_by_name: Layers by name.
            x: `[batch, hidden_dim]`.

        Returns:
            As of `FactorizedEmbedding.output_operands`, or None.
        """
        if self._config.embedding.tie == "none":
            return x, *dense_operands(layers_by_name["output_projection"])
        output = layers_by_name[self._output]
        if not hasattr(output, "output_operands"):
            return None
        return output.output_operands(
            layers_by_name["output_map"](x) if "output_map" in layers_by_name else x
        )

    def _transformed(self, layers_by_name, side, x, **options):
        transform = layers_by_name.get(f"{side}_transform")
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
        if embedding.layer_type == "adaptive":
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
        width = embedding.embedding_dim
        assert width is not None  # The configuration sees to that.
        is_output = name == self._output and embedding.tie != "none"
        return layers.FactorizedEmbedding(
            self._size(name),
            hidden_dim=width,
            scale=width**0.5,
            tie="shared" if is_output else "none",
            use_output_bias=embedding.use_output_bias and is_output,
            name=name,
        )

    def _size(self, name):
        return self._config.vocabulary_sizes["source" if name == "source_embedding" else "target"]


def _transform(config, name):
    embedding, transform = config.embedding, config.embedding.transform
    schedule = "dextra"
    if embedding.layer_type == "define":
        schedule = "released" if embedding.schedule == "released" else "define"
    return layers.DExTraBlock(
        config.hidden_dim,
        num_layers=transform.num_layers,
        width_multiplier=transform.width_multiplier,
        projection_dim=config.hidden_dim // 2,
        max_groups=transform.max_groups or default_max_groups(config.hidden_dim),
        schedule=schedule,
        activation="gelu" if embedding.layer_type == "define" else "swish",
        dropout=transform.dropout,
        name=name,
    )
