"""What runs a text encoder: the native runtime where it is built, else Python."""

from collections.abc import Sequence

import numpy as np

from tfcompress.runtime.encoder_bundle import EncoderBundle
from tfcompress.runtime.encoder_native import NativeEncoder
from tfcompress.runtime.encoder_session import EncoderSession
from tfcompress.runtime.encoder_tokenizer import load_tokenizer
from tfcompress.runtime.native_files import wanted_library


class PythonEncoder:
    """Runs a text encoder in Python.

    Args:
        bundle: What `open_encoder_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: As `EncoderSession` does, or the tokenizer cannot be used.
    """

    def __init__(self, bundle: EncoderBundle, *, num_threads: int = 1):
        self._tokenizer = load_tokenizer(bundle)
        self._session = EncoderSession(bundle, num_threads=num_threads)

    def tokenize(self, text: str) -> list[int]:
        """Returns the ids of a text, begin and end included; see `NativeEncoder.tokenize`."""
        tokenizer = self._tokenizer
        return [tokenizer.start_id, *tokenizer.encode([text])[0], tokenizer.end_id]

    def run(self, ids: Sequence[int], types: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """Encodes ids; see `NativeEncoder.run`."""
        return self._session.run(ids, types)

    def encode(self, text: str, ids: Sequence[int]) -> dict[str, np.ndarray]:
        """Encodes a text; see `NativeEncoder.encode`."""
        return self._session.run(ids)

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._session.close()


EncoderEngine = NativeEncoder | PythonEncoder


def open_encoder_engine(
    bundle: EncoderBundle, *, num_threads: int = 1, native: bool | None = None
) -> EncoderEngine:
    """Returns what runs a text encoder.

    Args:
        bundle: What `open_encoder_bundle` returned.
        num_threads: Threads that LiteRT may use.
        native: Whether it is the native runtime; by default, where there is one.

    Raises:
        InputError: The bundle needs custom operations that there are not, or does not load; or the
            native runtime is asked for and not built.
    """
    library = wanted_library(native)
    if library is None:
        return PythonEncoder(bundle, num_threads=num_threads)
    return NativeEncoder(library, bundle, num_threads=num_threads)
