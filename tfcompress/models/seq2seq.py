"""The encoder-decoder Transformer, assembled from layers."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.decoder_model import DecoderModel, make_layers
from tfcompress.models.embeddings import Embeddings
from tfcompress.models.preset_building import load_preset_as
from tfcompress.models.stacks import Stack


class Forward(NamedTuple):
    """What the training graph gives.

    Attributes:
        logits: `[batch, target_length, vocabulary_size]`.
        encoder_states: The encoder's input and what each of its layers gives.
        decoder_states: The decoder's input and what each of its layers gives.
    """

    logits: tf.Tensor
    encoder_states: list[tf.Tensor]
    decoder_states: list[tf.Tensor]


class Seq2SeqTransformer(DecoderModel):
    """An encoder-decoder Transformer with a training graph and incremental decoding.

    `model` is a plain functional Keras model over this library's layers: train it with
    `model.fit`, transform it with tensorflow-model-optimization. `encode`, `init_cache` and `step`
    run the same layers one target token at a time.

    Args:
        config: What to build.
        model: A functional model with this configuration's layer names, such as a transformed
            copy of another's `model`, to use instead of building one.

    Attributes:
        config: The configuration.
        model: Inputs `source_token_ids` and `target_token_ids` (integer, `[batch, length]`; the
            target begins with `bos_id`), output logits `[batch, target_length, vocabulary_size]`.

    Example:

    >>> config = tfc.models.Seq2SeqConfig(source_vocabulary_size=100, hidden_dim=32)
    >>> transformer = tfc.models.Seq2SeqTransformer(config)
    >>> ids = np.array([[5, 7, 2]])
    >>> transformer.model({"source_token_ids": ids, "target_token_ids": ids}).shape
    TensorShape([1, 3, 100])
    """

    config: Seq2SeqConfig

    def __init__(self, config: Seq2SeqConfig, *, model: keras.Model | None = None):
        self.config = config
        self._embeddings = Embeddings(config)
        self._encoder = Stack(config, "encoder")
        self._decoder = Stack(config, "decoder")
        if model is None:
            self._layers = _make_layers(config, self._embeddings, self._encoder, self._decoder)
            inputs = [
                keras.Input((None,), dtype="int32", name=f"{side}_token_ids")
                for side in ("source", "target")
            ]
            model = keras.Model(inputs, self.forward(*inputs).logits, name="seq2seq_transformer")
        self.model: keras.Model = model
        self._layers = {layer.name: layer for layer in self.model.layers}

    @classmethod
    def from_preset(cls, name_or_folder: str | os.PathLike) -> "Seq2SeqTransformer":
        """Builds a preset with random weights, or loads a saved model.

        Args:
            name_or_folder: As for `load_preset`.

        Raises:
            InputError: As `load_preset` does, and if it is a text encoder.
        """
        return load_preset_as(cls, Seq2SeqConfig, name_or_folder)

    @property
    def encoder_layers(self) -> list[keras.layers.Layer]:
        """The encoder's layers in order of application; shared ones repeat."""
        return [self._layers[name] for name in self._encoder.order]

    def encode(self, source_token_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs the encoder.

        Args:
            source_token_ids: Integer `[batch, source_length]`, padded with `pad_id`.

        Returns:
            The memory `[batch, source_length, hidden_dim]` and its additive padding mask.
        """
        mask = self._layers["source_padding_mask"](source_token_ids)
        return self.encode_with_mask(source_token_ids, mask), mask

    def encode_with_mask(
        self, source_token_ids: tf.Tensor, padding_mask: tf.Tensor | None
    ) -> tf.Tensor:
        """Runs the encoder with a mask; None where there is no padding."""
        x = self._embeddings.embed(self._layers, "source", source_token_ids)
        x = self._layers["source_position"](x)
        words = self._words(source_token_ids)
        for layer in self.encoder_layers:
            x = layer(x, padding_mask=padding_mask, **words)
        return self._layers["encoder_normalization"](x) if self.config.normalize_first else x

    def forward(
        self,
        source_token_ids: tf.Tensor,
        target_token_ids: tf.Tensor,
        training: bool | None = None,
    ) -> Forward:
        """Runs the training graph and keeps what its layers give.

        Args:
            source_token_ids: Integer `[batch, source_length]`, padded with `pad_id`.
            target_token_ids: Integer `[batch, target_length]`, beginning with `bos_id`.
            training: Whether dropout and the like are active.

        Returns:
            Logits and hidden states; the logits are those of `model`.
        """
        options = {} if training is None else {"training": training}
        mask = self._layers["source_padding_mask"](source_token_ids)
        words = self._words(source_token_ids)
        encoder_states = self.run_stack(
            "source", self._encoder, source_token_ids, options, padding_mask=mask, **words
        )
        memory = encoder_states[-1]
        if self.config.normalize_first:
            memory = self._layers["encoder_normalization"](memory)
        decoder_states = self.run_stack(
            "target",
            self._decoder,
            target_token_ids,
            options,
            memory=memory,
            memory_padding_mask=mask,
        )
        return Forward(self.logits(decoder_states[-1]), encoder_states, decoder_states)

    def _words(self, ids):
        """What the encoder's layers are told about words."""
        if not self._encoder.uses_words:
            return {}
        return {"word_ids": self._layers["source_word_ids"](ids)}

    def set_word_starts(self, starts: Sequence[bool]) -> None:
        """Says which source tokens begin a word, which patterns between words go by.

        Args:
            starts: One truth value for each source token id, such as `Tokenizer.word_starts`. A
                model without such patterns takes no notice.

        Raises:
            ValueError: If there are more or fewer values than source tokens.
        """
        if self._encoder.uses_words:
            self._layers["source_word_ids"].set_word_starts(starts)

    def init_cache(self, memory: tf.Tensor, max_length: int) -> list[dict]:
        """Returns the decoder's cache before the first token.

        Args:
            memory: What `encode` returned.
            max_length: Tokens that the cache has room for.

        Returns:
            For each of `decoder_layers` a tensor for every entry of its `state_spec`.
        """
        batch_size = tf.shape(memory)[0]
        return [layer.init_cache(batch_size, max_length, memory) for layer in self.decoder_layers]


def _make_layers(config: Seq2SeqConfig, *parts) -> dict[str, keras.layers.Layer]:
    layers_by_name = make_layers(config, *parts)
    layers_by_name["source_padding_mask"] = layers.PaddingMask(
        config.pad_id, name="source_padding_mask"
    )
    if config.encoder.attention.words:
        size = config.source_vocabulary_size
        layers_by_name["source_word_ids"] = layers.WordIds(size, name="source_word_ids")
    return layers_by_name
