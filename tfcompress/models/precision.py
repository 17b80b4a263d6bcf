"""A float32 twin of a model that was trained in mixed precision."""

from tensorflow import keras

from tfcompress.models.seq2seq import Seq2SeqTransformer


def to_float32(transformer: Seq2SeqTransformer) -> Seq2SeqTransformer:
    """Returns the same model with all computation in float32.

    Incremental decoding and conversion work in float32; a model trained under `mixed_float16` or
    `mixed_bfloat16` has float32 variables, so nothing is lost.

    Args:
        transformer: Any; returned as it is where it computes in float32 already.

    Returns:
        A transformer with copies of the weights.

    Example:

    >>> transformer = to_float32(trained_in_mixed_precision)
    """
    model = transformer.model
    if not any(layer.compute_dtype in ("float16", "bfloat16") for layer in model.layers):
        return transformer
    twin = keras.Model.from_config(_float32_config(model.get_config()))
    twin.set_weights(model.get_weights())
    return Seq2SeqTransformer(transformer.config, twin)


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
