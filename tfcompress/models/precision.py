"""A float32 twin of a model that was trained in mixed precision."""

import contextlib
from typing import Any, TypeVar

from tensorflow import keras

from tfcompress.layers.common.nested import named_layers
from tfcompress.models.copying import copy_weights
from tfcompress.models.language_model import LanguageModel
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.text_encoder import TextEncoder

Model = TypeVar("Model", Seq2SeqTransformer, TextEncoder, LanguageModel)


def to_float32(transformer: Model) -> Model:
    """Returns the same model with all computation in float32.

    Incremental decoding and conversion work in float32; a model trained under `mixed_float16` or
    `mixed_bfloat16` has float32 variables, so nothing is lost.

    Args:
        transformer: A model; returned as it is where it computes in float32 already.

    Returns:
        A model of the same class with copies of the weights.

    Example:

    >>> transformer = to_float32(trained_in_mixed_precision)
    """
    twin = float32_twin(transformer.model)
    if twin is transformer.model:
        return transformer
    model_class: Any = type(transformer)
    return model_class(transformer.config, model=twin)


def float32_twin(model: keras.Model) -> keras.Model:
    """Returns the same model with all computation in float32.

    Args:
        model: A functional or sequential model; any other, and one that computes in float32
            already, is returned as it is.
    """
    cloneable = isinstance(model, keras.Sequential) or type(model).__name__ == "Functional"
    if not cloneable or half_layer(model) is None:
        return model
    with _global_policy("float32"):
        twin = type(model).from_config(_float32_config(model.get_config()))
        if not twin.built:
            twin.build(model.input_shape)
    copy_weights(model, twin)
    return twin


def half_layer(model: keras.Model) -> str | None:
    """Returns the path of a layer that computes in half precision; None where there is none.

    Functional and sequential models compute nothing of their own, nor do inputs: what they hold
    counts.

    Args:
        model: The model.
    """
    for path, layer in named_layers(model, keras.layers.Layer).items():
        half = getattr(layer, "compute_dtype", None) in ("float16", "bfloat16")
        if half and not _computes_nothing(layer):
            return path
    return None


def _computes_nothing(layer):
    if isinstance(layer, keras.Sequential | keras.layers.InputLayer):
        return True
    # Neither Keras exports the class of functional models.
    functional = [cls for cls in type(layer).__mro__ if cls.__name__ == "Functional"]
    return bool(functional) and type(layer).call is functional[0].call


@contextlib.contextmanager
def _global_policy(name):
    former = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(former)


def _float32_config(config):
    """Replaces every data type policy in a nested layer configuration."""
    if isinstance(config, (list, tuple)):
        return type(config)(map(_float32_config, config))
    if not isinstance(config, dict):
        return config
    return {
        key: "float32" if key == "dtype" and _is_policy(value) else _float32_config(value)
        for key, value in config.items()
    }


def _is_policy(value):
    """Whether it is a policy, by itself or by name, rather than the data type of an input."""
    return isinstance(value, dict) or str(value).startswith("mixed_")
