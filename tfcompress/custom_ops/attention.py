"""Attention of one position over the rows of a cache that are filled, and over a memory."""

import tensorflow as tf

from tfcompress.constants import MASKED
from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import attend
from tfcompress.custom_ops.names import CACHED_ATTENTION, MEMORY_ATTENTION


def cached_attention(query, key, value, keys, values, position):
    """Appends a key and a value to a cache and attends over its filled rows.

    Args:
        query: `[batch, num_heads * head_dim]`.
        key: The same.
        value: The same.
        keys: `[batch, num_heads, max_length, head_dim]`.
        values: The same.
        position: int32 `[1]`, or `[batch]` in a whole decoder: the number of filled rows.

    Returns:
        The context `[batch, num_heads * head_dim]` and the new keys and values. On the device these
        are the same memory where input and output are, and its cost follows `position`.
    """
    num_heads = keys.shape[1]
    return emit(
        CACHED_ATTENTION, attend_cache, [query, key, value, keys, values, position], [num_heads]
    )


def attend_cache(query, key, value, keys, values, position):
    """The body of `cached_attention`."""
    heads, head_dim = keys.shape[1], keys.shape[3]
    shape = [-1, heads, 1, head_dim]
    # [1 or batch, 1, length, 1].
    rows = tf.range(tf.shape(keys)[2])[tf.newaxis, tf.newaxis, :, tf.newaxis]
    at = tf.reshape(position, [-1, 1, 1, 1])
    is_new, is_later = rows == at, tf.transpose(rows > at, [0, 1, 3, 2])
    new_keys = tf.where(is_new, tf.reshape(key, shape), keys)
    new_values = tf.where(is_new, tf.reshape(value, shape), values)
    mask = tf.where(is_later, MASKED, 0.0)
    context = attend(tf.reshape(query, shape), new_keys, new_values, mask)
    context = tf.reshape(context, [-1, heads * head_dim])
    # Of batch 1 or any: the comparison lost that.
    new_keys.set_shape(keys.shape)
    new_values.set_shape(values.shape)
    return context, new_keys, new_values


def memory_attention(query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Attends over the memories of sentences.

    Args:
        query: `[batch, num_heads * head_dim]`, as many rows of each sentence, which stand together.
        keys: `[sentences, num_heads, length, head_dim]`.
        values: The same.

    Returns:
        `[batch, num_heads * head_dim]`.
    """
    return emit(MEMORY_ATTENTION, attend_memory, [query, keys, values], [keys.shape[1]])


def attend_memory(query, keys, values, lengths=None):
    """The body of `memory_attention`; with lengths `[sentences]`, of memories that are padded."""
    heads, head_dim = keys.shape[1], keys.shape[3]
    sentences = tf.shape(keys)[0]
    query = tf.reshape(query, [sentences, -1, heads, head_dim])
    mask = None
    if lengths is not None:
        is_padding = tf.range(tf.shape(keys)[2]) >= lengths[:, tf.newaxis]
        mask = tf.where(is_padding, MASKED, 0.0)[:, tf.newaxis, tf.newaxis]
    context = attend(tf.transpose(query, [0, 2, 1, 3]), keys, values, mask)
    return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, heads * head_dim])
