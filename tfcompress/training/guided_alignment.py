"""Guided alignment: cross-attention learns which source tokens are translated."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import MultiHeadAttention
from tfcompress.layers.common.nested import named_layers
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.alignment import alignment_attention, alignment_of
from tfcompress.training.losses import masked_mean

_EPSILON = 1e-6


class GuidedAlignment:
    """Adds a loss on cross-attention to an objective.

    The loss is the cross-entropy between the alignment of each target token and what the last
    decoder layer attends to, with the head `alignment_head` of the model's configuration or with
    all in the mean. It is averaged over all target tokens; those that are aligned with none have
    none. A model that learns it tells by its attention which source words it translates, which is
    what bundles with alignments give.

    Args:
        objective: What to minimize beside, a function of inputs and labels.
        transformer: The model.
        weight: Weight of the loss.
        model: The graph in training, where it is a copy of the model's, such as `quantize_aware`
            makes.

    Attributes:
        helpers: Those of the objective.

    Raises:
        InputError: If the weight is not positive, or the decoder has no attention to the source, or
            one that is left out at random in training.

    Example:

    >>> from tfcompress.training.accumulation import AccumulatingModel, crossentropy
    >>> loss = tfc.training.LabelSmoothedCrossentropy(0.1)
    >>> model = transformer.model
    >>> guided = tfc.training.GuidedAlignment(crossentropy(model, loss), transformer, weight=0.1)
    >>> model = AccumulatingModel(model, guided)

    Reference: Chen et al., 2016, arXiv:1607.01628; in this form Marian's `guided-alignment` has it.
    """

    def __init__(
        self,
        objective: Callable[[dict, tf.Tensor], tf.Tensor],
        transformer: Seq2SeqTransformer,
        *,
        weight: float = 0.1,
        model: keras.Model | None = None,
    ):
        if not weight > 0:
            raise InputError(f"`weight` must be positive. Received: weight={weight}.")
        decoder = transformer.config.decoder
        if decoder.drops_layers or decoder.successors is not None:
            raise InputError(
                "Guided alignment needs a last decoder layer that always runs. Received: a decoder "
                "with `layer_drop` or `successors`. Train without, or without guided alignment."
            )
        self._objective = objective
        self._attention: Any = alignment_attention(transformer)
        if model is not None:
            # Wrappers around it have other names.
            layers = named_layers(model, MultiHeadAttention).values()
            self._attention = next(x for x in layers if x.name == self._attention.name)
        self._head = transformer.config.alignment_head
        self._pad_id = transformer.config.pad_id
        self._weight = weight
        self.helpers: Any = getattr(objective, "helpers", ())

    def __call__(self, inputs: Mapping[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        """Returns the objective on a batch.

        Args:
            inputs: What `make_batch` gives with `alignment=True`.
            labels: Integer `[batch, target_length]`.
        """
        inputs = dict(inputs)
        alignment = inputs.pop("alignment")
        with self._attention.recording("probabilities") as recorded:
            total = self._objective(inputs, labels)
        # Of a layer that several places share, the last one's.
        attended = tf.cast(alignment_of(recorded[-1], self._head), tf.float32)
        losses = -tf.reduce_sum(alignment * tf.math.log(attended + _EPSILON), axis=-1)
        return total + self._weight * masked_mean(losses, labels != self._pad_id)
