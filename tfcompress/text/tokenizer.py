"""SentencePiece tokenizers: trained once, used by Python, by tf.data and on the device."""

import io
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import sentencepiece

from tfcompress.errors import InputError, InputWarning
from tfcompress.files import read_regular, replace_file
from tfcompress.text.affixes import Affixes, num_ids, read_affixes
from tfcompress.text.pieces import check_ids, special_ids
from tfcompress.text.tokenizer_settings import check_settings, special_pieces

if TYPE_CHECKING:
    import tensorflow as tf

MODEL_TYPES = ("bpe", "unigram")
NORMALIZATIONS = ("nmt_nfkc", "identity")
MODEL_FILE = "tokenizer.model"
_SPECIAL_IDS = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
_MIN_LIMIT, _MAX_LIMIT = 10, 1 << 30
_CHUNK = 1 << 14
# No SentencePiece model is larger.
_MOST_BYTES = 1 << 28
# Characters that SentencePiece keeps for itself; it trains on no sentence that holds one.
_UNUSABLE = "\0\u2585"


class Tokenizer:
    """Turns sentences into piece ids and back, with a SentencePiece model.

    The same model runs in Python (`encode`, `encode_corpus`, `decode`) and inside TensorFlow
    through tensorflow-text (`tokenize_dataset`), with the same ids. TensorFlow is imported only by
    the latter.

    Args:
        model: The path of a `.model` file, or its bytes.

    Attributes:
        proto: The serialized SentencePiece model.
        vocabulary_size: The number of ids, special pieces included. Pieces after the piece `NO_ID`,
            where the model has one, have none and count as unknown.
        pad_id: The id that fills batches.
        bos_id: The id that begins a target sentence; it may be that of padding.
        eos_id: The id that ends a sentence.
        unk_id: The id of what the vocabulary cannot spell.
        affixes: The ids that stand around every text, such as the code of its language.

    Raises:
        InputError: The file is missing or no SentencePiece model, or the model lacks one of the
            four special pieces.

    Example:
        >>> tokenizer = Tokenizer("tokenizer.model")
        >>> tokenizer.decode(tokenizer.encode(["two dogs play ."]))
        ['two dogs play .']
    """

    affixes = Affixes()

    def __init__(self, model: str | os.PathLike | bytes):
        name, self.proto, self._processor = open_model(model)
        self.vocabulary_size = num_ids(self._processor)
        self.affixes = read_affixes(self._processor, name)
        self.pad_id = self._processor.pad_id()
        self.bos_id = self._processor.bos_id()
        self.eos_id = self._processor.eos_id()
        self.unk_id = self._processor.unk_id()
        ids = {key: getattr(self, key) for key in _SPECIAL_IDS}
        if min(ids.values()) < 0 or max(ids.values()) >= self.vocabulary_size:
            raise InputError(
                f"A tokenizer must have pad, bos, eos and unk. Received: {name} with {ids}. Train "
                "it with train_tokenizer."
            )

    def __reduce__(self):
        return Tokenizer, (self.proto,)

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """Tokenizes sentences, without begin and end ids.

        Args:
            sentences: Plain sentences.

        Returns:
            The piece ids of every sentence.

        Example:
            >>> len(tokenizer.encode(["two dogs", "a man"]))
            2
        """
        rows = self._processor.encode(_sentence_list(sentences))
        if self._processor.get_piece_size() == self.vocabulary_size:
            return rows
        return [
            self.affixes.around(id if id < self.vocabulary_size else self.unk_id for id in row)
            for row in rows
        ]

    def encode_with_spans(
        self, sentences: Sequence[str]
    ) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Tokenizes sentences, and says where in the text each piece begins and ends.

        Args:
            sentences: Plain sentences.

        Returns:
            The piece ids of every sentence, those of `encode` without affixes, and a pair of places
            for each.

        Example:
            >>> ids, spans = tokenizer.encode_with_spans(["two dogs"])[0]
            >>> spans[0][0], spans[-1][1]
            (0, 8)
        """
        rows = self._processor.encode(_sentence_list(sentences), return_type="offset_mapping")
        most = self.vocabulary_size
        return [
            ([id if id < most else self.unk_id for id in row["ids"]], row["offsets"])
            for row in rows
        ]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to sentences; padding, begin and end ids leave no trace.

        Args:
            ids: Piece ids of every sentence, lists or arrays.

        Returns:
            The sentences.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> tokenizer.decode([[*tokenizer.encode(["two dogs"])[0], 2, 0, 0]])
            ['two dogs']
        """
        rows = [np.asarray(row, dtype=np.int64) for row in ids]
        for number, row in enumerate(rows):
            if row.size and (row.min() < 0 or row.max() >= self.vocabulary_size):
                raise InputError(
                    f"Ids are outside this tokenizer's 0 to {self.vocabulary_size - 1}. Received: "
                    f"sentence {number} with ids from {row.min()} to {row.max()}. Use the "
                    "tokenizer that made them."
                )
        return [self._processor.decode(row.tolist()) if row.size else "" for row in rows]

    @property
    def word_starts(self) -> np.ndarray:
        """For each id, whether a word begins with it; the special pieces are words of their own.

        Example:
            >>> tokenizer.word_starts[:4]
            array([ True,  True,  True, False])
        """
        special, processor = {self.pad_id, self.bos_id, self.eos_id}, self._processor
        return np.array(
            [
                number in special
                or processor.is_control(number)
                or processor.id_to_piece(number).startswith("\u2581")
                for number in range(self.vocabulary_size)
            ]
        )

    def tokenize_dataset(self, dataset: "tf.data.Dataset") -> "tf.data.Dataset":
        """Tokenizes a dataset inside the input pipeline, with tensorflow-text.

        Args:
            dataset: Batches of strings (or single strings).

        Returns:
            A dataset of ragged int32 ids `[batch, None]` (for single strings, vectors of ids).

        Example:
            >>> lines = tf.data.TextLineDataset("corpus/train.en").batch(1024)
            >>> ids = tokenizer.tokenize_dataset(lines)
        """
        import tensorflow as tf
        import tensorflow_text as tf_text

        tokenizer = tf_text.SentencepieceTokenizer(model=self.proto, out_type=tf.int32)
        prefix, suffix = (tf.constant(ids, tf.int32) for ids in self.affixes)

        def tokenize(texts):
            ids = tf.ragged.map_flat_values(
                lambda ids: tf.where(ids < self.vocabulary_size, ids, self.unk_id),
                tokenizer.tokenize(texts),
            )
            if self.affixes.is_empty:
                return ids
            shape = tf.shape(texts)
            around = [
                tf.broadcast_to(x, tf.concat([shape, [tf.size(x)]], 0)) for x in (prefix, suffix)
            ]
            return tf.concat([around[0], ids, around[1]], axis=-1)

        return dataset.map(tokenize, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def encode_corpus(self, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Tokenizes many sentences, on all processors.

        Args:
            sentences: Plain sentences.

        Returns:
            `(ids, row_splits)`: all ids in one int32 array, and int64 row splits such that
            sentence `i` is `ids[row_splits[i]:row_splits[i + 1]]`.

        Example:
            >>> ids, row_splits = tokenizer.encode_corpus(["two dogs", "a man"])
        """
        rows = self._processor.encode(
            _sentence_list(sentences), return_type="numpy", num_threads=os.cpu_count() or 1
        )
        if not self.affixes.is_empty:
            rows = [np.array(self.affixes.around(row), np.int32) for row in rows]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        ids = np.concatenate([np.zeros(0, np.int32), *rows])
        ids = np.where(ids < self.vocabulary_size, ids, self.unk_id).astype(np.int32)
        return ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


class SentencePieceTokenizer(Tokenizer):
    """A SentencePiece tokenizer of a text encoder: its special pieces have any ids.

    Args:
        model: The path of a model file, as `spiece.model`, or its bytes.
        pad: The piece that fills batches.
        unk: The piece for what the vocabulary cannot spell.
        start: The piece that begins a text.
        end: The piece that ends a text.
        special: Further special pieces, as "[MASK]".

    Attributes:
        tokenizer_type: "sentencepiece".
        start_id: The id of `start`, also called `bos_id`.
        end_id: The id of `end`, also called `eos_id`.

    Raises:
        InputError: The file is missing or no SentencePiece model, or the model lacks a special
            piece.

    Example:
        >>> tokenizer = SentencePieceTokenizer("spiece.model")
        >>> tokenizer.start_id, tokenizer.end_id
        (2, 3)
    """

    tokenizer_type = "sentencepiece"

    def __init__(
        self,
        model: str | os.PathLike | bytes,
        *,
        pad: str = "<pad>",
        unk: str = "<unk>",
        start: str = "[CLS]",
        end: str = "[SEP]",
        special: Sequence[str] = (),
    ):
        name, self.proto, self._processor = open_model(model)
        self.vocabulary_size = self._processor.get_piece_size()
        ids = {piece: number for number, piece in enumerate(_pieces(self._processor))}
        roles = {"pad": pad, "unk": unk, "start": start, "end": end}
        special_roles = special_ids(ids, roles, f"SentencePiece {name}")
        self.pad_id, self.unk_id, self.bos_id, self.eos_id = special_roles
        self.start_id, self.end_id = self.bos_id, self.eos_id
        self._more_ids = special_ids(ids, dict.fromkeys(special), f"SentencePiece {name}")

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> "SentencePieceTokenizer":
        """Makes the tokenizer again from what `settings` and `files` returned.

        Args:
            settings: The settings, as JSON holds them.
            files: The contents of its files by name.

        Raises:
            InputError: A setting or file is missing or wrong.

        Example:
            >>> tokenizer = SentencePieceTokenizer("spiece.model")
            >>> settings, files = tokenizer.settings(), tokenizer.files()
            >>> again = SentencePieceTokenizer.from_settings(settings, files)
        """
        check_settings(cls.tokenizer_type, settings, files, names=[MODEL_FILE])
        model = files[MODEL_FILE]
        return cls(model, **special_pieces(settings, cls.piece_list(model)))

    def __reduce__(self):
        return type(self).from_settings, (self.settings(), self.files())

    @staticmethod
    def piece_list(model: bytes) -> list[str]:
        """Returns the pieces of a model in the order of their ids.

        Example:
            >>> SentencePieceTokenizer.piece_list(Path("spiece.model").read_bytes())[:4]
            ['<pad>', '<unk>', '[CLS]', '[SEP]']
        """
        return _pieces(open_model(model)[2])

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to texts; padding, begin and end ids leave no trace.

        Args:
            ids: The ids of every text, lists or arrays.

        Returns:
            The texts.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> tokenizer = SentencePieceTokenizer("spiece.model")
            >>> tokenizer.decode([[2, *tokenizer.encode(["it runs"])[0], 3, 0]])
            ['it runs']
        """
        hidden = {self.pad_id, self.start_id, self.end_id}
        rows = check_ids(ids, self.vocabulary_size)
        return super().decode([[number for number in row if number not in hidden] for row in rows])

    def settings(self) -> dict[str, Any]:
        """Returns what, with `files`, makes this tokenizer again."""
        return {
            "tokenizer_type": self.tokenizer_type,
            "pad_id": self.pad_id,
            "unk_id": self.unk_id,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "special_ids": self._more_ids,
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files of this tokenizer: the model."""
        return {MODEL_FILE: self.proto}


def train_tokenizer(
    sentences: Iterable[str],
    *,
    vocabulary_size: int,
    path: str | os.PathLike,
    model_type: str = "unigram",
    normalization: str = "nmt_nfkc",
    seed: int = 0,
    input_sentence_size: int = 300_000,
    hard_vocab_limit: bool = True,
) -> Tokenizer:
    """Trains a SentencePiece model; the same sentences give the same file.

    Padding is id 0, begin 1, end 2 and unknown 3; every character of the text that it is trained on
    is covered.

    Args:
        sentences: The training text; for a joint vocabulary, sentences of both languages.
        vocabulary_size: The number of pieces, the four special ones included.
        path: Where to write the `.model` file; it appears complete or not at all.
        model_type: `"unigram"` or `"bpe"`.
        normalization: `"nmt_nfkc"`, or `"identity"` for text to be kept as it is.
        seed: Of SentencePiece's random generator.
        input_sentence_size: The most sentences to train on: of more, SentencePiece draws so many.
        hard_vocab_limit: Whether too little text for the vocabulary is an error; else a unigram
            model has as many pieces as the text gives.

    Returns:
        The trained tokenizer.

    Raises:
        InputError: There is no text, or the corpus is too small for the vocabulary or the
            vocabulary too small for its characters.

    Example:
        >>> sources, targets = corpus.splits["train"]
        >>> tokenizer = train_tokenizer(
        ...     sources + targets, vocabulary_size=600, path="joint.model"
        ... )
    """
    if model_type not in MODEL_TYPES:
        raise InputError(
            f"`model_type` must be one of {', '.join(MODEL_TYPES)}. Received: {model_type!r}."
        )
    if normalization not in NORMALIZATIONS:
        raise InputError(
            f"`normalization` must be one of {', '.join(NORMALIZATIONS)}. Received: "
            f"{normalization!r}."
        )
    if vocabulary_size <= len(_SPECIAL_IDS):
        raise InputError(
            f"A vocabulary must be larger than its {len(_SPECIAL_IDS)} special pieces. Received: "
            f"vocabulary_size={vocabulary_size}. Give a larger one."
        )
    text = _TrainingText(sentences, input_sentence_size)
    model = io.BytesIO()
    sentencepiece.set_random_generator_seed(seed)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(text),
            model_writer=model,
            vocab_size=vocabulary_size,
            model_type=model_type,
            normalization_rule_name=normalization,
            character_coverage=1.0,
            byte_fallback=False,
            hard_vocab_limit=hard_vocab_limit,
            **text.options,
            minloglevel=2,
            pad_id=0,
            bos_id=1,
            eos_id=2,
            unk_id=3,
        )
    except RuntimeError as error:
        raise _training_error(vocabulary_size, str(error)) from None
    text.warn()
    replace_file(path, model.getvalue())
    return Tokenizer(model.getvalue())


class _TrainingText:
    """The sentences that a tokenizer is trained on, checked while they pass.

    Attributes:
        options: What SentencePiece must know of them.
    """

    def __init__(self, sentences: Iterable[str], most: int):
        if isinstance(sentences, str | bytes):
            _sentence_list(sentences)
        if most < 1:
            raise InputError(
                f"`input_sentence_size` is too small. Received: {most}. Give at least 1."
            )
        self._rest = iter(sentences)
        self._first = _sentence_list(islice(self._rest, most))
        if not any(sentence.strip() for sentence in self._first):
            raise InputError(
                "There is no text to train the tokenizer on. Received: no sentences. Give at least "
                "one sentence."
            )
        self._count = self._left_out = 0
        # SentencePiece skips longer sentences, and refuses a smaller limit than this.
        longest = max(_MIN_LIMIT, *(len(line.encode()) for line in self._first))
        self.options: dict[str, Any] = {"max_sentence_length": longest}
        following = next(self._rest, None)
        if following is not None:
            self._rest = chain([following], self._rest)
            self.options = {"max_sentence_length": _MAX_LIMIT, "input_sentence_size": most}

    def __iter__(self):
        first, self._first = self._first, []
        while first:
            yield from self._seen(first)
            first = _sentence_list(islice(self._rest, _CHUNK))

    def _seen(self, sentences):
        self._count += len(sentences)
        self._left_out += sum(any(c in sentence for c in _UNUSABLE) for sentence in sentences)
        yield from sentences

    def warn(self):
        """Says how many sentences SentencePiece left out."""
        if self._left_out:
            warnings.warn(
                f"{self._left_out:,} of {self._count:,} sentences are left out of the tokenizer's "
                "training, as SentencePiece does with those that hold NUL or U+2585",
                InputWarning,
                stacklevel=3,
            )


def open_model(model: str | os.PathLike | bytes) -> tuple[str, bytes, Any]:
    """Returns a model's name for messages, its bytes and its processor."""
    if isinstance(model, bytes):
        name, proto = "tokenizer", model
    else:
        name = f"tokenizer {os.fspath(model)}"
        try:
            proto = read_regular(model, most_bytes=_MOST_BYTES)
        except OSError as error:
            raise InputError(f"{error.strerror}. Received: {name}. Give a .model file.") from None
    try:
        # Given to the constructor, an empty model would count as none and pass unnoticed.
        processor = sentencepiece.SentencePieceProcessor()
        processor.LoadFromSerializedProto(proto)
    except RuntimeError:
        raise InputError(
            f"The file is no SentencePiece model. Received: {name}, {len(proto)} bytes. Copy or "
            "train it again."
        ) from None
    return name, proto, processor


def _pieces(processor):
    return [processor.id_to_piece(number) for number in range(processor.get_piece_size())]


def _sentence_list(sentences: Iterable[str]) -> list[str]:
    if isinstance(sentences, str | bytes):
        raise InputError(
            "`sentences` must be a list. Received: one string. Give a list of sentences."
        )
    sentences = list(sentences)
    for number, sentence in enumerate(sentences):
        if not isinstance(sentence, str):
            raise InputError(
                f"A sentence must be str. Received: sentence {number} of type "
                f"{type(sentence).__name__}. Give str."
            )
    try:
        "".join(sentences).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The sentences contain a lone surrogate. Received: {error.object[error.start]!r}. "
            "Read the text as UTF-8."
        ) from None
    return sentences


def _training_error(vocabulary_size: int, message: str) -> InputError:
    too_large = re.search(r"value <= (\d+)", message)
    if too_large:
        return InputError(
            "The vocabulary is too large for this corpus. Received: "
            f"vocabulary_size={vocabulary_size}. Give at most {too_large.group(1)}, or more text."
        )
    too_small = re.search(r"smaller than required_chars\. \d+ vs (\d+)", message)
    if too_small:
        return InputError(
            "The vocabulary is too small for this corpus's characters. Received: "
            f"vocabulary_size={vocabulary_size}. Give at least {too_small.group(1)}."
        )
    return InputError(
        f"The tokenizer cannot be trained on this text. Received: {message}. Give other text."
    )
