"""What models with a decoder have in common: their layers, and decoding step by step."""

import os
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress import layers
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.embeddings import Embeddings
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.preset_folder import save_preset
from tfcompress.models.stacks import Stack


class DecoderModel:
    """A model that gives tokens one after another, each from those before.

    Subclasses set the attributes and what their layers are.

    Attributes:
        config: The configuration.
        model: The training graph.
    """

    config: Seq2SeqConfig | LanguageModelConfig
    model: keras.Model
    _layers: dict[str, keras.layers.Layer]
    _embeddings: Embeddings
    _decoder: Stack

    def save_to_preset(self, folder: str | os.PathLike) -> None:
        """Saves configuration and weights as a folder; see `save_preset`."""
        transformer: Any = self
        save_preset(transformer, folder)

    def layer(self, name: str) -> keras.layers.Layer:
        """Returns the layer of the training graph that has this name."""
        return self._layers[name]

    def table_name(self, side: str) -> str:
        """Returns the name of the layer that looks up the tokens of "source" or "target"."""
        return self._embeddings.tables[side]

    @property
    def decoder_layers(self) -> list[keras.layers.Layer]:
        """The decoder's layers in order of application; shared ones repeat."""
        return [self._layers[name] for name in self._decoder.order]

    def run_stack(
        self, side: str, stack: Stack, token_ids: tf.Tensor, options: dict[str, Any], **inputs: Any
    ) -> list[tf.Tensor]:
        """Embeds whole sequences and runs the layers of a stack on them.

        Args:
            side: Whose tokens they are, "source" or "target".
            stack: Which layers.
            token_ids: Integer `[batch, length]`.
            options: `training`, where the caller knows it.
            **inputs: What else each layer takes.

        Returns:
            The embedded tokens and what each layer gives, `[batch, length, hidden_dim]` each.
        """
        x = self._embeddings.embed(self._layers, side, token_ids, **options)
        x = self._layers[f"{side}_dropout"](self._layers[f"{side}_position"](x), **options)
        states = [x]
        for name in stack.order:
            states.append(self._layers[name](states[-1], **inputs, **options))
        return states

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


def make_layers(
    config: Seq2SeqConfig | LanguageModelConfig, *parts: Embeddings | Stack
) -> dict[str, keras.layers.Layer]:
    """Returns new layers by name.

    Args:
        config: The model.
        *parts: What makes its embeddings and its stacks.
    """
    layers_by_name = {}
    for side in config.vocabulary_sizes:
        layers_by_name[f"{side}_position"] = _position(
            config, f"{side}_position", getattr(config, f"max_{side}_length")
        )
        layers_by_name[f"{side}_dropout"] = layers.Dropout(config.dropout, name=f"{side}_dropout")
    for part in parts:
        layers_by_name |= part.make()
    for side in ("encoder", "decoder"):
        if config.normalize_first and hasattr(config, side):
            name = f"{side}_normalization"
            layers_by_name[name] = layers.LayerNormalization(config.epsilon, name=name)
    return layers_by_name


def _position(config, name, max_length):
    if config.positions == "learned":
        return layers.LearnedPosition(max_length, name=name)
    formula = "paper" if config.positions == "paper_sinusoidal" else "tensor2tensor"
    return layers.SinusoidalPosition(formula, first_position=config.first_position, name=name)
