"""The bundle of a text encoder."""

from dataclasses import dataclass
from typing import Any

from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.manifest import are_names

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


@dataclass(frozen=True, kw_only=True)
class TextEncoderBundle(Bundle):
    """An opened bundle of a text encoder.

    Attributes:
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

    The others are those of `Bundle`.
    """

    max_length: int
    vocabulary: int
    token_types: int
    pad: int
    outputs: dict[str, Output]
    head: str | None
    labels: tuple[str, ...] | None
    tokenizer: dict[str, Any] | None
    tokenizer_files: tuple[str, ...]

    model_type = "text_encoder"

    @classmethod
    def _read(cls, manifest):
        take = manifest.take
        names = take("outputs", value_type=dict, check=bool)
        outputs = {
            name: Output(
                take("outputs", name, "width"), take("outputs", name, "per_token", value_type=bool)
            )
            for name in names
        }
        head, labels = _head(take, outputs)
        tokenizer, tokenizer_files = take("tokenizer", value_type=dict | None), ()
        if tokenizer is not None:
            tokenizer_type = take(
                "tokenizer", "tokenizer_type", value_type=str, check=lambda name: name in _FILES
            )
            tokenizer_files = _FILES[tokenizer_type]
            for name in tokenizer_files:
                take("files", name, value_type=dict)
        vocabulary = take("vocabulary")
        return {
            "max_length": take("limits", "max_length"),
            "vocabulary": vocabulary,
            "token_types": take("token_types", check=lambda count: count >= 0),
            "pad": take("ids", "pad", check=lambda pad: 0 <= pad < vocabulary),
            "outputs": outputs,
            "head": head,
            "labels": labels,
            "tokenizer": tokenizer,
            "tokenizer_files": tokenizer_files,
        }


# What each head gives, whether for each token, and how many numbers at least.
_RESULTS = {
    CLASSIFICATION: ("logits", False, 2),
    MULTI_LABEL: ("logits", False, 1),
    REGRESSION: ("logits", False, 1),
    TOKEN_CLASSIFICATION: ("logits", True, 2),
    EMBEDDING: ("embedding", False, 1),
}


def _head(take, outputs):
    """Returns the task of the head and the names of its classes."""
    if take("head", value_type=dict | None) is None:
        return None, None

    def gives(task):
        name, per_token, least = _RESULTS.get(task, ("", False, 1))
        output = outputs.get(name)
        return output is not None and output.per_token == per_token and output.width >= least

    task = take("head", "task", value_type=str, check=gives)
    if task == EMBEDDING:
        return task, None
    width = outputs["logits"].width
    labels = take(
        "head",
        "labels",
        value_type=list,
        check=lambda names: not names or (len(names) == width and are_names(names)),
    )
    return task, tuple(labels) or None
