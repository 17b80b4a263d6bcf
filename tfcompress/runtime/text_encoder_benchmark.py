"""What is measured of a text encoder."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.measuring import rounded
from tfcompress.runtime.text_model import TextModel

LENGTHS = (8, 32, 128)
# A length is timed for so long, and so often at least.
_SECONDS, _LEAST_RUNS = 0.5, 10


class TextEncoderBenchmark:
    """Encodes texts, from the text to the result.

    Args:
        beam_size: 1, as there is no beam.
    """

    model_class = TextModel

    def __init__(self, beam_size: int):
        if beam_size != 1:
            raise InputError(
                f"A text encoder has no beam. Received: beam_size={beam_size}. Leave it out."
            )

    def compute(self, model: TextModel, text: str) -> None:
        """Encodes one text."""
        model.encode(text, overlong="cut")

    def metrics(
        self, model: TextModel, texts: Sequence[str], passes: int, seconds: float
    ) -> tuple[list[int], dict[str, Any]]:
        """Returns which texts are overlong, and the metrics of encoders.

        Args:
            model: The model.
            texts: The texts.
            passes: How often all were encoded.
            seconds: How long that took.
        """
        limit = model.bundle.max_length
        counts = [len(ids) for ids in model.tokenize(texts)]
        tokens = sum(min(count, limit) for count in counts)
        metrics = {
            "tokens": tokens,
            "tokens_per_s": rounded(passes * tokens / seconds),
            "length_ms": {
                str(length): _milliseconds(model, length) for length in LENGTHS if length <= limit
            },
        }
        return [i for i, count in enumerate(counts) if count > limit], metrics


def _milliseconds(model, length):
    """The median time of the model on some ids."""
    words = np.delete(np.arange(model.bundle.vocabulary), model.bundle.pad)
    ids = np.random.default_rng(0).choice(words, size=length).tolist()
    model.run([ids])
    seconds, end = [], time.perf_counter() + _SECONDS
    while len(seconds) < _LEAST_RUNS or time.perf_counter() < end:
        begin = time.perf_counter()
        model.run([ids])
        seconds.append(time.perf_counter() - begin)
    return rounded(1000 * np.median(seconds))
