"""The encoder-decoder Transformer, assembled from layers."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.embeddings import Embeddings
from tfcompress.models.preset_building import load_preset_as
from tfcompress.models.preset_folder import save_preset
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


class Seq2SeqTransformer:
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

    def save_to_preset(self, folder: str | os.PathLike) -> None:
        """Saves configuration and weights as a folder; see `save_preset`."""
        save_preset(self, folder)

    def layer(self, name: str) -> keras.layers.Layer:
        """Returns the layer of the training graph that has this name."""
        return self._layers[name]

    def table_name(self, side: str) -> str:
        """Returns the name of the layer that looks up the tokens of "source" or "target"."""
        return self._embeddings.tables[side]

    @property
    def encoder_layers(self) -> list[keras.layers.Layer]:
        """The encoder's layers in order of application; shared ones repeat."""
        return [self._layers[name] for name in self._encoder.plan]

    @property
    def decoder_layers(self) -> list[keras.layers.Layer]:
        """The decoder's layers in order of application; shared ones repeat."""
        return [self._layers[name] for name in self._decoder.plan]

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
        """Runs the encoder with a given mask; None where there is no padding."""
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
        made, config = self._layers, self.config
        mask = made["source_padding_mask"](source_token_ids)

        def through(x, side, names, **kwargs):
            x = made[f"{side}_dropout"](made[f"{side}_position"](x), **options)
            states = [x]
            for name in names:
                x = made[name](x, **kwargs, **options)
                states.append(x)
            return x, states

        x = self._embeddings.embed(made, "source", source_token_ids, **options)
        words = self._words(source_token_ids)
        x, encoder_states = through(x, "source", self._encoder.plan, padding_mask=mask, **words)
        if config.normalize_first:
            x = made["encoder_normalization"](x)
        memory = x
        x = self._embeddings.embed(made, "target", target_token_ids, **options)
        x, decoder_states = through(
            x, "target", self._decoder.plan, memory=memory, memory_padding_mask=mask
        )
        if config.normalize_first:
            x = made["decoder_normalization"](x)
        return Forward(self._embeddings.logits(made, x), encoder_states, decoder_states)

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

    def step(
        self,
        token_ids: tf.Tensor,
        position: tf.Tensor | int,
        cache: list[dict],
        mask: tf.Tensor | None = None,
        memory_padding_mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, list[dict]]:
        """Decodes one position.

        Args:
            token_ids: Integer `[batch]`, the tokens at this position (`bos_id` at the first).
            position: Integer scalar.
            cache: What `init_cache` or the step before returned.
            mask: Additive mask over the cache, `[1, 1, 1, max_length]`;
                computed from `position` by default.
            memory_padding_mask: The mask that `encode` returned.

        Returns:
            The logits of the next token `[batch, vocabulary_size]`, and the new cache.
        """
        x, cache = self.hidden_step(token_ids, position, cache, mask, memory_padding_mask)
        return self.logits(x), cache

    def hidden_step(
        self,
        token_ids: tf.Tensor,
        position: tf.Tensor | int,
        cache: list[dict],
        mask: tf.Tensor | None = None,
        memory_padding_mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, list[dict]]:
        """Decodes one position up to what the last layer gives, `[batch, hidden_dim]`; see `step`.

        Args:
            token_ids: As for `step`, like all that follows.
            position: The position.
            cache: The state so far.
            mask: The mask over the cache.
            memory_padding_mask: The memory's mask.
        """
        x = self.embed_step(token_ids, position)
        new_cache = []
        for layer, layer_cache in zip(self.decoder_layers, cache):
            x, layer_cache = layer.step(
                x, position, layer_cache, mask=mask, memory_padding_mask=memory_padding_mask
            )
            new_cache.append(layer_cache)
        return x, new_cache

    def embed_step(self, token_ids: tf.Tensor, position: tf.Tensor | int) -> tf.Tensor:
        """Returns the input of the first decoder layer at one position, `[batch, hidden_dim]`.

        Args:
            token_ids: As for `step`.
            position: As for `step`.
        """
        x = self._embeddings.embed_step(self._layers, token_ids, position)
        return self._layers["target_position"].step(x, position)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the logits `[batch, vocabulary_size]` for what the last decoder layer gave.

        Args:
            x: `[batch, hidden_dim]`.
        """
        return self._embeddings.logits(self._layers, self._normalized(x))

    def output_operands(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor] | None:
        """Returns what the logits are a product of, if they are one: vectors, table and bias.

        Args:
            x: As for `logits`.
        """
        return self._embeddings.output_operands(self._layers, self._normalized(x))

    def _normalized(self, x):
        return self._layers["decoder_normalization"](x) if self.config.normalize_first else x


def _make_layers(config: Seq2SeqConfig, *parts) -> dict[str, keras.layers.Layer]:
    made = {
        "source_padding_mask": layers.PaddingMask(config.pad_id, name="source_padding_mask"),
        "source_position": _position(config, "source_position", config.max_source_length),
        "target_position": _position(config, "target_position", config.max_target_length),
        "source_dropout": layers.Dropout(config.dropout, name="source_dropout"),
        "target_dropout": layers.Dropout(config.dropout, name="target_dropout"),
    }
    for part in parts:
        made |= part.make()
    if config.encoder.attention.words:
        size = config.source_vocabulary_size
        made["source_word_ids"] = layers.WordIds(size, name="source_word_ids")
    if config.normalize_first:
        for name in ("encoder_normalization", "decoder_normalization"):
            made[name] = layers.LayerNormalization(config.epsilon, name=name)
    return made


def _position(config, name, max_length):
    if config.positions == "learned":
        return layers.LearnedPosition(max_length, name=name)
    formula = "paper" if config.positions == "paper_sinusoidal" else "tensor2tensor"
    return layers.SinusoidalPosition(formula, name=name)
