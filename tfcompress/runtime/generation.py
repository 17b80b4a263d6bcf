"""Generates token after token; the native runtime does the very same."""

from collections.abc import Sequence

import numpy as np

from tfcompress.generation_options import GenerationOptions
from tfcompress.runtime.decoder_bundle import SpecialIds
from tfcompress.runtime.search import StepOutput, Stepper, best_token, log_sum_exp

_MASK = (1 << 64) - 1


class Prompted:
    """A stepper whose hypotheses all begin with a prompt.

    Args:
        stepper: The decoder.
        bos: The id before the prompt.
        prompt: The prompt's ids.
    """

    def __init__(self, stepper: Stepper, bos: int, prompt: Sequence[int]):
        self._stepper = stepper
        self._ids = [bos, *prompt]
        self._first: int | None = None

    def start(self, rows: int) -> None:
        """Begins again, after the prompt."""
        self._stepper.start(rows)
        for token in self._ids[:-1]:
            self._stepper.step(token)
        self._first = self._ids[-1]

    def step(self, token_ids: int | np.ndarray) -> StepOutput:
        """Appends a token to every row; the first time the prompt's last, whatever it is."""
        if self._first is not None:
            token_ids, self._first = self._first, None
        return self._stepper.step(token_ids)

    def reorder(self, parents: np.ndarray) -> None:
        """Lets row `i` continue what row `parents[i]` began."""
        self._stepper.reorder(parents)


class Generation:
    """A text that grows by one token at a time.

    Args:
        stepper: The decoder.
        special: The special ids.
        prompt: The ids to begin with.
        limit: Most tokens to add.
        options: How they are chosen.
    """

    def __init__(
        self,
        stepper: Stepper,
        special: SpecialIds,
        prompt: Sequence[int],
        limit: int,
        options: GenerationOptions,
    ):
        self._stepper = Prompted(stepper, special.bos, prompt)
        self._special = special
        self._left = limit
        self._options = options
        self._random = SplitMix64(options.drawn_seed()) if options.temperature else None
        self._token = special.bos
        self._stepper.start(1)

    def next(self) -> tuple[int, float] | None:
        """Returns the next token and its log-probability, or None after the last.

        The end id is the last token where the model ends the text.
        """
        if self._left == 0:
            return None
        self._left -= 1
        output = self._stepper.step(self._token)
        if self._random is None:
            token = best_token(output, self._special)
        else:
            token = draw(output.logits[0], self._special, self._options, self._random.uniform())
        log_probability = float(output.logits[0, token] - log_sum_exp(output)[0, 0])
        if token == self._special.eos:
            self._left = 0
        self._token = token
        return token, log_probability


def draw(
    logits: np.ndarray, special: SpecialIds, options: GenerationOptions, uniform: float
) -> int:
    """Draws a token. Padding and the begin id are never drawn.

    Args:
        logits: `[vocabulary]`.
        special: The special ids.
        options: The temperature, and how many tokens there are to draw from.
        uniform: A number in [0, 1).

    Returns:
        The first token whose cumulative probability exceeds `uniform`; the order is that of ids,
        or with `top_k` from the most probable on, of equals the lowest id first.
    """
    values = logits.astype(np.float64)
    values[[special.pad, special.bos]] = -np.inf
    tokens = np.arange(len(values))
    if options.top_k is not None and options.top_k < len(values):
        least = np.partition(values, -options.top_k)[-options.top_k]
        tokens = np.flatnonzero(values >= least)
        tokens = tokens[np.argsort(-values[tokens], kind="stable")][: options.top_k]
    values = values[tokens]
    largest = values.max()
    if not np.isfinite(largest):
        raise RuntimeError(
            "The model must give finite logits. Received: none that is finite. Export an earlier "
            "checkpoint."
        )
    totals = np.cumsum(np.exp((values - largest) / options.temperature))
    place = np.searchsorted(totals, uniform * totals[-1], side="right")
    return int(tokens[min(place, len(tokens) - 1)])


class SplitMix64:
    """The generator of random numbers of that name, which every runtime has.

    Args:
        seed: From 0 to 2**64 - 1.

    Reference: Steele, Lea and Flood, 2014, doi:10.1145/2660193.2660195.
    """

    def __init__(self, seed: int):
        self._state = seed

    def uniform(self) -> float:
        """Returns the next number in [0, 1), of 53 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ mixed >> 31) >> 11) * 2.0**-53
