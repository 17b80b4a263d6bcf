"""Classifies, tags and embeds texts with a bundle."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, overload

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.ids import check_range, whole_numbers, without_padding
from tfcompress.runtime.model import Model, Progress, check_text
from tfcompress.runtime.text_encoder_bundle import (
    CLASSIFICATION,
    EMBEDDING,
    MULTI_LABEL,
    REGRESSION,
    TOKEN_CLASSIFICATION,
    TextEncoderBundle,
)
from tfcompress.runtime.text_encoder_tokenizer import load_tokenizer

THRESHOLD = 0.5
_METHODS = {
    CLASSIFICATION: "classify",
    MULTI_LABEL: "classify",
    REGRESSION: "score",
    TOKEN_CLASSIFICATION: "tag",
    EMBEDDING: "embed",
    None: "encode",
}


@dataclass(frozen=True)
class Classification:
    """The class of a text, or its classes.

    Attributes:
        label: The name of the most probable class, or its number where the bundle has no names.
        probability: Its probability.
        probabilities: Those of all classes, float32 `[classes]`. Of a multi-label classification,
            each lies between 0 and 1 by itself.
        labels: `label` alone; of a multi-label classification, all classes whose probability
            reaches the threshold, in their order.
    """

    label: str | int
    probability: float
    probabilities: np.ndarray
    labels: tuple[str | int, ...]


@dataclass(frozen=True)
class Tag:
    """The class of a token.

    Attributes:
        piece: The token's text.
        label: The name of its most probable class, or its number where the bundle has no names.
        probability: Its probability.
    """

    piece: str
    label: str | int
    probability: float


class TextModel(Model[TextEncoderBundle]):
    """Runs an exported text encoder; needs LiteRT and numpy, and no TensorFlow.

    Arguments, attributes and errors are those of `Model`: `path`, `num_threads`, `native` and
    `verify`; and there are `labels`, the names of the classes or scores, or None.

    Example:

    >>> with TextModel("sentiment") as model:
    ...     model.classify(["A gripping film."])[0].label in ("negative", "positive")
    True
    """

    bundle_class = TextEncoderBundle
    unit = "text"
    overlong = ("error", "cut")

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The names of the classes or scores, or None."""
        return self.bundle.labels

    @overload
    def classify(
        self,
        texts: str,
        *,
        overlong: str = ...,
        progress: Progress | None = ...,
        threshold: float | None = ...,
    ) -> Classification: ...
    @overload
    def classify(
        self,
        texts: Sequence[str],
        *,
        overlong: str = ...,
        progress: Progress | None = ...,
        threshold: float | None = ...,
    ) -> list[Classification]: ...

    def classify(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "error",
        progress: Progress | None = None,
        threshold: float | None = None,
    ) -> Classification | list[Classification]:
        """Classifies texts.

        Texts are computed one at a time, those of one length after another; a batch gives what its
        texts give alone. A blank text has a class too: it is begin and end, and what the tokenizer
        makes of white space.

        Args:
            texts: The texts, or a single one.
            overlong: What to do with a text of more tokens than the bundle's limit: "cut" its end
                off, or raise an "error".
            progress: Called after each text with the number done and the number of all.
            threshold: Of a multi-label classification, the least probability of a text's classes;
                0.5 by default.

        Returns:
            The class or classes of each text, or of the single one.

        Raises:
            InputError: The bundle has another head or no tokenizer, a text is none or too long, or
                the threshold is impossible or not for this bundle.
        """
        self._check_head(CLASSIFICATION, MULTI_LABEL)
        if self.bundle.head == CLASSIFICATION:
            if threshold is not None:
                raise InputError(
                    "`threshold` is for several classes a text only. Received: "
                    f"threshold={threshold!r} for {self.bundle.path}. Leave it out."
                )
            take = self._classified
        else:
            least = THRESHOLD if threshold is None else threshold
            if not isinstance(least, Real) or not 0 <= least <= 1:
                raise InputError(
                    f"`threshold` must be a number from 0 to 1. Received: threshold={threshold!r}."
                )
            take = functools.partial(self._members, least=least)
        return self._each(texts, overlong, progress, lambda ids, outputs: take(outputs["logits"]))

    def score(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "error",
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Gives texts the scores of a regression, as the model computes them.

        Args:
            texts: As in `classify`.
            overlong: As in `classify`.
            progress: As in `classify`.

        Returns:
            float32 `[texts]`, or `[texts, scores]` where the model gives several; of a single text
            without the first extent.

        Raises:
            InputError: As in `classify`.
        """
        self._check_head(REGRESSION)
        width = self.bundle.outputs["logits"].width
        rows = self._each(texts, overlong, progress, lambda ids, outputs: outputs["logits"])
        shape = [-1] * (not isinstance(texts, str)) + [width] * (width > 1)
        return np.array(rows, np.float32).reshape(shape)

    def tag(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "error",
        progress: Progress | None = None,
    ) -> list:
        """Classifies the tokens of texts.

        Args:
            texts: As in `classify`.
            overlong: As in `classify`.
            progress: As in `classify`.

        Returns:
            For each text, or for the single one, the `Tag` of each of its tokens, begin and end
            left out.

        Raises:
            InputError: As in `classify`.
        """
        self._check_head(TOKEN_CLASSIFICATION)
        return self._each(texts, overlong, progress, self._tags)

    def embed(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "error",
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Gives texts their vectors.

        Args:
            texts: As in `classify`.
            overlong: As in `classify`.
            progress: As in `classify`.

        Returns:
            float32 `[texts, width]`, or `[width]` of a single text.

        Raises:
            InputError: As in `classify`.
        """
        self._check_head(EMBEDDING)
        rows: Any = self._each(texts, overlong, progress, lambda ids, outputs: outputs["embedding"])
        if isinstance(texts, str):
            return rows
        return np.array(rows, np.float32).reshape(-1, self.bundle.outputs["embedding"].width)

    @overload
    def encode(
        self,
        texts: str,
        *,
        overlong: str = ...,
        progress: Progress | None = ...,
    ) -> dict[str, np.ndarray]: ...
    @overload
    def encode(
        self,
        texts: Sequence[str],
        *,
        overlong: str = ...,
        progress: Progress | None = ...,
    ) -> list[dict[str, np.ndarray]]: ...

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "error",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray] | list[dict[str, np.ndarray]]:
        """Gives the model's results of texts, whatever its head.

        Args:
            texts: As in `classify`.
            overlong: As in `classify`.
            progress: As in `classify`.

        Returns:
            What `run` does, for each text or for the single one.

        Raises:
            InputError: The bundle has no tokenizer, or a text is none or too long.
        """
        return self._each(texts, overlong, progress, lambda ids, outputs: outputs)

    def run(
        self,
        sentences: Sequence[Sequence[int]],
        *,
        token_type_ids: Sequence[Sequence[int]] | None = None,
    ) -> list[dict[str, np.ndarray]]:
        """Runs the model on texts that are tokenized already.

        Args:
            sentences: Token ids of each text, begin and end marks included. Padding at its end is
                cut off, so that the results are those of the text without.
            token_type_ids: The type of each token, where the model has types; 0 by default.

        Returns:
            The model's results of each text by name, float32: `logits`, `embedding`, or without a
            head `hidden` and `pooled`.

        Raises:
            InputError: A text has no ids, ids outside the vocabulary, padding before other ids, or
                too many ids.
        """
        named = [
            (name, whole_numbers(name, row))
            for name, row in self._named_list(sentences, "lists of ids")
        ]
        rows = [row for _, row in named]
        types = [None] * len(rows)
        if token_type_ids is not None:
            types = self._checked_types(
                rows, [row for _, row in self._named_list(token_type_ids, "lists of types")]
            )
        jobs = []
        for (name, row), row_types in zip(named, types):
            ids = self._checked(name, row)
            row_types = None if row_types is None else row_types[: len(ids)]
            jobs.append((ids, lambda engine, ids=ids, types=row_types: engine.run(ids, types)))
        return self._compute(jobs, lambda ids, outputs: outputs)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of texts, however long, begin and end included.

        Args:
            texts: The texts.

        Raises:
            InputError: The bundle has no tokenizer, or a text is none.
        """
        return [self._tokenize(name, text) for name, text in self._named_list(texts)]

    @functools.cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self.bundle)

    def _check_head(self, *tasks):
        head = self.bundle.head
        if head not in tasks:
            raise InputError(
                f"The method needs a head for {' or '.join(tasks)}. Received: {self.bundle.path} "
                f"with {f'one for {head}' if head else 'none'}. Use {_METHODS[head]}."
            )

    def _each(self, texts, overlong, progress, take):
        self._check_overlong(overlong)
        limit = self.bundle.max_length
        jobs = []
        for name, text in self._named(texts):
            ids = self._tokenize(name, text)
            if len(ids) > limit and (overlong == "error" or limit < 2):
                remedy = "Shorten it, or set `overlong` to cut"
                raise self._too_long(name, ids, remedy)
            if len(ids) > limit:
                ids = [*ids[: limit - 1], ids[-1]]
            jobs.append((ids, lambda engine, text=text, ids=ids: engine.encode(text, ids)))
        results = self._compute(jobs, take, progress)
        return results[0] if isinstance(texts, str) else results

    def _tokenize(self, name: str, text: str) -> list[int]:
        if self.bundle.tokenizer is None:
            raise self._without_tokenizer("run")
        check_text(name, text)
        return self._run(lambda engine: engine.tokenize(text))

    def _checked(self, name: str, ids: list[int]) -> list[int]:
        check_range(name, ids, self.bundle.vocabulary)
        ids = without_padding(name, ids, self.bundle.pad)
        if not ids:
            raise InputError(
                f"A text needs ids. Received: none in {name}. Give at least begin and end."
            )
        if len(ids) > self.bundle.max_length:
            raise self._too_long(name, ids, "Shorten it")
        return ids

    def _checked_types(self, rows, types):
        if not self.bundle.token_types:
            raise InputError(
                f"The model has no token types. Received: {self.bundle.path}. Leave "
                "`token_type_ids` out."
            )
        types = [whole_numbers(f"token_type_ids {n}", row) for n, row in enumerate(types)]
        if [*map(len, rows)] != [*map(len, types)]:
            raise InputError(
                "Every id must have a token type. Received: "
                f"{[*map(len, types)]} for {[*map(len, rows)]} ids. Give as many."
            )
        for number, row in enumerate(types):
            if row and not 0 <= min(row) <= max(row) < self.bundle.token_types:
                raise InputError(
                    f"Token types must be from 0 to {self.bundle.token_types - 1}. Received: "
                    f"{min(row)} to {max(row)} in text {number}. Give others."
                )
        return types

    def _too_long(self, name: str, ids: Sequence[int], remedy: str) -> InputError:
        return InputError(
            f"A text must fit the bundle's limit. Received: {len(ids)} tokens with begin and end "
            f"in {name}, limit={self.bundle.max_length}. {remedy}."
        )

    def _compute(
        self,
        jobs: list[tuple],
        take: Callable[[list[int], dict], Any],
        progress: Progress | None = None,
    ) -> list:
        """Computes each job, its ids and what runs them, those of one length after another."""
        results = [None] * len(jobs)
        # A length that follows another makes LiteRT plan anew.
        order = sorted(range(len(jobs)), key=lambda number: len(jobs[number][0]))
        for done, number in enumerate(order, start=1):
            ids, compute = jobs[number]
            results[number] = take(ids, self._run(compute))
            if progress is not None:
                progress(done, len(jobs))
        return results

    def _classified(self, logits):
        probabilities = softmax(logits)
        best = int(probabilities.argmax())
        label = self._label(best)
        return Classification(label, float(probabilities[best]), probabilities, (label,))

    def _members(self, logits, least):
        probabilities = sigmoid(logits)
        best = int(probabilities.argmax())
        labels = tuple(self._label(int(i)) for i in np.flatnonzero(probabilities >= least))
        return Classification(self._label(best), float(probabilities[best]), probabilities, labels)

    def _tags(self, ids, outputs):
        pieces = self._tokenizer.decode([[token] for token in ids[1:-1]])
        classes = map(self._classified, outputs["logits"][1:-1])
        return [Tag(piece, one.label, one.probability) for piece, one in zip(pieces, classes)]

    def _label(self, number):
        return number if self.labels is None else self.labels[number]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns the probabilities of logits along the last axis, float32."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Returns the probabilities of logits by themselves, float32."""
    return np.exp(-np.logaddexp(np.float32(0), -logits))
