"""The signature of a text encoder, with its buffers."""

from collections.abc import Sequence

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.buffers import HostBuffer
from tfcompress.runtime.litert_model import Recent, Signature, load_model
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle

_KEPT_LENGTHS = 8


class TextEncoderSession:
    """Runs a text encoder's model on one text at a time.

    Not safe for use by several threads at once.

    Args:
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: The model needs custom operations, does not load, or is not the one that the
            manifest describes.

    Example:

    >>> session = TextEncoderSession(tfc.runtime.open_bundle("sentiment"))
    >>> session.run([2, 5, 3])["logits"].shape
    (2,)
    """

    def __init__(self, bundle: TextEncoderBundle, *, num_threads: int = 1):
        self._bundle = bundle
        self._names = ["token_ids"] + ["token_type_ids"] * (bundle.token_types > 0)
        model = load_model(bundle, num_threads, first_input=("encode", "token_ids"))
        self._signature = Signature(model, bundle, "encode", self._names, bundle.outputs)
        self._buffers = Recent(_KEPT_LENGTHS)

    def run(self, ids: Sequence[int], types: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """Encodes a text.

        Args:
            ids: Its ids, begin and end marks included.
            types: Its token types; 0 by default.

        Returns:
            The results by name: `[width]`, or `[len(ids), width]`.
        """
        length = len(ids)
        for name in self._names:
            self._signature.resize(name, (1, length))
        buffers = self._buffers.get_or_make(length, lambda: self._new_buffers(length))
        inputs, outputs = buffers
        inputs["token_ids"].array[0] = ids
        if "token_type_ids" in inputs:
            inputs["token_type_ids"].array[0] = 0 if types is None else types
        for buffer in inputs.values():
            buffer.upload()
        self._signature.bind(
            {name: buffer.tensor for name, buffer in inputs.items()},
            {name: buffer.tensor for name, buffer in outputs.items()},
        )
        self._signature.run()
        for buffer in outputs.values():
            buffer.download()
        return {name: buffer.array[0].copy() for name, buffer in outputs.items()}

    def close(self) -> None:
        """Frees the model and its buffers; the session cannot be used any more."""
        del self._buffers, self._signature

    def _new_buffers(self, length):
        inputs = {
            name: HostBuffer(self._signature.new_input(name), (1, length), np.int32)
            for name in self._names
        }
        outputs = {}
        for name, output in self._bundle.outputs.items():
            shape = (1, length, output.width) if output.per_token else (1, output.width)
            tensor = self._signature.new_output(name)
            details = tensor.get_tensor_details()
            dtype, actual = details["dtype"], tuple(details["shape"])
            if (dtype, actual) != ("float32", shape):
                raise InputError(
                    f"The model is unlike its manifest. Received: {self._bundle.model}, whose "
                    f"{name!r} is {dtype} {actual} instead of float32 {shape}. Export or copy the "
                    "bundle again."
                )
            outputs[name] = HostBuffer(tensor, shape, np.float32)
        return inputs, outputs
