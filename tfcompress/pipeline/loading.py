"""Loading TensorFlow for a command."""

from tfcompress.runtime.quiet import quiet_stderr


def load_tensorflow() -> None:
    """Imports TensorFlow without the lines that it logs while it loads."""
    with quiet_stderr():
        import tensorflow

        tensorflow.keras.layers  # noqa: B018 (Keras loads with its first attribute)
