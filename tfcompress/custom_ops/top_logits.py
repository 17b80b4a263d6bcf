"""The output layer, and the best of its tokens."""

import tensorflow as tf

from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import linear
from tfcompress.custom_ops.names import TOP_LOGITS


def top_logits(x, table, bias, shortlist, shortlist_size, width, *, pad_id, bos_id, eos_id):
    """Finds the likeliest tokens.

    Args:
        x: `[batch, width]`.
        table: `[vocabulary_size, width]`.
        bias: `[vocabulary_size]`.
        shortlist: int32 `[lists, vocabulary_size]`, the tokens to choose from, in front, in order.
            There are as many rows for each list, which stand together.
        shortlist_size: int32 `[lists]`, their number; 0 for all tokens.
        width: int32 `[count]`; its length is the number of tokens to give.
        pad_id: The padding token, which is given only where all tokens are.
        bos_id: The first token, which is given only where all tokens are.
        eos_id: The last token.

    Returns:
        The logits `[batch, count]` of the best tokens, best first, and the tokens; the logarithm
        `[batch, 1]` of the sum of the exponentials of the logits of all that there are to choose
        from, which kernels leave out for a `count` of 1; and the logit `[batch, 1]` of `eos_id`.
    """

    def body(x, table, bias, shortlist, shortlist_size, width):
        vocabulary_size, count = table.shape[0], tf.shape(width)[0]
        logits = linear(x, table, bias)
        tokens = tf.range(vocabulary_size)
        sizes = shortlist_size[:, tf.newaxis]
        listed = tf.where(tokens < sizes, shortlist, -1)
        is_listed = tf.reduce_any(tokens[:, tf.newaxis] == listed[:, tf.newaxis], axis=2)
        is_candidate = (is_listed | (sizes == 0))[:, tf.newaxis]
        by_list = tf.reshape(logits, [tf.shape(shortlist)[0], -1, vocabulary_size])
        logits = tf.where(is_candidate, by_list, -float("inf"))
        logits = tf.reshape(logits, [-1, vocabulary_size])
        total = tf.reduce_logsumexp(logits, axis=1, keepdims=True)
        is_possible = ((tokens != pad_id) & (tokens != bos_id)) | (count == vocabulary_size)
        values, ids = tf.math.top_k(tf.where(is_possible, logits, -float("inf")), count)
        ids = tf.where(tf.math.is_finite(values), ids, -1)
        return values, ids, total, logits[:, eos_id : eos_id + 1]

    operands = [x, table, bias, shortlist, shortlist_size, width]
    return emit(TOP_LOGITS, body, operands, [pad_id, bos_id, eos_id])
