"""SentencePiece models with what published folders do to a text before, as ALBERT's."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.pieces import check_ids, check_texts
from tfcompress.text.published import import_tokenizers, json_object, open_definition
from tfcompress.text.tokenizer import MODEL_FILE, SentencePieceTokenizer
from tfcompress.text.tokenizer_settings import check_settings, special_pieces

if TYPE_CHECKING:
    import tensorflow as tf

RULES = "rules.json"


class PublishedSentencePieceTokenizer(SentencePieceTokenizer):
    """A SentencePiece tokenizer behind rules of its publisher.

    A text is split at the tokens that are added, each other part is normalized, and what comes out
    is split by the SentencePiece model.

    Args:
        model: The path of a model file, as `spiece.model`, or its bytes.
        normalizer: As in a `tokenizer.json`, or None.
        added_tokens: As in a `tokenizer.json`; all of them are looked for in the text as it is.
        **special: The special pieces, as for `SentencePieceTokenizer`.

    Attributes:
        tokenizer_type: "published_sentencepiece".

    Raises:
        InputError: As `SentencePieceTokenizer` does, or a rule cannot be used.

    Example:
        >>> lower = {"type": "Lowercase"}
        >>> tokenizer = PublishedSentencePieceTokenizer("spiece.model", normalizer=lower)
        >>> tokenizer.encode(["It"]) == tokenizer.encode(["it"])
        True
    """

    tokenizer_type = "published_sentencepiece"

    def __init__(
        self,
        model: str | os.PathLike | bytes,
        *,
        normalizer: Mapping[str, Any] | None = None,
        added_tokens: Sequence[Mapping[str, Any]] = (),
        **special: Any,
    ):
        super().__init__(model, **special)
        self._normalizer, self._added = normalizer, [*map(dict, added_tokens)]
        self._model_size = self.vocabulary_size
        try:
            self._splitter, self._normalize = _rules(self._normalizer, self._added)
            self._added_ids = [token["id"] for token in self._added]
            self.vocabulary_size = 1 + max([self.vocabulary_size - 1, *self._added_ids])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The rules of the SentencePiece tokenizer cannot be used. Received: {error!r}. "
                "Copy its files again."
            ) from None

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> "PublishedSentencePieceTokenizer":
        """Makes the tokenizer again from what `settings` and `files` returned.

        Args:
            settings: The settings, as JSON holds them.
            files: The contents of its files by name.

        Raises:
            InputError: A setting or file is missing or wrong.

        Example:
            >>> tokenizer = PublishedSentencePieceTokenizer("spiece.model")
            >>> settings, files = tokenizer.settings(), tokenizer.files()
            >>> again = PublishedSentencePieceTokenizer.from_settings(settings, files)
        """
        check_settings(cls.tokenizer_type, settings, files, names=[MODEL_FILE, RULES])
        model, rules = files[MODEL_FILE], json_object(files[RULES], RULES)
        return cls(
            model,
            normalizer=rules.get("normalizer"),
            added_tokens=rules.get("added_tokens") or (),
            **special_pieces(settings, cls.piece_list(model)),
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenizes texts, without begin and end ids.

        Args:
            texts: Plain texts.

        Returns:
            The ids of every text.

        Example:
            >>> tokenizer = PublishedSentencePieceTokenizer("spiece.model")
            >>> tokenizer.decode(tokenizer.encode(["it runs"]))
            ['it runs']
        """
        return [self._encode_text(text) for text in check_texts(texts)]

    def encode_corpus(self, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Tokenizes many texts; see `Tokenizer.encode_corpus`."""
        rows = self.encode(sentences)
        ids = np.concatenate([np.zeros(0, np.int32), *(np.array(row, np.int32) for row in rows)])
        return ids, np.cumsum([0, *map(len, rows)], dtype=np.int64)

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to texts; padding, begin and end ids leave no trace.

        Args:
            ids: The ids of every text, lists or arrays.

        Returns:
            The texts; tokens beside the model's pieces stand between spaces.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> tokenizer = PublishedSentencePieceTokenizer("spiece.model")
            >>> tokenizer.decode([[2, *tokenizer.encode(["it runs"])[0], 3, 0]])
            ['it runs']
        """
        return [*map(self._decode_row, check_ids(ids, self.vocabulary_size))]

    def files(self) -> dict[str, bytes]:
        """Returns the files of this tokenizer: the model and the rules."""
        rules = {"normalizer": self._normalizer, "added_tokens": self._added}
        text = json.dumps(rules, ensure_ascii=False, indent=1)
        return super().files() | {RULES: text.encode()}

    def tokenize_dataset(self, dataset: "tf.data.Dataset") -> "tf.data.Dataset":
        """Is refused: tensorflow-text does not know the rules.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "A published SentencePiece tokenizer has no tf.data form. Received: a call of "
            "tokenize_dataset. Use encode."
        )

    def _encode_text(self, text):
        ids = []
        encoding = self._splitter.encode(text)
        for number, (begin, end) in zip(encoding.ids, encoding.offsets):
            if number:
                ids.append(self._added_ids[number - 1])
            else:
                ids += self._processor.encode(self._normalize(text[begin:end]))
        return ids

    def _decode_row(self, row):
        texts, pieces = [], []
        for number in [*row, None]:
            if number is not None and number < self._model_size:
                pieces.append(number)
                continue
            texts += super().decode([pieces])
            pieces = []
            texts += [token["content"] for token in self._added if token["id"] == number]
        return " ".join(filter(None, texts))


def _rules(normalizer, added):
    """Returns what splits a text at added tokens, numbered from 1, and what normalizes a part."""
    tokenizers = import_tokenizers()
    splitter = tokenizers.Tokenizer(tokenizers.models.WordLevel({"": 0}, ""))
    names = ("single_word", "lstrip", "rstrip")
    for token in added:
        flags = {name: token[name] for name in names}
        added_token = tokenizers.AddedToken(token["content"], normalized=False, **flags)
        splitter.add_tokens([added_token])
    if normalizer is None:
        return splitter, str
    # The way to a normalizer from what a file says of it.
    model = {"type": "WordLevel", "vocab": {}, "unk_token": ""}
    definition = {"version": "1.0", "added_tokens": [], "normalizer": normalizer, "model": model}
    return splitter, open_definition(definition).normalizer.normalize_str
