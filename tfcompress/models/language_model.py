"""The language model: a decoder without an encoder, assembled from layers."""

import os
from typing import NamedTuple

import tensorflow as tf
from tensorflow import keras

from tfcompress.models.decoder_model import DecoderModel, make_layers
from tfcompress.models.embeddings import Embeddings
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.preset_building import load_preset_as
from tfcompress.models.stacks import Stack


class LanguageModelForward(NamedTuple):
    """What the training graph gives.

    Attributes:
        logits: `[batch, length, vocabulary_size]`.
        decoder_states: The embedded text and what each layer gives, `[batch, length, hidden_dim]`
            each.
    """

    logits: tf.Tensor
    decoder_states: list[tf.Tensor]


class LanguageModel(DecoderModel):
    """A Transformer decoder that says how probable each next token of a text is.

    `model` is a plain functional Keras model over this library's layers: train it with
    `model.fit`, transform it with tensorflow-model-optimization. `init_cache` and `step` run the
    same layers one token at a time. The layers have the names of a translation model's decoder, so
    `transfer_weights` gives them the weights of one.

    Args:
        config: What to build.
        model: A functional model with this configuration's layer names, such as a transformed
            copy of another's `model`, to use instead of building one.

    Attributes:
        config: The configuration.
        model: Input `token_ids` (integer, `[batch, length]`, beginning with `bos_id`), output the
            logits of each next token, `[batch, length, vocabulary_size]`. What stands behind a
            position has no effect on it, so padding at the end needs no mask.

    Example:

    >>> config = tfc.models.LanguageModelConfig(vocabulary_size=100, hidden_dim=32)
    >>> model = tfc.models.LanguageModel(config)
    >>> model.model(np.array([[1, 5, 7]])).shape
    TensorShape([1, 3, 100])

    Reference: Baevski and Auli, 2019, arXiv:1809.10853; Mehta et al., 2020, arXiv:1911.12385.
    """

    config: LanguageModelConfig

    def __init__(self, config: LanguageModelConfig, *, model: keras.Model | None = None):
        self.config: LanguageModelConfig = config
        self._embeddings = Embeddings(config)
        self._decoder = Stack(config, "decoder")
        if model is None:
            self._layers = make_layers(config, self._embeddings, self._decoder)
            token_ids = keras.Input((None,), dtype="int32", name="token_ids")
            model = keras.Model(token_ids, self.forward(token_ids).logits, name="language_model")
        self.model: keras.Model = model
        self._layers = {layer.name: layer for layer in self.model.layers}

    @classmethod
    def from_preset(cls, name_or_folder: str | os.PathLike) -> "LanguageModel":
        """Builds a preset with random weights, or loads a saved model.

        Args:
            name_or_folder: As for `load_preset`.

        Raises:
            InputError: As `load_preset` does, and if it is another type of model.
        """
        return load_preset_as(cls, LanguageModelConfig, name_or_folder)

    def forward(self, token_ids: tf.Tensor, training: bool | None = None) -> LanguageModelForward:
        """Runs the training graph and keeps what its layers give.

        Args:
            token_ids: Integer `[batch, length]`, beginning with `bos_id`.
            training: Whether dropout and the like are active.
        """
        options = {} if training is None else {"training": training}
        states = self.run_stack("target", self._decoder, token_ids, options)
        return LanguageModelForward(self.logits(states[-1]), states)

    def init_cache(self, batch_size: int, max_length: int) -> list[dict]:
        """Returns the cache before the first token.

        Args:
            batch_size: Texts side by side.
            max_length: Tokens that the cache has room for.

        Returns:
            For each of `decoder_layers` a tensor for every entry of its `state_spec`.
        """
        return [layer.init_cache(batch_size, max_length) for layer in self.decoder_layers]
