"""What is measured of a language model."""

from collections.abc import Sequence
from typing import Any

from tfcompress.runtime.measuring import rounded
from tfcompress.runtime.text_generator import TextGenerator


class LanguageModelBenchmark:
    """Continues the first half of texts by as many tokens as the second half has.

    Args:
        beam_size: Hypotheses that the search keeps; 1 for no beam search.
    """

    model_class = TextGenerator

    def __init__(self, beam_size: int):
        self._beam_size = beam_size

    def compute(self, model: TextGenerator, text: str) -> list[int]:
        """Continues one text and returns the ids that follow."""
        prompt, count = self._task(model, text)
        ids: Any
        (ids,) = model.generate_ids([prompt], max_tokens=count, beam_size=self._beam_size)
        return ids

    def metrics(
        self, model: TextGenerator, texts: Sequence[str], passes: int, seconds: float
    ) -> tuple[list[int], dict[str, Any]]:
        """Returns which texts are overlong, and the metrics of continuations.

        Args:
            model: The model.
            texts: The texts.
            passes: How often all were continued.
            seconds: How long that took.
        """
        prompts = [self._task(model, text)[0] for text in texts]
        generated = sum(len(self.compute(model, text)) for text in texts)
        prompt_tokens = sum(map(len, prompts))
        metrics = {
            "beam_size": self._beam_size,
            "prompt_tokens": prompt_tokens,
            "target_tokens": generated,
            "target_tokens_per_s": rounded(passes * generated / seconds),
            # A step computes one token, of the prompt too.
            "tokens_per_s": rounded(passes * (prompt_tokens + generated) / seconds),
        }
        lengths = [len(ids) for ids in model.tokenize(texts)]
        return [i for i, n in enumerate(lengths) if n >= model.bundle.max_length], metrics

    def _task(self, model, text):
        """The prompt, and the tokens to add; of an overlong text, of its beginning."""
        (ids,) = model.tokenize([text])
        ids = ids[: max(model.bundle.max_length - 2, 1)]
        half = len(ids) // 2
        return ids[:half], max(len(ids) - half, 1)
