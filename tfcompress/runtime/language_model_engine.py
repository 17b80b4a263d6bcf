"""Language models in Python."""

from collections.abc import Sequence

import numpy as np

from tfcompress.generation_options import GenerationOptions
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.generation import Generation, Prompted
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.language_model_session import LanguageModelSession
from tfcompress.runtime.search import Hypothesis, beam_search


class LanguageModelEngine(Engine[LanguageModelBundle]):
    """Scores and generates in Python; see `Engine`."""

    def _open(self, library, num_threads):
        self._session = LanguageModelSession(self._bundle, num_threads=num_threads)
        self._generation: Generation | None = None

    def score(self, row: Sequence[int]) -> np.ndarray:
        """Returns the log-probability of each id of a row; as in the native runtime."""
        return self._session.score([self._bundle.ids.bos, *row[:-1]], row)

    def search(
        self,
        prompt: Sequence[int],
        *,
        max_tokens: int,
        beam_size: int,
        n_best: int = 1,
        length_penalty: float = 1.0,
    ) -> list[Hypothesis]:
        """Continues a prompt with beam search; as in the native runtime."""
        special = self._bundle.ids
        stepper = Prompted(self._session, special.bos, prompt)
        # The end id is one more token.
        hypotheses = beam_search(
            stepper, special, max_tokens + 1, beam_size=beam_size, length_penalty=length_penalty
        )
        return hypotheses[:n_best]

    def begin(self, prompt: Sequence[int], options: GenerationOptions, limit: int) -> None:
        """Begins to generate; as in the native runtime."""
        self._generation = Generation(self._session, self._bundle.ids, prompt, limit, options)

    def next(self) -> tuple[int, float] | None:
        """Returns the next token and its log-probability; as in the native runtime."""
        assert self._generation is not None
        return self._generation.next()

    def logits(self, row: Sequence[int]) -> np.ndarray:
        """Returns the logits after each prefix of a row; as in the native runtime."""
        self._session.start(1)
        tokens = [self._bundle.ids.bos, *row]
        # A step overwrites the logits of the one before.
        return np.array([self._session.step(token).logits[0].copy() for token in tokens])

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._generation = None
        self._session.close()
