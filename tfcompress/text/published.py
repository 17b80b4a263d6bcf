"""Tokenizers as their publishers defined them, in the format of the package tokenizers."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfcompress.errors import InputError
from tfcompress.text.pieces import check_ids, check_texts, special_ids
from tfcompress.text.published_parts import check_parts
from tfcompress.text.tokenizer_settings import ROLES, check_settings

FILE = "tokenizer.json"


class PublishedTokenizer:
    """Turns texts into ids as the `tokenizer.json` of a published model says.

    The package tokenizers reads that file, so that every id is the publisher's. Tokens that the
    file adds to the vocabulary, the special ones among them, are recognized where a text spells
    them out. Padding and truncation that the file asks for are left out: `encode_texts` does both.

    Args:
        definition: The content of a `tokenizer.json`.
        pad: The piece that fills batches, or its id.
        start: The piece that begins a text, or its id, where the definition puts none there.
        end: The piece that ends a text, or its id, where the definition puts none there.
        unk: The piece for what the vocabulary cannot spell, or its id, where the definition names
            none; None if there is none.

    Attributes:
        tokenizer_type: "published".
        definition: The content of its `tokenizer.json`.
        vocabulary_size: One more than the highest id.
        pad_id: The id of `pad`.
        start_id: The id of `start`.
        end_id: The id of `end`.
        unk_id: The id of `unk`, or None.

    Raises:
        InputError: The definition cannot be used, has a part that is not supported, or lacks a
            special piece.

    Example:
        >>> definition = json.loads(Path("tokenizer.json").read_text())
        >>> tokenizer = PublishedTokenizer(definition, pad="[PAD]")
        >>> tokenizer.decode(tokenizer.encode(["It runs!"]))
        ['it runs!']
    """

    tokenizer_type = "published"

    def __init__(
        self,
        definition: Mapping[str, Any],
        *,
        pad: str | int,
        start: str | int | None = None,
        end: str | int | None = None,
        unk: str | int | None = None,
    ):
        self._tokenizer = open_definition(definition)
        # Parts in their present spelling, which is the one that the native runtime reads.
        self.definition = {
            **definition,
            "truncation": None,
            "padding": None,
            "normalizer": part_state(self._tokenizer.normalizer),
            "pre_tokenizer": part_state(self._tokenizer.pre_tokenizer),
            "model": {**definition["model"], "type": type(self._tokenizer.model).__name__},
        }
        check_parts(self.definition)
        self._ids = self._tokenizer.get_vocab(with_added_tokens=True)
        self.vocabulary_size = 1 + max(self._ids.values(), default=-1)
        self._check_added_tokens()
        around = self._around(start, end)
        roles = {"pad": pad, "unk": self._unknown(unk), "start": around[0], "end": around[1]}
        used = {
            role: self._piece(special) for role, special in roles.items() if special is not None
        }
        ids = dict(zip(used, special_ids(self._ids, used, "vocabulary")))
        self.pad_id, self.start_id, self.end_id = ids["pad"], ids["start"], ids["end"]
        self.unk_id = ids.get("unk")

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> "PublishedTokenizer":
        """Makes the tokenizer again from what `settings` and `files` returned.

        Args:
            settings: The settings, as JSON holds them.
            files: The contents of its files by name.

        Raises:
            InputError: A setting or file is missing or wrong.

        Example:
            >>> definition = json.loads(Path("tokenizer.json").read_text())
            >>> tokenizer = PublishedTokenizer(definition, pad="[PAD]")
            >>> again = PublishedTokenizer.from_settings(tokenizer.settings(), tokenizer.files())
        """
        check_settings(cls.tokenizer_type, settings, files, names=[FILE])
        ids = {role: settings[f"{role}_id"] for role in ROLES}
        for role, number in ids.items():
            if not isinstance(number, int | None) or (number is None and role != "unk"):
                raise InputError(
                    f"A special id must be a whole number. Received: {number!r}. Give what "
                    "settings() returned."
                )
        return cls(json_object(files[FILE], FILE), **ids)

    def __reduce__(self):
        return type(self).from_settings, (self.settings(), self.files())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenizes texts, without begin and end ids.

        Args:
            texts: Plain texts.

        Returns:
            The ids of every text.

        Example:
            >>> definition = json.loads(Path("tokenizer.json").read_text())
            >>> tokenizer = PublishedTokenizer(definition, pad="[PAD]")
            >>> tokenizer.encode(["it runs"])
            [[5, 6]]
        """
        encode = self._tokenizer.encode
        return [encode(text, add_special_tokens=False).ids for text in check_texts(texts)]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Joins pieces to texts; padding, begin and end ids leave no trace.

        Args:
            ids: The ids of every text, lists or arrays.

        Returns:
            The texts.

        Raises:
            InputError: An id is outside the vocabulary.

        Example:
            >>> definition = json.loads(Path("tokenizer.json").read_text())
            >>> tokenizer = PublishedTokenizer(definition, pad="[PAD]")
            >>> tokenizer.decode([[2, 5, 6, 3, 0]])
            ['it runs']
        """
        hidden = {self.pad_id, self.start_id, self.end_id}
        rows = check_ids(ids, self.vocabulary_size)
        shown = [[number for number in row if number not in hidden] for row in rows]
        return [self._tokenizer.decode(row, skip_special_tokens=False) for row in shown]

    def settings(self) -> dict[str, Any]:
        """Returns what, with `files`, makes this tokenizer again."""
        return {
            "tokenizer_type": self.tokenizer_type,
            "pad_id": self.pad_id,
            "unk_id": self.unk_id,
            "start_id": self.start_id,
            "end_id": self.end_id,
            "special_ids": [],
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files of this tokenizer: a `tokenizer.json`."""
        text = json.dumps(self.definition, ensure_ascii=False, separators=(",", ":"))
        return {FILE: text.encode()}

    def _check_added_tokens(self):
        for token in self.definition.get("added_tokens") or ():
            actual = self._ids.get(token["content"])
            if actual != token["id"]:
                raise InputError(
                    "Added tokens are numbered from the vocabulary's size. Received: "
                    f"{token['content']!r} with the id {token['id']}, which would get {actual}. "
                    "Number it so."
                )

    def _around(self, start, end):
        """The pieces around a text: ids, those that the definition puts there, or pieces."""
        tokens = self._tokenizer.encode("", add_special_tokens=True).tokens
        if len(tokens) not in (0, 2):
            raise InputError(
                "A tokenizer puts one begin and one end around a text. Received: "
                f"{' '.join(tokens)}. Give one that does."
            )
        is_open = isinstance(start, str | None) and isinstance(end, str | None)
        return tokens if tokens and is_open else (start, end)

    def _unknown(self, unk):
        """The piece for what cannot be spelled: that of the model, which may need one."""
        model = self.definition["model"]
        if model["type"] == "Unigram":
            return model["unk_id"]
        needed = model.get("unk_token")
        return unk if needed is None and (isinstance(unk, int) or unk in self._ids) else needed

    def _piece(self, special):
        """A piece, of its id or of itself."""
        if isinstance(special, str):
            return special
        is_id = isinstance(special, int) and not isinstance(special, bool)
        pieces = [piece for piece, number in self._ids.items() if is_id and number == special]
        if not pieces:
            raise InputError(
                f"A special id is none of the vocabulary. Received: {special!r}, {len(self._ids)} "
                "pieces. Give the files that belong to the settings."
            )
        return pieces[0]


def open_definition(definition: Mapping[str, Any]) -> Any:
    """Returns the `tokenizers.Tokenizer` of a definition, without truncation and padding.

    Args:
        definition: The content of a `tokenizer.json`.

    Raises:
        InputError: It cannot be read, or the package tokenizers is not installed.

    Example:
        >>> open_definition(json.loads(Path("tokenizer.json").read_text())).get_vocab_size()
        10
    """
    tokenizers = import_tokenizers()
    try:
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps({**definition}))
    # It raises nothing more special.
    except Exception as error:
        raise InputError(
            f"The tokenizer.json cannot be used. Received: {error}. Copy it again."
        ) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def json_object(content: bytes, name: str) -> dict[str, Any]:
    """Returns the object in the content of a JSON file.

    Args:
        content: The file's bytes.
        name: Of the file, for the message.

    Raises:
        InputError: It holds something else.

    Example:
        >>> json_object(b'{"a": 1}', "tokenizer.json")
        {'a': 1}
    """
    try:
        definition = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The file is no JSON ({error}). Received: {name}. Copy it again."
        ) from None
    if not isinstance(definition, dict):
        raise InputError(f"The file is no JSON object. Received: {name}. Copy it again.")
    return definition


@functools.cache
def import_tokenizers() -> Any:
    """Returns the package tokenizers.

    Raises:
        InputError: It is not installed.
    """
    try:
        import tokenizers
    except ImportError:
        raise InputError(
            "A published tokenizer needs the package tokenizers. Received: it is not installed. "
            "Run `pip install tokenizers==0.23.3`."
        ) from None
    return tokenizers


def part_state(part: Any) -> dict[str, Any] | None:
    """Returns a normalizer or pre-tokenizer as a `tokenizer.json` spells it today."""
    return None if part is None else json.loads(part.__getstate__())
