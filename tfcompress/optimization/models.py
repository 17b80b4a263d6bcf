"""What tf-model-optimization takes."""

from tensorflow import keras

from tfcompress.errors import InputError


def check_optimizable(model: keras.Model, function: str) -> None:
    """Makes sure that tf-model-optimization can take a model apart.

    Args:
        model: The model.
        function: What it is for, as the user called it.

    Raises:
        InputError: If Keras 3 runs, or the model is neither functional nor sequential, or has no
            weights yet.
    """
    if hasattr(keras, "ops"):
        raise InputError(
            f"{function} needs Keras 2: set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, "
            "and load the same saved model; export quantizes trained models under Keras 3 too"
        )
    if not isinstance(model, keras.Model):
        hint = (
            "; pass its `model`" if isinstance(getattr(model, "model", None), keras.Model) else ""
        )
        raise InputError(f"{function} needs a Keras model (received {type(model).__name__}{hint})")
    if not isinstance(model, keras.Sequential) and not model._is_graph_network:
        raise InputError(
            f"{function} needs a functional or sequential model (received {model.name}, which is "
            "subclassed); build it from keras.Input to keras.Model"
        )
    if not model.built:
        raise InputError(f"{function} needs a built model (received {model.name}); call it once")
