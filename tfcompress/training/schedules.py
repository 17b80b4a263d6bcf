"""Learning-rate schedules."""

import math

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.serialization import register


class _WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to the peak, then follows the subclass's `_decay`."""

    def __init__(self, peak: float, warmup_steps: int):
        if peak <= 0:
            raise InputError(f"`peak` must be positive. Received: peak={peak}.")
        if warmup_steps < 1:
            raise InputError(
                f"`warmup_steps` must be at least 1. Received: warmup_steps={warmup_steps}."
            )
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        # Keras asks for the rate of update n with step n - 1.
        step = tf.cast(step, tf.float32) + 1.0
        return self.peak * tf.minimum(step / self.warmup_steps, self._decay(step))

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}


@register
class InverseSquareRoot(_WarmUp):
    """Linear warm-up to `peak`, then decay with the inverse square root of the update.

    Args:
        peak: The highest learning rate, reached at update `warmup_steps`.
        warmup_steps: Length of the warm-up in updates.

    Raises:
        ValueError: If an argument is not positive.

    Example:

    >>> schedule = tfc.training.InverseSquareRoot(peak=0.001, warmup_steps=100)
    >>> round(float(schedule(399)), 6)
    0.0005

    Reference: Vaswani et al., 2017, arXiv:1706.03762.
    """

    def _decay(self, step):
        return tf.math.rsqrt(tf.maximum(step, 1.0) / self.warmup_steps)


@register
class Cosine(_WarmUp):
    """Linear warm-up to `peak`, then half a cosine wave down to `final`.

    Args:
        peak: The highest learning rate, reached at update `warmup_steps`.
        warmup_steps: Length of the warm-up in updates.
        decay_steps: Update at which `final` is reached; the rate stays there afterwards.
        final: The last learning rate.

    Raises:
        ValueError: If `peak` or `warmup_steps` is not positive, `decay_steps` does not come after
            the warm-up, or `final` is negative or above `peak`.

    Example:

    >>> schedule = tfc.training.Cosine(peak=0.001, warmup_steps=10, decay_steps=110)
    >>> round(float(schedule(59)), 6)
    0.0005

    Reference: Loshchilov and Hutter, 2017, arXiv:1608.03983, without restarts.
    """

    def __init__(self, peak: float, warmup_steps: int, decay_steps: int, final: float = 0.0):
        super().__init__(peak, warmup_steps)
        if decay_steps <= warmup_steps:
            raise InputError(
                "`decay_steps` must be greater than `warmup_steps`. "
                f"Received: decay_steps={decay_steps}, warmup_steps={warmup_steps}."
            )
        if not 0.0 <= final <= peak:
            raise InputError(f"`final` must lie in [0, peak]. Received: final={final}.")
        self.decay_steps = decay_steps
        self.final = final

    def _decay(self, step):
        progress = (step - self.warmup_steps) / (self.decay_steps - self.warmup_steps)
        wave = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(progress, 0.0, 1.0)))
        floor = self.final / self.peak
        return floor + (1.0 - floor) * wave

    def get_config(self):
        return {**super().get_config(), "decay_steps": self.decay_steps, "final": self.final}
