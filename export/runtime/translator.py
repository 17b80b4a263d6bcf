"""Translates text with a bundle."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import sentencepiece

from tfcompress.errors import InputError
from tfcompress.export.runtime.bundle import open_bundle
from tfcompress.export.runtime.engine import Engine, open_engine
from tfcompress.export.runtime.native import NativeEngine
from tfcompress.export.runtime.search import Hypothesis
from tfcompress.export.runtime.splitting import split_text

Progress = Callable[[int, int], None]


class Translator:
    """Translates with an exported bundle; needs LiteRT, numpy and sentencepiece only.

    Where `tfcompress build-native` built the native runtime, that searches instead of Python, and
    finds the same. The environment variable `TFCOMPRESS_NATIVE=0` turns it off.

    A translator may be used by several threads, which then take turns. To translate in parallel,
    make one for each thread or process.

    Args:
        path: The bundle's folder.
        num_threads: Threads that LiteRT may use for one sentence.
        verify: Whether to check the bundle's files against its manifest first.

    Attributes:
        bundle: The opened bundle.
        is_native: Whether the native runtime searches.

    Raises:
        InputError: The bundle is not whole (see `open_bundle`), needs custom operations that
            there are not, or an option is impossible.

    Example:

    >>> with Translator("en-de") as translator:
    ...     translator.translate(["Two dogs play."])
    ['Zwei Hunde spielen.']
    """

    def __init__(self, path: str | os.PathLike, *, num_threads: int = 1, verify: bool = True):
        _check_count("num_threads", num_threads)
        self.bundle = open_bundle(path, verify=verify)
        self._source = _load_tokenizer(self.bundle.source_tokenizer)
        self._target = _load_tokenizer(self.bundle.target_tokenizer)
        self._engine: Engine | None = open_engine(self.bundle, num_threads=num_threads)
        self.is_native = isinstance(self._engine, NativeEngine)
        self._lock = threading.Lock()

    def __enter__(self) -> "Translator":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Frees the model. The translator cannot be used any more."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def translate(
        self,
        sentences: str | Sequence[str],
        *,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        max_length: int | None = None,
        return_scores: bool = False,
        overlong: str = "split",
        progress: Progress | None = None,
    ) -> str | list[str] | list[Hypothesis] | list[list[Hypothesis]]:
        """Translates sentences.

        Sentences are translated one at a time, those of one length after another; a batch gives
        what its sentences give alone. A blank sentence gives an empty one.

        Args:
            sentences: The sentences, or a single one.
            beam_size: Hypotheses that the search keeps; 1 is greedy search.
            length_penalty: The power of the length that a hypothesis' log-probability is divided
                by to get its score; 0 favours short translations.
            n_best: Hypotheses to return for each sentence, at most `beam_size`.
            max_length: Most tokens of a translation, the end mark included, where fewer are
                wanted than the bundle's limit and twice the source's length plus 16.
            return_scores: Whether to return hypotheses with their scores instead of text.
            overlong: What to do with a sentence of more tokens than the bundle's limit: "split"
                it at the ends of sentences, else at spaces, and translate the parts; or raise an
                "error".
            progress: Called after each sentence with the number done and the number of all.

        Returns:
            The translations in the order of the sentences. With `n_best` above 1 or
            `return_scores`, a list of hypotheses for each sentence, best first. For a single
            sentence, its translation or its list. Hypotheses of a sentence that was split join
            the parts' first best, second best and so on.

        Raises:
            InputError: An option is impossible, a sentence is no text or too long, or the bundle
                has no tokenizers.
        """
        options = _Options(beam_size, length_penalty, n_best, max_length, return_scores)
        if overlong not in ("split", "error"):
            raise InputError(f"overlong={overlong!r}; give 'split' or 'error'")
        if self._source is None or self._target is None:
            raise InputError(
                f"{self.bundle.path}: has no tokenizers, so it takes ids only; use translate_ids, "
                "or export it with its tokenizer"
            )
        rows = [sentences] if isinstance(sentences, str) else _as_list(sentences, "strings")
        jobs = [self._parts(number, row, overlong) for number, row in enumerate(rows)]
        results = self._run(jobs, options, progress, self._decode)
        if not options.wants_hypotheses:
            results = [hypotheses[0].text for hypotheses in results]
        return results[0] if isinstance(sentences, str) else results

    def translate_ids(
        self,
        sentences: Sequence[Sequence[int]],
        *,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        max_length: int | None = None,
        return_scores: bool = False,
        progress: Progress | None = None,
    ) -> list[list[int]] | list[list[Hypothesis]]:
        """Translates sentences that are tokenized already.

        Args:
            sentences: Source ids of each sentence, without the end id, which is added.
            beam_size: As in `translate`.
            length_penalty: As in `translate`.
            n_best: As in `translate`.
            max_length: As in `translate`.
            return_scores: As in `translate`.
            progress: As in `translate`.

        Returns:
            The target ids of each sentence, without the end id; with `n_best` above 1 or
            `return_scores`, a list of hypotheses for each sentence. No ids give no ids.

        Raises:
            InputError: An option is impossible, or a sentence has ids outside the vocabulary or
                too many.
        """
        options = _Options(beam_size, length_penalty, n_best, max_length, return_scores)
        rows = _as_list(sentences, "lists of ids")
        jobs = [self._checked_ids(number, row) for number, row in enumerate(rows)]
        results = self._run(jobs, options, progress)
        if not options.wants_hypotheses:
            results = [hypotheses[0].ids for hypotheses in results]
        return results

    def _parts(self, number: int, sentence: str, overlong: str) -> list[list[int]]:
        """Returns the ids of the sentence's parts: none if it is blank, one if it fits."""
        if not isinstance(sentence, str):
            raise InputError(f"sentence {number} is {type(sentence).__name__}; give str")
        try:
            sentence.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"sentence {number} contains {sentence[error.start]!r}, half a character; read "
                "the text as UTF-8"
            ) from None
        ids = self._source.encode(sentence)
        if not ids:
            return []
        if self._fits(ids):
            return [ids]
        texts = None
        if overlong == "split":
            texts = split_text(sentence, lambda text: self._fits(self._source.encode(text)))
        if texts is None:
            raise self._too_long(number, ids, "shorten it, or let overlong='split' split it")
        return [ids for ids in map(self._source.encode, texts) if ids]

    def _checked_ids(self, number: int, row: Sequence[int]) -> list[list[int]]:
        ids = np.asarray(row)
        if not ids.size:
            return []
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise InputError(f"sentence {number} is no list of integers; give source ids")
        if ids.min() < 0 or ids.max() >= self.bundle.source_vocabulary:
            raise InputError(
                f"sentence {number}: ids from {ids.min()} to {ids.max()} are outside the "
                f"vocabulary's 0 to {self.bundle.source_vocabulary - 1}; use the tokenizer of this "
                "bundle"
            )
        if not self._fits(ids):
            raise self._too_long(number, ids, "shorten or split it")
        return [ids.tolist()]

    def _fits(self, ids: Sequence[int]) -> bool:
        return len(ids) < self.bundle.max_source_length

    def _too_long(self, number: int, ids: Sequence[int], remedy: str) -> InputError:
        return InputError(
            f"sentence {number}: {len(ids) + 1} tokens with the end mark, but the bundle's limit "
            f"is {self.bundle.max_source_length}; {remedy}"
        )

    def _decode(self, ids: Sequence[int]) -> str:
        # A model's vocabulary may be padded beyond the tokenizer's.
        known = self._target.get_piece_size()
        return self._target.decode([token for token in ids if token < known]) or ""

    def _run(
        self,
        jobs: list[list[list[int]]],
        options: "_Options",
        progress: Progress | None,
        decode: Callable[[Sequence[int]], str] = lambda ids: None,
    ) -> list[list[Hypothesis]]:
        """Translates the parts of every sentence and joins them."""
        results = [[]] * len(jobs)
        # A length that follows another makes LiteRT plan anew, so equal lengths stand together.
        order = sorted(range(len(jobs)), key=lambda number: sum(map(len, jobs[number])))
        for done, number in enumerate(order, start=1):
            parts = [self._search(ids, options) for ids in jobs[number]]
            results[number] = [
                _join(hypotheses, options.length_penalty, decode) for hypotheses in zip(*parts)
            ] or [_join((), options.length_penalty, decode)]
            if progress is not None:
                progress(done, len(jobs))
        return results

    def _search(self, ids: list[int], options: "_Options") -> list[Hypothesis]:
        with self._lock:
            if self._engine is None:
                raise InputError("the translator is closed; make a new one")
            return self._engine.search(
                ids,
                beam_size=options.beam_size,
                n_best=options.n_best,
                max_length=options.max_length,
                length_penalty=options.length_penalty,
                with_scores=options.wants_hypotheses,
            )


@dataclass(frozen=True)
class _Options:
    """How to search, and what to return."""

    beam_size: int
    length_penalty: float
    n_best: int
    max_length: int | None
    return_scores: bool

    def __post_init__(self):
        _check_count("beam_size", self.beam_size)
        _check_count("n_best", self.n_best)
        if self.max_length is not None:
            _check_count("max_length", self.max_length)
        if self.n_best > self.beam_size:
            raise InputError(
                f"n_best={self.n_best} is more than beam_size={self.beam_size}; raise beam_size"
            )
        penalty = self.length_penalty
        if not isinstance(penalty, Real) or isinstance(penalty, bool) or not abs(penalty) <= 10:
            raise InputError(f"length_penalty={penalty!r}; give a number from -10 to 10")

    @property
    def wants_hypotheses(self) -> bool:
        return self.return_scores or self.n_best > 1


def _join(parts: Sequence[Hypothesis], length_penalty: float, decode) -> Hypothesis:
    """Joins the translations of a sentence's parts."""
    if len(parts) == 1:
        return replace(parts[0], text=decode(parts[0].ids))
    ids = [token for part in parts for token in part.ids]
    total = sum(part.log_probability for part in parts)
    length = len(ids) + len(parts)
    texts = [decode(part.ids) for part in parts]
    return Hypothesis(
        ids, total, total / max(length, 1) ** length_penalty, " ".join(filter(None, texts))
    )


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name}={value!r}; give a whole number of at least 1")


def _as_list(sentences: Iterable, kind: str) -> list:
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Iterable):
        raise InputError(f"sentences is {type(sentences).__name__}; give a list of {kind}")
    return list(sentences)


def _load_tokenizer(path: Path | None) -> sentencepiece.SentencePieceProcessor | None:
    if path is None:
        return None
    processor = sentencepiece.SentencePieceProcessor()
    try:
        # Given to the constructor, an empty file would count as none and pass unnoticed.
        processor.LoadFromSerializedProto(path.read_bytes())
    except RuntimeError:
        raise InputError(
            f"{path}: is no SentencePiece model; export or copy the bundle again"
        ) from None
    return processor
