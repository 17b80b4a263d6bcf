"""What all embeddings of tokens have in common."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.tied_output import check_tied_output


class TokenEmbedding(Layer):
    """Base of embeddings that are output layers as well, when called with `reverse=True`.

    Subclasses set `vocabulary_size`, `hidden_dim` and `tie`; their `call` sets `_reverses` and
    takes its ids from `_token_ids`.

    Args:
        mask_zero: Whether id 0 is padding, for which the layers that follow get a mask.
        **kwargs: Keyword arguments of `keras.layers.Layer`.
    """

    def __init__(self, mask_zero: bool, **kwargs):
        # Ids given as floats must not be rounded to half precision.
        super().__init__(autocast=False, **kwargs)
        self.mask_zero = mask_zero
        self._reverses = False

    def check_call(self, inputs, kwargs):
        super().check_call(inputs, kwargs)
        if not hasattr(inputs, "shape"):
            return
        if kwargs.get("reverse"):
            check_tied_output(self.tie, inputs, self.hidden_dim)
        elif _is_floating(inputs) and len(inputs.shape) > 2 and inputs.shape[-1] == self.hidden_dim:
            self._refuse(f"shape={tuple(inputs.shape)}, dtype={tf.as_dtype(inputs.dtype).name}")

    def _token_ids(self, inputs):
        """Integers, also of floats: those of `keras.Input` are unless it is told otherwise."""
        ids = tf.convert_to_tensor(inputs)
        if ids.dtype in (tf.int32, tf.int64):
            return ids
        if ids.dtype.is_floating:
            whole = tf.reduce_all(tf.equal(ids, tf.floor(ids)))
            if not tf.executing_eagerly():
                check = tf.debugging.Assert(whole, [f"{self.name} takes token ids, not fractions"])
                with tf.control_dependencies([check]):
                    return tf.cast(ids, tf.int32)
            if not whole:
                self._refuse(f"fractions, shape={tuple(ids.shape)}, dtype={ids.dtype.name}")
        return tf.cast(ids, tf.int32)

    def _refuse(self, received):
        raise ValueError(
            f"{self._described()} takes integer token ids. Received: {received}. Pass reverse=True "
            "to get logits of hidden vectors."
        )

    def compute_mask(self, inputs, mask=None):
        if self._reverses and _is_floating(inputs):
            return mask
        return inputs != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.hidden_dim)

    def compute_output_spec(self, inputs, reverse=False, **kwargs):
        # What Keras 3 asks for in symbolic calls.
        shape = (*inputs.shape[:-1], self.vocabulary_size) if reverse else None
        shape = shape or self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "mask_zero": self.mask_zero}


def _is_floating(x):
    return tf.as_dtype(x.dtype).is_floating
