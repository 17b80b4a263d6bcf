"""Deterministic batches of sentence pairs of similar length.

A batch holds as many pairs as fit a number of tokens. The batches of an epoch depend on the pairs,
the options, the seed and the epoch's number alone, so that training resumed at any step sees the
batches that uninterrupted training would have seen.
"""

import io
import math
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tfcompress.errors import InputError
from tfcompress.files import replace_file

if TYPE_CHECKING:
    import tensorflow as tf

    from tfcompress.text.tokenizer import Tokenizer

PADDING_ROW = -1
"""The index that stands for a row of padding in static batches."""

Limit = int | tuple[int, int] | None
"""The most ids of a source and of a target, or of both; None for any number."""

_ARRAYS = ("source_ids", "source_row_splits", "target_ids", "target_row_splits")


class Examples(Protocol):
    """What is divided into batches: sentence pairs, or texts with labels."""

    def __len__(self) -> int: ...

    def fits(self, max_length: Limit) -> np.ndarray:
        """Returns whether each example is within these limits."""
        ...

    def padded_lengths(self, length_multiple: int) -> np.ndarray:
        """Returns the longer padded side of every example."""
        ...

    def widths(self, length_multiple: int) -> Sequence[np.ndarray]:
        """Returns the padded length of each side of every example."""
        ...


class PairSource(Protocol):
    """What gives batches of sentence pairs without end."""

    def __len__(self) -> int: ...

    def left_out(self, max_length: Limit) -> int:
        """Counts the pairs too long for `max_length`, which no batch contains."""
        ...

    def endless_batches(self, **options) -> Callable[[], Iterator["Batch"]]:
        """Returns a function that gives the batches of training: pairs, and the indices of some."""
        ...


class TokenizedPairs:
    """Tokenized sentence pairs, without begin and end ids, in four flat arrays.

    Args:
        source_ids: All source ids in one array.
        source_row_splits: Source `i` is `source_ids[source_row_splits[i]:source_row_splits[i+1]]`.
        target_ids: All target ids in one array.
        target_row_splits: The same for targets.

    Raises:
        InputError: The numbers of sources and targets differ, or row splits do not fit their ids.

    Example:
        >>> pairs = TokenizedPairs.from_corpus(tokenizer, *corpus.splits["train"])
        >>> source_ids, target_ids = pairs[0]
    """

    def __init__(
        self,
        source_ids: np.ndarray,
        source_row_splits: np.ndarray,
        target_ids: np.ndarray,
        target_row_splits: np.ndarray,
    ):
        self.source_ids = _id_array(source_ids)
        self.source_row_splits = np.asarray(source_row_splits, np.int64)
        self.target_ids = _id_array(target_ids)
        self.target_row_splits = np.asarray(target_row_splits, np.int64)
        for side in ("source", "target"):
            ids, splits = getattr(self, f"{side}_ids"), getattr(self, f"{side}_row_splits")
            shapes_fit = ids.ndim == 1 and splits.ndim == 1 and splits.size
            if not shapes_fit or splits[0] or splits[-1] != len(ids) or (np.diff(splits) < 0).any():
                raise InputError(
                    f"Row splits do not fit their ids. Received: {side} row splits, {ids.size} "
                    "ids. Tokenize again."
                )
        if len(self.source_row_splits) != len(self.target_row_splits):
            raise InputError(
                "Sources and targets are not as many. Received: "
                f"{len(self.source_row_splits) - 1} sources, {len(self.target_row_splits) - 1} "
                "targets. Give one target a source."
            )

    @classmethod
    def from_corpus(
        cls,
        tokenizer: "Tokenizer",
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        target_tokenizer: "Tokenizer | None" = None,
    ) -> "TokenizedPairs":
        """Tokenizes both sides of a corpus.

        Args:
            tokenizer: The tokenizer of the source.
            sources: Source sentences.
            targets: Their translations.
            target_tokenizer: The tokenizer of the target; the source's by default.

        Returns:
            The tokenized pairs.

        Raises:
            InputError: The numbers of sentences differ.

        Example:
            >>> len(TokenizedPairs.from_corpus(tokenizer, ["two dogs"], ["zwei hunde"]))
            1
        """
        target_tokenizer = target_tokenizer or tokenizer
        return cls(*tokenizer.encode_corpus(sources), *target_tokenizer.encode_corpus(targets))

    def __len__(self) -> int:
        return len(self.source_row_splits) - 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"pair {index} of {len(self)}")
        index %= len(self)
        source, target = self.source_row_splits, self.target_row_splits
        return (
            self.source_ids[source[index] : source[index + 1]],
            self.target_ids[target[index] : target[index + 1]],
        )

    @property
    def source_lengths(self) -> np.ndarray:
        """The number of ids of every source, without the end id."""
        return np.diff(self.source_row_splits)

    @property
    def target_lengths(self) -> np.ndarray:
        """The number of ids of every target, without the begin or end id."""
        return np.diff(self.target_row_splits)

    def widths(self, length_multiple: int = 4) -> list[np.ndarray]:
        """Returns the padded length of every target, and of every source.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        lengths = (self.target_lengths, self.source_lengths)
        return [_round_up(side + 1, length_multiple) for side in lengths]

    def padded_lengths(self, length_multiple: int = 4) -> np.ndarray:
        """Returns the length that every pair, with its begin or end id, asks of a batch.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.

        Returns:
            The longer of both sides, rounded up.
        """
        return np.maximum(*self.widths(length_multiple))

    def batch_lengths(self, length_multiple: int = 4, max_length: Limit = None) -> np.ndarray:
        """Returns the length that every pair that fits asks of a batch.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
            max_length: What no length is rounded up beyond, as for `epoch_batches`.
        """
        most = min(max(limits(max_length)), np.iinfo(np.int64).max)
        return np.minimum(self.padded_lengths(length_multiple), int(most))

    def fits(self, max_length: Limit) -> np.ndarray:
        """Returns whether each pair, with its begin or end id, is short enough, boolean.

        Args:
            max_length: As for `epoch_batches`.
        """
        source, target = limits(max_length)
        return (self.source_lengths < source) & (self.target_lengths < target)

    def left_out(self, max_length: Limit) -> int:
        """Counts the pairs too long for `max_length`, which no batch contains."""
        return int((~self.fits(max_length)).sum())

    def endless_batches(self, **options) -> Callable[[], Iterator["Batch"]]:
        """Returns a function that gives the batches of training, each with these pairs.

        Args:
            **options: As for the function `endless_batches`.

        Raises:
            InputError: As for `epoch_batches`.
        """
        batches = endless_batches(self, **options)
        return lambda: ((self, indices) for indices in batches())

    def save(self, path: str | os.PathLike) -> None:
        """Writes the pairs to an `.npz` file, which appears complete or not at all.

        Args:
            path: The file.

        Raises:
            InputError: The folder is missing or not writable.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **{name: getattr(self, name) for name in _ARRAYS})
        replace_file(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "TokenizedPairs":
        """Reads pairs that `save` wrote.

        Args:
            path: The file.

        Returns:
            The pairs.

        Raises:
            InputError: The file is missing, damaged or something else.
        """
        try:
            with np.load(path) as arrays:
                return cls(*(arrays[name] for name in _ARRAYS))
        except FileNotFoundError:
            raise InputError(f"No such file. Received: {path}. Check the path.") from None
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
            raise InputError(
                f"The file holds no tokenized pairs or is damaged. Received: {path}. Tokenize "
                "again."
            ) from None


Batch = tuple[TokenizedPairs, np.ndarray]
"""Pairs, and the indices of those that make a batch."""


def epoch_batches(
    pairs: Examples,
    *,
    batch_tokens: int,
    seed: int,
    epoch: int,
    length_multiple: int = 4,
    max_length: Limit = None,
    static_batches: bool = False,
) -> list[np.ndarray]:
    """Divides the pairs into batches for one epoch.

    Pairs are sorted by padded length, longest first, in an order of their own every epoch among
    equals, cut into batches, and the batches shuffled. The number of batches is the same every
    epoch.

    Args:
        pairs: The pairs.
        batch_tokens: The most that sentences times the longer padded side may come to; lengths
            count the begin or end id.
        seed: Of the order.
        epoch: The epoch's number, from 0.
        length_multiple: Lengths are rounded up to a multiple of this.
        max_length: The most ids of a side with its begin or end id, or of source and target
            `(source, target)`; pairs with more are left out, and none is padded beyond it. `None`
            keeps all.
        static_batches: Whether the shapes of batches are as few as the padded lengths: both sides
            are of one length, the number of rows depends on that length alone, and `PADDING_ROW`
            fills the last batch.

    Returns:
        The indices of the pairs of every batch; every pair is in exactly one batch.

    Raises:
        InputError: An option is out of range, no pair is left, or a pair alone exceeds
            `batch_tokens`.

    Example:
        >>> batches = epoch_batches(pairs, batch_tokens=4096, seed=1, epoch=0)
        >>> inputs, labels = make_batch(pairs, batches[0])
    """
    if min(seed, epoch) < 0:
        raise InputError(
            f"Seed and epoch must not be negative. Received: seed={seed}, epoch={epoch}. Give "
            "numbers from 0."
        )
    generator = np.random.default_rng([seed, epoch])
    batches = _cut(
        pairs,
        generator.permutation(len(pairs)),
        batch_tokens=batch_tokens,
        length_multiple=length_multiple,
        max_length=max_length,
        static_batches=static_batches,
    )
    return [batches[number] for number in generator.permutation(len(batches))]


def evaluation_batches(
    pairs: Examples,
    *,
    batch_tokens: int,
    length_multiple: int = 4,
    max_length: Limit = None,
    static_batches: bool = False,
) -> list[np.ndarray]:
    """Divides the pairs into batches in a fixed order, longest first.

    Args:
        pairs: The pairs.
        batch_tokens: As for `epoch_batches`.
        length_multiple: As for `epoch_batches`.
        max_length: As for `epoch_batches`.
        static_batches: As for `epoch_batches`.

    Returns:
        The indices of the pairs of every batch, with which results return to the pairs' order.

    Raises:
        InputError: As for `epoch_batches`.

    Example:
        >>> order = np.concatenate(evaluation_batches(pairs, batch_tokens=4096))
    """
    return _cut(
        pairs,
        np.arange(len(pairs)),
        batch_tokens=batch_tokens,
        length_multiple=length_multiple,
        max_length=max_length,
        static_batches=static_batches,
    )


def endless_batches(
    pairs: Examples,
    *,
    start_step: int = 0,
    accumulate: int = 1,
    **options,
) -> Callable[[], Iterator[np.ndarray]]:
    """Returns a function that gives the batches of training, epoch after epoch.

    Args:
        pairs: The examples.
        start_step: The number of optimizer steps already made.
        accumulate: The batches of one optimizer step.
        **options: As for `epoch_batches`.

    Raises:
        InputError: As for `epoch_batches`.

    Example:
        >>> batches = endless_batches(pairs, batch_tokens=4096, seed=1)()
        >>> indices = next(batches)
    """
    first = first_batch(start_step, accumulate)
    batches_per_epoch = len(epoch_batches(pairs, epoch=0, **options))

    def batches():
        epoch, skip = divmod(first, batches_per_epoch)
        while True:
            yield from epoch_batches(pairs, epoch=epoch, **options)[skip:]
            epoch, skip = epoch + 1, 0

    return batches


def first_batch(start_step: int, accumulate: int) -> int:
    """Returns the number of the batch that an optimizer step begins with.

    Args:
        start_step: The number of optimizer steps already made.
        accumulate: The batches of one optimizer step.

    Raises:
        InputError: One is too small.

    Example:
        >>> first_batch(2000, accumulate=2)
        4000
    """
    return _at_least("start_step", start_step, 0) * _at_least("accumulate", accumulate, 1)


def count_batches(lengths: np.ndarray, counts: np.ndarray, batch_tokens: int) -> int:
    """Returns the number of batches that `epoch_batches` divides pairs into.

    Args:
        lengths: All padded lengths, ascending.
        counts: How many pairs have each.
        batch_tokens: As for `epoch_batches`.

    Example:
        >>> count_batches(np.array([4, 8]), np.array([3, 1]), batch_tokens=16)
        2
    """
    batches = surplus = 0
    for length, count in zip(lengths[::-1].tolist(), counts[::-1].tolist()):
        rest = count - surplus
        if rest <= 0:
            surplus = -rest
            continue
        rows = batch_tokens // length
        more = -(-rest // rows)
        batches += more
        surplus = more * rows - rest
    return batches


def make_batch(
    pairs: TokenizedPairs,
    indices: np.ndarray,
    *,
    length_multiple: int = 4,
    max_length: Limit = None,
    square: bool = False,
    bos_id: int = 1,
    eos_id: int = 2,
    pad_id: int = 0,
    target_prefix: Sequence[int] = (),
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Makes a padded batch.

    Args:
        pairs: The pairs.
        indices: The pairs of the batch; `PADDING_ROW` gives a row of padding.
        length_multiple: Both lengths are rounded up to a multiple of this.
        max_length: What no side is padded beyond, as for `epoch_batches`.
        square: Whether both sides get the longer side's length, as static batches want.
        bos_id: The id before the target.
        eos_id: The id after the source, and after the labels.
        pad_id: The id that fills rows.
        target_prefix: Ids between `bos_id` and the target, which lengths and limits do not count.

    Returns:
        `(inputs, labels)`: `inputs["source_token_ids"]` is the source and its end, int32
        `[batch, source length]`; `inputs["target_token_ids"]` the target after its begin and
        `labels` the target and its end, int32 `[batch, target length]`.

    Example:
        >>> inputs, labels = make_batch(pairs, np.array([0, 1]))
    """
    indices = np.asarray(indices, np.int64)
    if (indices < PADDING_ROW).any():
        raise IndexError(f"pair {indices.min()} of {len(pairs)}")
    real = indices != PADDING_ROW
    rows = np.where(real, indices, 0)
    source_starts, target_starts = pairs.source_row_splits[rows], pairs.target_row_splits[rows]
    source_lengths = np.where(real, pairs.source_row_splits[rows + 1] - source_starts, -1)
    target_lengths = np.where(real, pairs.target_row_splits[rows + 1] - target_starts, -1)
    longest = (source_lengths.max(initial=0) + 1, target_lengths.max(initial=0) + 1)
    most = limits(max_length)
    if square:
        longest, most = (max(longest),) * 2, (min(most),) * 2
    source_width, target_width = (
        int(min(_round_up(length, length_multiple), max(length, limit)))
        for length, limit in zip(longest, most)
    )
    source = padded_rows(pairs.source_ids, source_starts, source_lengths, source_width, pad_id)
    labels = padded_rows(pairs.target_ids, target_starts, target_lengths, target_width, pad_id)
    prefix = np.full([len(labels), len(target_prefix)], pad_id, np.int32)
    prefix[real] = target_prefix
    labels = np.concatenate([prefix, labels], axis=1)
    target_lengths = target_lengths + len(target_prefix)
    target = np.full_like(labels, pad_id)
    target[real, 0] = bos_id
    target[:, 1:] = labels[:, :-1]
    source[real, source_lengths[real]] = eos_id
    labels[real, target_lengths[real]] = eos_id
    return {"source_token_ids": source, "target_token_ids": target}, labels


def steps_per_epoch(
    pairs: TokenizedPairs,
    *,
    batch_tokens: int,
    length_multiple: int = 4,
    max_length: Limit = None,
    accumulate: int = 1,
) -> int:
    """Returns the optimizer steps that see every pair at least once.

    Args:
        pairs: The pairs.
        batch_tokens: As for `epoch_batches`.
        length_multiple: As for `epoch_batches`.
        max_length: As for `epoch_batches`.
        accumulate: The batches of one optimizer step.

    Returns:
        The number of batches of an epoch, divided by `accumulate`, rounded up.

    Raises:
        InputError: As for `epoch_batches`.

    Example:
        >>> steps = steps_per_epoch(pairs, batch_tokens=4096)
    """
    batches = evaluation_batches(
        pairs, batch_tokens=batch_tokens, length_multiple=length_multiple, max_length=max_length
    )
    return math.ceil(len(batches) / _at_least("accumulate", accumulate, 1))


def training_dataset(
    pairs: PairSource,
    *,
    batch_tokens: int,
    seed: int,
    start_step: int = 0,
    length_multiple: int = 4,
    max_length: Limit = None,
    static_batches: bool = False,
    accumulate: int = 1,
    bos_id: int = 1,
    eos_id: int = 2,
    pad_id: int = 0,
    target_prefix: Sequence[int] = (),
) -> "tf.data.Dataset":
    """Makes an endless dataset of batches, epoch after epoch.

    Optimizer step `n` takes the batches from `n * accumulate`, counted from the beginning of
    training, whether or not training was interrupted before it.

    Args:
        pairs: The pairs: `TokenizedPairs`, `CachedPairs` or a `Mixture`.
        batch_tokens: As for `epoch_batches`.
        seed: As for `epoch_batches`.
        start_step: The number of optimizer steps already made.
        length_multiple: As for `epoch_batches`.
        max_length: As for `epoch_batches`.
        static_batches: As for `epoch_batches`.
        accumulate: The batches of one optimizer step, which follow each other in the dataset.
        bos_id: As for `make_batch`.
        eos_id: As for `make_batch`.
        pad_id: As for `make_batch`.
        target_prefix: As for `make_batch`.

    Returns:
        A dataset of what `make_batch` returns.

    Raises:
        InputError: As for `epoch_batches`.

    Example:
        >>> dataset = training_dataset(pairs, batch_tokens=4096, seed=1, start_step=2000)
        >>> inputs, labels = next(iter(dataset))
    """
    batches = pairs.endless_batches(
        start_step=start_step,
        accumulate=accumulate,
        batch_tokens=batch_tokens,
        seed=seed,
        length_multiple=length_multiple,
        max_length=max_length,
        static_batches=static_batches,
    )
    return _dataset(
        batches,
        length_multiple=length_multiple,
        max_length=max_length,
        square=static_batches,
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=pad_id,
        target_prefix=target_prefix,
    )


def evaluation_dataset(
    pairs: TokenizedPairs,
    *,
    batch_tokens: int,
    length_multiple: int = 4,
    max_length: Limit = None,
    static_batches: bool = False,
    bos_id: int = 1,
    eos_id: int = 2,
    pad_id: int = 0,
    target_prefix: Sequence[int] = (),
) -> "tf.data.Dataset":
    """Makes a dataset of one pass over the pairs, in the order of `evaluation_batches`.

    Args:
        pairs: The pairs.
        batch_tokens: As for `epoch_batches`.
        length_multiple: As for `epoch_batches`.
        max_length: As for `epoch_batches`.
        static_batches: As for `epoch_batches`.
        bos_id: As for `make_batch`.
        eos_id: As for `make_batch`.
        pad_id: As for `make_batch`.
        target_prefix: As for `make_batch`.

    Returns:
        A dataset, of known cardinality, of what `make_batch` returns.

    Raises:
        InputError: As for `epoch_batches`.

    Example:
        >>> batches = list(evaluation_dataset(pairs, batch_tokens=4096))
    """
    import tensorflow as tf

    batches = evaluation_batches(
        pairs,
        batch_tokens=batch_tokens,
        length_multiple=length_multiple,
        max_length=max_length,
        static_batches=static_batches,
    )
    dataset = _dataset(
        lambda: ((pairs, indices) for indices in batches),
        length_multiple=length_multiple,
        max_length=max_length,
        square=static_batches,
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=pad_id,
        target_prefix=target_prefix,
    )
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))


def _dataset(batches: Callable[[], Iterator[Batch]], **batch_options) -> "tf.data.Dataset":
    import tensorflow as tf

    ids = tf.TensorSpec([None, None], tf.int32)
    return tf.data.Dataset.from_generator(
        lambda: (make_batch(*batch, **batch_options) for batch in batches()),
        output_signature=({"source_token_ids": ids, "target_token_ids": ids}, ids),
    ).prefetch(tf.data.AUTOTUNE)


def _cut(
    pairs: Examples,
    order: np.ndarray,
    *,
    batch_tokens: int,
    length_multiple: int,
    max_length: Limit,
    static_batches: bool,
) -> list[np.ndarray]:
    """Sorts `order` by padded length, longest first, and cuts it into batches.

    A batch's first pair is its longest, and so decides how many rows fit.
    """
    _at_least("batch_tokens", batch_tokens, 1)
    _at_least("length_multiple", length_multiple, 1)
    if static_batches and isinstance(max_length, tuple):
        raise InputError(
            f"Static batches have one max_length for both sides. Received: {max_length}. Give "
            f"{min(max_length)}."
        )
    lengths = pairs.padded_lengths(length_multiple)
    if max_length is not None:
        order = order[pairs.fits(max_length)[order]]
        lengths = np.minimum(lengths, max(limits(max_length)))
    check_batches(len(pairs), lengths[order].max(initial=0), batch_tokens, max_length)
    keys = [-lengths[order]]
    if not static_batches:
        widths = pairs.widths(length_multiple)
        keys = [*(-side[order] for side in widths), *keys]
    order = order[np.lexsort(keys)]
    batches, start = [], 0
    while start < len(order):
        rows = batch_tokens // lengths[order[start]]
        batches.append(order[start : start + rows])
        start += rows
    if static_batches:
        batches[-1] = np.pad(batches[-1], (0, int(start - len(order))), constant_values=PADDING_ROW)
    return batches


def check_batches(pairs: int, longest: int, batch_tokens: int, max_length: Limit) -> None:
    """Makes sure that pairs can be divided into batches.

    Args:
        pairs: The number of pairs.
        longest: The largest padded length of those that are short enough; 0 where none is.
        batch_tokens: As for `epoch_batches`.
        max_length: As for `epoch_batches`.

    Raises:
        InputError: No pair is left, or one alone exceeds `batch_tokens`.
    """
    _at_least("batch_tokens", batch_tokens, 1)
    if not longest:
        raise InputError(
            f"No pair is short enough. Received: {pairs} pairs, max_length={max_length}. "
            "Raise max_length or give more pairs."
        )
    if longest > batch_tokens:
        raise InputError(
            f"A batch does not hold the longest pair. Received: batch_tokens={batch_tokens}, a "
            f"pair padded to {longest}. Raise batch_tokens or set max_length."
        )


def _id_array(ids) -> np.ndarray:
    """Keeps ids of two bytes, in which caches have them, as they are."""
    is_short = isinstance(ids, np.ndarray) and ids.dtype == np.uint16
    return ids if is_short else np.asarray(ids, np.int32)


def padded_rows(
    ids: np.ndarray, starts: np.ndarray, lengths: np.ndarray, width: int, pad_id: int
) -> np.ndarray:
    """Returns rows of a flat array of ids, padded to one width, int32.

    Args:
        ids: All ids in one array.
        starts: Where each row begins.
        lengths: The number of ids of each row.
        width: The width.
        pad_id: The id that fills rows.

    Example:
        >>> padded_rows(np.array([5, 6, 7]), np.array([0, 1]), np.array([1, 2]), 3, pad_id=0)
        array([[5, 0, 0],
               [6, 7, 0]], dtype=int32)
    """
    columns = np.arange(width)
    filled = columns < lengths[:, None]
    rows = np.full(filled.shape, pad_id, np.int32)
    rows[filled] = ids[(starts[:, None] + columns)[filled]]
    return rows


def limits(max_length: Limit) -> tuple[float, float]:
    """Returns the most ids of a source and of a target.

    Args:
        max_length: As for `epoch_batches`.

    Example:
        >>> limits(32)
        (32, 32)
    """
    if isinstance(max_length, tuple):
        return max_length
    most = math.inf if max_length is None else max_length
    return most, most


def _round_up(lengths, multiple: int):
    return -(-lengths // multiple) * multiple


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise InputError(f"`{name}` is too small. Received: {name}={value}. Give at least {least}.")
    return value
