"""Reads and checks the bundle of a text encoder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress.runtime.manifest import MODEL, Manifest, are_names

KIND = "text_encoder"
CLASSIFICATION, MULTI_LABEL, REGRESSION = (
    "classification",
    "multi_label_classification",
    "regression",
)
TOKEN_CLASSIFICATION, EMBEDDING = "token_classification", "embedding"
_FILES = {
    "wordpiece": ("vocabulary.txt",),
    "byte_pair": ("vocabulary.json", "merges.txt"),
    "sentencepiece": ("tokenizer.model",),
    "published": ("tokenizer.json",),
    "published_sentencepiece": ("tokenizer.model", "rules.json"),
}


@dataclass(frozen=True)
class Output:
    """A result of the model.

    Attributes:
        width: Its last extent.
        per_token: Whether there is a row for each token, rather than one.
    """

    width: int
    per_token: bool


@dataclass(frozen=True)
class EncoderBundle:
    """An opened bundle of a text encoder.

    Attributes:
        path: The folder.
        manifest: The whole manifest.
        max_length: Longest text in tokens, begin and end marks included.
        vocabulary: Number of ids.
        token_types: Number of token types; 0 for none.
        pad: The id of padding.
        outputs: The model's results by name.
        head: "classification", "multi_label_classification", "regression",
            "token_classification", "embedding", or None.
        labels: Names of the classes or scores, or None.
        tokenizer: The tokenizer's settings, or None.
        tokenizer_files: Names of its files.
        custom_ops: Names of the custom operations that the model needs.
        size: Bytes of all files together.
    """

    path: Path
    manifest: dict[str, Any]
    max_length: int
    vocabulary: int
    token_types: int
    pad: int
    outputs: dict[str, Output]
    head: str | None
    labels: tuple[str, ...] | None
    tokenizer: dict[str, Any] | None
    tokenizer_files: tuple[str, ...]
    custom_ops: tuple[str, ...]
    size: int

    @property
    def model(self) -> Path:
        """The LiteRT model."""
        return self.path / MODEL


def open_encoder_bundle(path: str | os.PathLike, verify: bool = True) -> EncoderBundle:
    """Opens the bundle of a text encoder and checks that it is whole.

    Args:
        path: The folder.
        verify: Whether to compare the size and SHA-256 of every file with the manifest. Without,
            only their presence is checked.

    Returns:
        The bundle.

    Raises:
        InputError: The folder or a file is missing, the manifest is of another format or kind or
            incomplete, it names files outside the folder, or a file is truncated or altered.

    Example:

    >>> open_encoder_bundle("sentiment").max_length
    512
    """
    folder = Path(path)
    manifest = Manifest(folder, KIND)
    take = manifest.take
    manifest.check_files(verify)
    names = take("outputs", kind=dict, check=bool)
    outputs = {
        name: Output(take("outputs", name, "width"), take("outputs", name, "per_token", kind=bool))
        for name in names
    }
    head, labels = _head(take, outputs)
    tokenizer, tokenizer_files = take("tokenizer", kind=dict | None), ()
    if tokenizer is not None:
        kind = take("tokenizer", "kind", kind=str, check=lambda kind: kind in _FILES)
        tokenizer_files = _FILES[kind]
        for name in tokenizer_files:
            take("files", name, kind=dict)
    vocabulary = take("vocabulary")
    return EncoderBundle(
        path=folder,
        manifest=manifest.values,
        max_length=take("limits", "max_length"),
        vocabulary=vocabulary,
        token_types=take("token_types", check=lambda count: count >= 0),
        pad=take("ids", "pad", check=lambda pad: 0 <= pad < vocabulary),
        outputs=outputs,
        head=head,
        labels=labels,
        tokenizer=tokenizer,
        tokenizer_files=tokenizer_files,
        custom_ops=tuple(take("custom_ops", kind=list, check=are_names)),
        size=manifest.total_size(),
    )


# What each head gives, whether for each token, and how many numbers at least.
_RESULTS = {
    CLASSIFICATION: ("logits", False, 2),
    MULTI_LABEL: ("logits", False, 1),
    REGRESSION: ("logits", False, 1),
    TOKEN_CLASSIFICATION: ("logits", True, 2),
    EMBEDDING: ("embedding", False, 1),
}


def _head(take, outputs):
    """Returns the kind of head and the names of its classes."""
    if take("head", kind=dict | None) is None:
        return None, None

    def gives(kind):
        name, per_token, least = _RESULTS.get(kind, ("", False, 1))
        found = outputs.get(name)
        return found is not None and found.per_token == per_token and found.width >= least

    kind = take("head", "kind", kind=str, check=gives)
    if kind == EMBEDDING:
        return kind, None
    width = outputs["logits"].width
    labels = take(
        "head",
        "labels",
        kind=list,
        check=lambda names: not names or (len(names) == width and are_names(names)),
    )
    return kind, tuple(labels) or None
