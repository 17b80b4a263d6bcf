"""The order of weights, which under Keras 2 depends on what is frozen."""

import contextlib
from collections.abc import Iterator

from tensorflow import keras


@contextlib.contextmanager
def thawed(layer: keras.layers.Layer) -> Iterator[None]:
    """Lists the weights of a layer in the order in which they would be if all of it trained.

    Under Keras 2 the weights of frozen layers inside a layer come after those of the others.

    Args:
        layer: The layer, with any layers in it.
    """
    frozen = [inner for inner in layer._flatten_layers() if not inner._trainable]
    # Not by `trainable`, which changes all layers inside as well.
    for inner in frozen:
        inner._trainable = True
    try:
        yield
    finally:
        for inner in frozen:
            inner._trainable = False
