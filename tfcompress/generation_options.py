"""How a language model goes on: one check for the runtime, recipes and commands."""

import math
import secrets
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real

from tfcompress.errors import InputError
from tfcompress.search_options import SearchOptions, check_count

MAX_TEMPERATURE = 100.0


@dataclass(frozen=True)
class GenerationOptions:
    """The options of a generation, checked.

    Attributes:
        max_tokens: Most tokens to add, the end mark not counted.
        temperature: What logits are divided by before a token is drawn; 0 takes the most probable.
        top_k: With a temperature, of how many of the most probable tokens one is drawn; None for
            all.
        seed: With a temperature, the seed of the draws; None for another one each time.
        beam_size: Hypotheses that beam search keeps; 1 for no beam search.
        length_penalty: With beam search, the power of the length that a hypothesis'
            log-probability is divided by to get its score.
        n_best: Hypotheses to return, at most `beam_size`.

    Raises:
        InputError: An option is impossible, or does not go with another.

    Example:

    >>> GenerationOptions(temperature=0.8, top_k=40).max_tokens
    64
    """

    max_tokens: int = 64
    _: KW_ONLY
    temperature: float = 0.0
    top_k: int | None = None
    seed: int | None = None
    beam_size: int = 1
    length_penalty: float = 1.0
    n_best: int = 1

    def __post_init__(self):
        check_count("max_tokens", self.max_tokens)
        SearchOptions(self.beam_size, length_penalty=self.length_penalty, n_best=self.n_best)
        temperature = self.temperature
        is_number = isinstance(temperature, Real) and not isinstance(temperature, bool)
        if not is_number or not 0 <= temperature <= MAX_TEMPERATURE or math.isnan(temperature):
            raise InputError(
                f"`temperature` must be a number from 0 to {MAX_TEMPERATURE:.0f}. Received: "
                f"temperature={temperature!r}. Give 0 for the most probable tokens."
            )
        if self.top_k is not None:
            check_count("top_k", self.top_k)
        is_whole = isinstance(self.seed, Integral) and not isinstance(self.seed, bool)
        if self.seed is not None and not (is_whole and 0 <= self.seed < 1 << 64):
            raise InputError(
                f"`seed` must be a whole number from 0 to 2**64 - 1. Received: seed={self.seed!r}. "
                "Give one, or None."
            )
        if temperature and self.beam_size > 1:
            raise InputError(
                "Beam search draws no tokens. Received: "
                f"beam_size={self.beam_size}, temperature={temperature}. Give one of them."
            )
        for name in ("top_k", "seed"):
            if not temperature and getattr(self, name) is not None:
                raise InputError(
                    f"`{name}` is for draws. Received: {name}={getattr(self, name)}, temperature=0."
                    " Give a temperature, or leave it out."
                )

    def drawn_seed(self) -> int:
        """Returns the seed, a random one where none was named."""
        return secrets.randbits(64) if self.seed is None else int(self.seed)
