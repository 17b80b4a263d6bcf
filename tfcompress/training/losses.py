"""Training losses."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.serialization import register


@register
class LabelSmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy against labels mixed with the uniform distribution, a loss for each label.

    With smoothing `e` and vocabulary size `V`, the target distribution gives `1 - e` to the label
    and spreads `e` evenly over all `V` tokens. Positions whose label is `pad_id` do not count, as
    if Keras masked them: the mean is over the others, weighted by `sample_weight`; a batch without
    any label has loss 0.

    Forward and gradient are computed together from one softmax, in float32, which takes less than
    half of the time that the composition of Keras operations takes on a CPU.

    Args:
        label_smoothing: The part `e` in [0, 1) spread over the vocabulary.
        pad_id: Label of positions that do not count; it need not be a token.
        name: Name of the loss.
        **kwargs: Keyword arguments of `keras.losses.Loss`, such as `reduction`.

    Call arguments:
        y_true: Integer labels `[batch, length]`, or of any shape.
        y_pred: Logits of that shape with one more axis of `vocabulary_size`.
        sample_weight: A weight for all, for each example `[batch]`, or for each label.

    Returns:
        What `reduction` says, in nats: by default a scalar, the mean over the labelled positions.

    Raises:
        ValueError: If `label_smoothing` lies outside [0, 1), `dtype` is another than float32, or
            logits and labels do not belong together.

    Example:

    >>> loss = tfc.training.LabelSmoothedCrossentropy(0.1)
    >>> float(loss(np.array([[1, 0]]), np.zeros((1, 2, 4), "float32")))  # log 4
    1.3862943649291992

    Reference: Szegedy et al., 2016, arXiv:1512.00567.
    """

    def __init__(
        self,
        label_smoothing: float = 0.1,
        pad_id: int = 0,
        name: str = "label_smoothed_crossentropy",
        **kwargs,
    ):
        if hasattr(keras, "ops"):
            dtype = kwargs.pop("dtype", None) or "float32"
            if getattr(dtype, "compute_dtype", dtype) != "float32":
                raise ValueError(
                    "This loss computes in float32, which alone holds every label. "
                    f"Received: {dtype=}. Leave it out."
                )
            kwargs["dtype"] = "float32"
        super().__init__(name=name, **kwargs)
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(
                "`label_smoothing` must lie in [0, 1). "
                f"Received: label_smoothing={label_smoothing}."
            )
        self.label_smoothing = label_smoothing
        self.pad_id = pad_id

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            # Keras 3 does not take weights of examples for losses of labels.
            sample_weight = tf.convert_to_tensor(sample_weight)
            rank = len(tf.convert_to_tensor(y_pred).shape) - 1
            while 0 < len(sample_weight.shape) < rank:
                sample_weight = sample_weight[..., tf.newaxis]
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        _check_shapes(y_true, y_pred)
        labels = tf.reshape(tf.cast(y_true, tf.int32), [-1])
        logits = tf.reshape(tf.cast(y_pred, tf.float32), [-1, y_pred.shape[-1]])
        counted = labels != self.pad_id
        losses = _smoothed(logits, tf.where(counted, labels, 0), self.label_smoothing)
        shape = tf.shape(y_pred)[:-1]
        losses = tf.reshape(tf.where(counted, losses, 0.0), shape)
        # Where nothing counts, the mean of zeros takes the place of that of nothing.
        losses._keras_mask = tf.reshape(counted | ~tf.reduce_any(counted), shape)
        return losses

    def mean(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the mean over the labels that count, whatever `reduction` says.

        Args:
            y_true: As in a call.
            y_pred: As in a call.
        """
        losses = self.call(y_true, y_pred)
        counted = tf.reshape(tf.not_equal(y_true, self.pad_id), tf.shape(losses))
        return masked_mean(losses, counted)

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "pad_id": self.pad_id,
        }


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the values whose mask is true, or 0 where there are none.

    Args:
        values: Any numbers.
        mask: Booleans of the same shape.
    """
    weights = tf.cast(mask, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def _check_shapes(y_true, y_pred):
    """Labels may have one more axis of size 1, as Keras gives them."""
    rows = y_pred.shape[:-1]
    if not any(y_true.shape.is_compatible_with(shape) for shape in (rows, [*rows, 1])):
        raise ValueError(
            "Every label needs logits. Received: labels of shape "
            f"{tuple(y_true.shape)} and logits of shape {tuple(y_pred.shape)}. Give logits of the "
            "labels' shape with one more axis."
        )


def _smoothed(logits, labels, smoothing):
    """Returns the loss of each row of `logits`."""
    size = logits.shape[-1]
    index = tf.stack([tf.range(tf.shape(labels)[0]), labels], axis=1)

    @tf.custom_gradient
    def compute(logits):
        probabilities = tf.nn.softmax(logits)
        chosen = tf.gather_nd(logits, index)
        # The label's logit and probability give the log of the normalizer without a second pass;
        # where that probability underflows, the largest entry takes its place.
        largest = tf.reduce_max(logits, axis=-1)
        normalizer = largest - tf.math.log(tf.reduce_max(probabilities, axis=-1))
        loss = normalizer - (1.0 - smoothing) * chosen
        if smoothing:
            loss -= smoothing * tf.reduce_mean(logits, axis=-1)

        def gradient(upstream):
            upstream = upstream[:, tf.newaxis]
            dense = (probabilities - smoothing / size) * upstream
            return tf.tensor_scatter_nd_sub(dense, index, (1.0 - smoothing) * upstream[:, 0])

        return loss, gradient

    return compute(logits)
