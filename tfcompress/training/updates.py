"""How far training has come."""

from tensorflow import keras

from tfcompress.errors import InputError


def finished_updates(model: keras.Model) -> int:
    """Returns the number of updates that the model's optimizer has made, earlier runs included.

    Raises:
        ValueError: If the model has no optimizer.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise InputError(
            "A schedule over updates needs the model's optimizer. Received: a model that is not "
            "compiled. Call `compile` with an optimizer first."
        )
    return int(optimizer.iterations.numpy())
