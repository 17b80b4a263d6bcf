"""Text encoders in Python."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcompress.runtime.engine import Engine
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle
from tfcompress.runtime.text_encoder_session import TextEncoderSession
from tfcompress.runtime.text_encoder_tokenizer import load_tokenizer


class TextEncoderEngine(Engine[TextEncoderBundle]):
    """Runs a text encoder in Python; see `Engine`."""

    def _open(self, library, num_threads):
        self._tokenizer: Any = load_tokenizer(self._bundle)
        self._session = TextEncoderSession(self._bundle, num_threads=num_threads)

    def tokenize(self, text: str) -> list[int]:
        """Returns the ids of a text, begin and end included; as in the native runtime."""
        tokenizer = self._tokenizer
        return [tokenizer.start_id, *tokenizer.encode([text])[0], tokenizer.end_id]

    def run(self, ids: Sequence[int], types: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """Encodes ids; as in the native runtime."""
        return self._session.run(ids, types)

    def encode(self, text: str, ids: Sequence[int]) -> dict[str, np.ndarray]:
        """Encodes a text; as in the native runtime."""
        return self._session.run(ids)

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._session.close()
