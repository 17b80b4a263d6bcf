"""The encoder of the BERT family, assembled from layers."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models.preset_building import load_preset_as
from tfcompress.models.preset_folder import save_preset
from tfcompress.models.stacks import Stack
from tfcompress.models.text_encoder_config import TextEncoderConfig
from tfcompress.models.text_heads import apply_head, make_head


class EncoderForward(NamedTuple):
    """What a run of the training graph gives.

    Attributes:
        outputs: What the model gives.
        encoder_states: The embedded text and what each layer gives, `[batch, length, hidden_dim]`
            each.
    """

    outputs: dict[str, tf.Tensor]
    encoder_states: list[tf.Tensor]


class TextEncoder:
    """A Transformer encoder over tokens, of the same layers as `Seq2SeqTransformer`.

    `model` is a plain functional Keras model: train it with `model.fit`, with a loss for what its
    head gives, or put layers of your own on its outputs.

    Args:
        config: What to build.
        model: A functional model with this configuration's layer names, such as a transformed
            copy of another's `model`, to use instead of building one.

    Attributes:
        config: The configuration.
        model: Inputs `token_ids` and, with token types, `token_type_ids` (integer, `[batch,
            length]`). Outputs a dictionary. With a head it has `logits` (`[batch, classes]`, or of
            tokens `[batch, length, classes]`; `HeadConfig.task` tells what they say) or `embedding`
            (`[batch, hidden_dim]`); without, `hidden` (`[batch, length, hidden_dim]`) and, with a
            pooler, `pooled` (`[batch, hidden_dim]`).

    Example:

    >>> config = tfc.models.preset("albert_base").replace(vocabulary_size=100)
    >>> encoder = tfc.models.TextEncoder(config)
    >>> ids = np.array([[5, 7, 2]])
    >>> encoder.model({"token_ids": ids, "token_type_ids": 0 * ids})["pooled"].shape
    TensorShape([1, 768])

    Reference: Devlin et al., 2019, arXiv:1810.04805; Lan et al., 2020, arXiv:1909.11942.
    """

    def __init__(self, config: TextEncoderConfig, *, model: keras.Model | None = None):
        self.config = config
        self._stack = Stack(config, "encoder")
        if model is None:
            model = self._build()
        self.model: keras.Model = model
        self._layers = {layer.name: layer for layer in self.model.layers}

    @classmethod
    def from_preset(cls, name_or_folder: str | os.PathLike) -> "TextEncoder":
        """Builds a preset with random weights, or loads a saved encoder.

        Args:
            name_or_folder: As for `load_preset`.

        Raises:
            InputError: As `load_preset` does, and if it is a translation model.
        """
        return load_preset_as(cls, TextEncoderConfig, name_or_folder)

    def save_to_preset(self, folder: str | os.PathLike) -> None:
        """Saves configuration and weights as a folder; see `save_preset`."""
        save_preset(self, folder)

    def layer(self, name: str) -> keras.layers.Layer:
        """Returns the layer of the graph that has this name."""
        return self._layers[name]

    def set_word_starts(self, starts: Sequence[bool]) -> None:
        """Says which tokens begin a word, which patterns between words go by.

        Args:
            starts: One truth value for each token id. A model without such patterns takes no
                notice.

        Raises:
            ValueError: If there are more or fewer values than tokens.
        """
        if self._stack.uses_words:
            self._layers["word_ids"].set_word_starts(starts)

    @property
    def encoder_layers(self) -> list[keras.layers.Layer]:
        """The layers in order of application; shared ones repeat."""
        return [self._layers[name] for name in self._stack.order]

    def call_without_mask(
        self, token_ids: tf.Tensor, token_type_ids: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns what the model gives for texts without padding, at less cost.

        Args:
            token_ids: Integer `[batch, length]`.
            token_type_ids: The same; 0 everywhere by default.
        """
        types = self._types(token_ids, token_type_ids)
        return self._forward(self._layers, token_ids, types, None).outputs

    def forward(
        self,
        token_ids: tf.Tensor,
        token_type_ids: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> EncoderForward:
        """Runs the training graph and keeps what its layers give.

        Args:
            token_ids: Integer `[batch, length]`, padded with `pad_id`.
            token_type_ids: The same shape; 0 everywhere by default.
            training: Whether dropout and the like are active.
        """
        options = {} if training is None else {"training": training}
        types = self._types(token_ids, token_type_ids)
        mask = self._layers["padding_mask"](token_ids)
        return self._forward(self._layers, token_ids, types, mask, **options)

    def _types(self, token_ids, token_type_ids):
        if not self.config.token_types:
            return {}
        types = tf.zeros_like(token_ids) if token_type_ids is None else token_type_ids
        return {"token_type_ids": types}

    def _build(self):
        config = self.config
        inputs = {"token_ids": keras.Input((None,), dtype="int32", name="token_ids")}
        types = {}
        if config.token_types:
            types["token_type_ids"] = keras.Input((None,), dtype="int32", name="token_type_ids")
        layers_by_name = self._stack.make() | make_head(config) | {"embedding": _embedding(config)}
        if self._stack.uses_words:
            layers_by_name["word_ids"] = layers.WordIds(config.vocabulary_size, name="word_ids")
        if config.normalize_first:
            normalization = layers.LayerNormalization(config.epsilon, name="encoder_normalization")
            layers_by_name["encoder_normalization"] = normalization
        if config.pooler:
            layers_by_name["first_token"] = layers.FirstToken(name="first_token")
            layers_by_name["pooler"] = layers.Dense(
                config.hidden_dim, activation="tanh", name="pooler"
            )
        mask = layers.PaddingMask(config.pad_id, name="padding_mask")(inputs["token_ids"])
        outputs = self._forward(layers_by_name, inputs["token_ids"], types, mask).outputs
        return keras.Model(inputs | types, outputs, name="text_encoder")

    def _forward(self, layers_by_name, token_ids, types, mask, **options):
        masked = {} if mask is None else {"padding_mask": mask}
        x = layers_by_name["embedding"](token_ids, **types, **options)
        encoder_states = [x]
        words = {}
        if self._stack.uses_words:
            words["word_ids"] = layers_by_name["word_ids"](token_ids)
        for name in self._stack.order:
            x = layers_by_name[name](x, **masked, **words, **options)
            encoder_states.append(x)
        if self.config.normalize_first:
            x = layers_by_name["encoder_normalization"](x)
        states = {"hidden": x}
        # What no head reads is left out, lest it have weights without gradients.
        if self.config.pooler and (self.config.head is None or _reads_pooler(self.config.head)):
            states["pooled"] = layers_by_name["pooler"](layers_by_name["first_token"](x))
        outputs = apply_head(self.config, layers_by_name, states, mask, **options)
        return EncoderForward(outputs, encoder_states)


def _reads_pooler(head):
    return head.pooling == "pooled" and not head.per_token


def _embedding(config):
    return layers.FactorizedEmbedding(
        config.vocabulary_size,
        hidden_dim=config.hidden_dim,
        embedding_dim=config.embedding_dim,
        tie="none",
        use_bias=True,
        normalize=True,
        positions=layers.LearnedPosition(config.max_length),
        token_types=config.token_types,
        project_first=config.project_first,
        epsilon=config.epsilon,
        dropout=config.dropout,
        embeddings_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        name="embedding",
    )
