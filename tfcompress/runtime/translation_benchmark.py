"""What is measured of a translation model."""

from collections.abc import Sequence
from typing import Any

import sentencepiece

from tfcompress.runtime.measuring import rounded
from tfcompress.runtime.translator import Translator


class TranslationBenchmark:
    """Translates sentences.

    Args:
        beam_size: Hypotheses that the search keeps; 1 is greedy search.
    """

    model_class = Translator

    def __init__(self, beam_size: int):
        self._beam_size = beam_size

    def compute(self, model: Translator, text: str) -> None:
        """Translates one sentence."""
        model.translate(text, beam_size=self._beam_size)

    def metrics(
        self, model: Translator, texts: Sequence[str], passes: int, seconds: float
    ) -> tuple[list[int], dict[str, Any]]:
        """Returns which sentences are overlong, and the metrics of translations.

        Args:
            model: The model.
            texts: The sentences.
            passes: How often all were translated.
            seconds: How long that took.
        """
        results: Any = model.translate(texts, beam_size=self._beam_size, return_scores=True)
        source = str(model.bundle.source_tokenizer)
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=source)
        target_tokens = sum(len(hypotheses[0].ids) for hypotheses in results)
        metrics = {
            "beam_size": self._beam_size,
            "source_tokens": sum(map(len, tokenizer.encode([*texts]))),
            "target_tokens": target_tokens,
            "target_tokens_per_s": rounded(passes * target_tokens / seconds),
        }
        return [i for i, hypotheses in enumerate(results) if hypotheses[0].parts > 1], metrics
