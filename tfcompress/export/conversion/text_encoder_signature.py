"""The signature of an exported text encoder."""

from dataclasses import dataclass

import tensorflow as tf

from tfcompress.export.conversion.saving import save_functions
from tfcompress.export.options import ExportOptions
from tfcompress.models import TextEncoder


@dataclass(frozen=True)
class Output:
    """A result of `encode`.

    Attributes:
        width: Its last extent.
        per_token: Whether it is `[1, S, width]`, rather than `[1, width]`.
    """

    width: int
    per_token: bool


class TextEncoderSignature:
    """The function `encode` of a text encoder.

    It takes `token_ids` `[1, S]` of one text without padding and, with token types,
    `token_type_ids` `[1, S]`. It gives what the encoder's model does: `logits` or `embedding`, or
    without a head `hidden` and `pooled`.

    There is no batch: integer kernels are as fast on one text as on several (in float32 very short
    texts, of about 8 tokens, would gain), and LiteRT plans memory before it runs only where one
    extent is unknown.

    Args:
        encoder: An encoder that computes in float32.
        options: How it is exported.

    Attributes:
        names: Those of the signatures.
        outputs: The results by name.
    """

    names = ("encode",)

    def __init__(self, encoder: TextEncoder, options: ExportOptions):
        self._encoder = encoder
        self._custom_ops = options.operations
        inputs = [tf.zeros([1, 2], tf.int32) for _ in self._inputs()]
        self.outputs = {
            name: Output(value.shape[-1], per_token=value.shape.rank == 3)
            for name, value in self._encode(*inputs).items()
        }

    def save(self, path: str) -> None:
        """Writes a SavedModel with the signature.

        Args:
            path: A new folder.
        """
        functions = {"encode": (self._encode, self._inputs())}
        save_functions(path, self._encoder.model, functions, self._custom_ops)

    def _inputs(self):
        names = ["token_ids"] + ["token_type_ids"] * (self._encoder.config.token_types > 0)
        return [tf.TensorSpec([1, None], tf.int32, name) for name in names]

    def _encode(self, *inputs):
        return self._encoder.call_without_mask(*inputs)
