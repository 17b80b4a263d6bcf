"""How layers register themselves and carry their sub-layers in a configuration."""

from tensorflow import keras

register = keras.utils.register_keras_serializable(package="tfcompress")


def pack(layer: keras.layers.Layer | None) -> dict | None:
    """Serializes an injected sub-layer for `get_config`."""
    return None if layer is None else keras.utils.serialize_keras_object(layer)


def unpack(config: dict, *names: str) -> dict:
    """Returns `config` with the sub-layers under `names` rebuilt; for `from_config`."""
    config = dict(config)
    for name in names:
        value = config.get(name)
        if isinstance(value, dict):
            config[name] = keras.utils.deserialize_keras_object(value)
    return config
