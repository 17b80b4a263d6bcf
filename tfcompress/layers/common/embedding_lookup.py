"""Table look-up that a bundle has as EMBEDDING_LOOKUP."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer

# TensorFlow's own name of a function that it converts to EMBEDDING_LOOKUP.
LOOK_UP = "embedding_matmul"


def _lookup(table, ids):
    return tf.gather(table, ids)


_marked_lookup = tf.function(_lookup, experimental_implements=LOOK_UP)


def embedding_lookup(layer: Layer, table: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the rows `ids` of a layer's `table`.

    Unlike GATHER, the operation that a bundle has reads an int8 or int4 table, so that a table tied
    to the output layer is stored once. Elsewhere this is GATHER: TensorFlow's own quantization to
    integers does not know how to quantize the other.

    Args:
        layer: Whose table it is.
        table: `[vocabulary_size, width]`.
        ids: Integer `[count]`.

    Returns:
        `[count, width]`.
    """
    look_up = _marked_lookup if layer.computes_with(LOOK_UP) else _lookup
    rows = look_up(tf.convert_to_tensor(table), ids)
    rows.set_shape([ids.shape[0], table.shape[1]])
    return rows
