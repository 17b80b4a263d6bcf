"""Table look-up that converts to EMBEDDING_LOOKUP."""

import tensorflow as tf


@tf.function(experimental_implements="embedding_matmul")
def _lookup(table, ids):
    return tf.gather(table, ids)


def embedding_lookup(table: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the rows `ids` of `table`.

    Unlike GATHER, the operation that this converts to reads an int8 or int4 table, so that a
    table tied to the output layer is stored once.

    Args:
        table: `[vocabulary_size, width]`.
        ids: Integer `[count]`.

    Returns:
        `[count, width]`.
    """
    rows = _lookup(tf.convert_to_tensor(table), ids)
    rows.set_shape([ids.shape[0], table.shape[1]])
    return rows
