"""Linear recurrences over all positions at once."""

import tensorflow as tf


def linear_recurrence(
    decay: tf.Tensor, inputs: tf.Tensor, *, max_length: int | None = None
) -> tf.Tensor:
    """Returns `y[t] = decay[t] * y[t-1] + inputs[t]` with `y[-1] = 0`.

    An associative scan: with every pass each position knows twice as many earlier ones, so that
    there are as many passes as bits in the length. Nothing is divided by a product of decays,
    which may be zero.

    Args:
        decay: `[batch, length, width]`.
        inputs: `[batch, length, width]`.
        max_length: The greatest length. In graphs that do not know the length it takes the place of
            a loop, which the native runtime does not run.

    Raises:
        InvalidArgumentError: If the length exceeds it, when the graph runs.
    """
    shape = inputs.shape
    length = tf.shape(inputs)[1] if shape[1] is None else shape[1]
    places = tf.range(length)

    # Its shape does not depend on `reach`, as LiteRT needs in a loop.
    def earlier(values, reach):
        moved = tf.gather(values, tf.maximum(places - reach, 0), axis=1)
        return tf.where((places >= reach)[:, tf.newaxis], moved, tf.zeros([], moved.dtype))

    def double(reach, decay, sums):
        sums += decay * earlier(sums, reach)
        decay *= earlier(decay, reach)
        decay.set_shape(shape)
        sums.set_shape(shape)
        return 2 * reach, decay, sums

    state = 1, decay, inputs
    bound = max_length if shape[1] is None else shape[1]
    if bound is None:
        return tf.while_loop(lambda reach, *_: reach < length, double, state)[-1]
    if shape[1] is None:
        within = tf.debugging.assert_less_equal(
            length, bound, "The sequence must not be longer than `max_length`."
        )
        with tf.control_dependencies([within]):
            state = 1, decay, tf.identity(inputs)
    while state[0] < bound:
        state = double(*state)
    return state[-1]
