"""Batches from several corpora, each with a share of them."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.batching import Limit, first_batch
from tfcompress.text.row_datasets import RowSource

_CHOICES = 1 << 12


class Mixture:
    """Several sources of examples, of which each batch comes from one.

    Each source has epochs of its own: one with a large weight is seen more often. Which source a
    batch comes from is drawn with the seed of training, so that a resumed training goes on with the
    same batches.

    Args:
        sources: The sources, such as `TokenizedPairs` or `CachedPairs`.
        weights: The share of batches of each, in any unit.

    Raises:
        InputError: There are other numbers of weights and sources, or a weight is not positive.

    Example:
        >>> mixture = Mixture([pairs, pairs], weights=[3, 1])
        >>> batches = tfc.text.training_dataset(mixture, batch_tokens=4096, seed=1)
    """

    def __init__(self, sources: Sequence[Any], weights: Sequence[float]):
        if len(sources) != len(weights) or not sources:
            raise InputError(
                f"Sources and weights are not as many. Received: {len(sources)} sources, "
                f"{len(weights)} weights. Give one weight a source."
            )
        if not all(0 < weight < math.inf for weight in weights):
            raise InputError(f"Weights must be positive. Received: {[*weights]}.")
        self._sources = [*sources]
        self._shares = np.asarray(weights, np.float64) / sum(weights)

    def __len__(self) -> int:
        return sum(map(len, self._sources))

    @property
    def is_aligned(self) -> bool:
        """Whether the pieces of all pairs are aligned."""
        return all(source.is_aligned for source in self._sources)

    def left_out(self, max_length: Limit) -> int:
        """Counts the examples too long for `max_length`, which no batch contains.

        Args:
            max_length: As for `epoch_batches`.
        """
        return sum(source.left_out(max_length) for source in self._sources)

    def endless_batches(
        self, *, start_step: int = 0, accumulate: int = 1, seed: int, **options
    ) -> Callable[[], Iterator[Any]]:
        """Returns a function that gives the batches of training, as its sources have it.

        Args:
            start_step: The number of optimizer steps already made.
            accumulate: The batches of one optimizer step.
            seed: As for `epoch_batches`.
            **options: As for `epoch_batches`.

        Raises:
            InputError: As for `epoch_batches`.
        """
        first = first_batch(start_step, accumulate)
        used = np.zeros(len(self._sources), np.int64)
        whole, rest = divmod(first, _CHOICES)
        choices = self._choices(seed)
        for _ in range(whole):
            used += np.bincount(next(choices), minlength=len(used))
        following = next(choices)
        used += np.bincount(following[:rest], minlength=len(used))
        parts = [
            source.endless_batches(start_step=int(start), seed=seed, **options)
            for source, start in zip(self._sources, used)
        ]

        def batches():
            iterators = [part() for part in parts]
            chosen, skip = self._choices(seed), rest
            for _ in range(whole):
                next(chosen)
            for block in chosen:
                for number in block[skip:]:
                    yield next(iterators[number])
                skip = 0

        return batches

    def _choices(self, seed) -> Iterator[np.ndarray]:
        """Gives the numbers of the sources of all batches, `_CHOICES` at a time."""
        generator = np.random.default_rng([seed, len(self._sources)])
        while True:
            yield generator.choice(len(self._shares), size=_CHOICES, p=self._shares)


class RowMixture(Mixture, RowSource):
    """Several sources of texts, with labels or without, of which each batch comes from one.

    Args:
        sources: The sources: `TokenizedTexts` or `CachedTexts`, or `LabelledTexts` or
            `CachedLabelledTexts`.
        weights: The share of batches of each, in any unit.

    Raises:
        InputError: As for `Mixture`.

    Example:
        >>> texts = ["two dogs", "a man"]
        >>> rows = tfc.text.cache_texts("text_cache", texts, tokenizer, max_length=32)
        >>> mixture = RowMixture([rows, rows], weights=[3, 1])
        >>> dataset = mixture.training_dataset(batch_tokens=4096, seed=1)
    """

    @property
    def longest(self) -> int:
        return max(source.longest for source in self._sources)

    @property
    def max_length(self) -> int:
        """The most ids of a text."""
        return max(source.max_length for source in self._sources)

    @property
    def cut(self) -> int:
        """How many texts were longer than `max_length`."""
        return sum(source.cut for source in self._sources)

    @property
    def labels(self) -> np.ndarray:
        """The labels that there are."""
        return np.unique(np.concatenate([source.labels for source in self._sources]))

    def _signature(self):
        return self._sources[0]._signature()
