"""Linear recurrences over all positions at once."""

import tensorflow as tf


def linear_recurrence(decay: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
    """Returns `y[t] = decay[t] * y[t-1] + inputs[t]` with `y[-1] = 0`.

    An associative scan: with every pass each position knows twice as many earlier ones, so that
    there are as many passes as bits in the length. Nothing is divided by a product of decays,
    which may be zero.

    Args:
        decay: `[batch, length, width]`.
        inputs: `[batch, length, width]`.
    """
    shape = inputs.shape
    length = tf.shape(inputs)[1] if shape[1] is None else shape[1]

    def earlier(values, reach):
        return tf.pad(values, [[0, 0], [reach, 0], [0, 0]])[:, :length]

    def double(reach, decay, sums):
        sums += decay * earlier(sums, reach)
        decay *= earlier(decay, reach)
        decay.set_shape(shape)
        sums.set_shape(shape)
        return 2 * reach, decay, sums

    state = 1, decay, inputs
    if shape[1] is None:
        return tf.while_loop(lambda reach, *_: reach < length, double, state)[-1]
    while state[0] < length:
        state = double(*state)
    return state[-1]
