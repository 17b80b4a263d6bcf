"""What translators of Hugging Face's transformers have in common: settings and tensors."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfcompress.errors import InputError
from tfcompress.models.config import FeedForwardConfig, StackConfig
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.published_settings import ACTIVATIONS
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.tensor_files import TensorFiles
from tfcompress.text import Tokenizer
from tfcompress.text.marian import read_settings

CONFIG = "config.json"
_SETTINGS = {"pad": "pad_token_id", "bos": "decoder_start_token_id", "eos": "eos_token_id"}
SHARED, OUTPUT = "model.shared.weight", "lm_head.weight"
SOURCE_TABLE, TARGET_TABLE = (
    f"model.{side}.embed_tokens.weight" for side in ("encoder", "decoder")
)


class TranslationModel(NamedTuple):
    """A translator and its tokenizers.

    Attributes:
        model: The translator.
        source_tokenizer: The tokenizer of its source.
        target_tokenizer: The tokenizer of its target.
    """

    model: Seq2SeqTransformer
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer


class TranslatorSettings:
    """The settings of a folder's `config.json`.

    Args:
        folder: The folder.
        kind: What such models are called.
        expected: What settings must be where they are given; `model_type` must be.

    Attributes:
        path: The file.

    Raises:
        InputError: The file is missing or damaged, or of another kind of model.
    """

    def __init__(self, folder: Path, kind: str, expected: Mapping[str, Any]):
        self.path = folder / CONFIG
        self._values = read_settings(self.path, kind)
        wrong = {
            name: self._values[name]
            for name, value in expected.items()
            if self._values.get(name, value) != value
        }
        # Further models are told apart by this name alone.
        if "model_type" not in self._values:
            wrong["model_type"] = None
        if wrong:
            received = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
            needed = ", ".join(f"{name}={expected[name]!r}" for name in wrong)
            raise InputError(
                f"{kind} models need {needed}. Received: {self.path} with {received}. Give the "
                f"folder of such a model."
            )

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a setting; the default for none."""
        value = self._values.get(name)
        return default if value is None else value

    def whole(self, name: str, default: int | None = None, *, least: int = 1) -> int:
        """Returns a setting that is a whole number."""
        value = self.get(name, default)
        if type(value) is not int or value < least:
            raise InputError(
                f"`{name}` must be a whole number of at least {least}. Received: {self.path} with "
                f"{name}={value!r}. Download the model again."
            )
        return value

    def rate(self, name: str) -> float:
        """Returns a setting that is a dropout rate."""
        value = self.get(name, 0.0)
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise InputError(
                f"`{name}` must be a rate in [0, 1). Received: {self.path} with {name}={value!r}. "
                "Download the model again."
            )
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """Returns a setting that is true or false."""
        value = self.get(name, default)
        if type(value) is not bool:
            raise InputError(
                f"`{name}` must be true or false. Received: {self.path} with {name}={value!r}. "
                "Download the model again."
            )
        return value

    def max_length(self, wanted: int | None, default: int) -> int:
        """Returns the longest source and target.

        Args:
            wanted: What the caller wants; None for what the file says.
            default: Where the file says nothing.
        """
        limit = self.whole("max_position_embeddings", default, least=2)
        check_max_length(wanted, limit)
        return wanted or limit

    def stack(self, side: str) -> StackConfig:
        """Returns the configuration of "encoder" or "decoder"."""
        activation = self.get("activation_function")
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise InputError(
                f"`activation_function` must be one of {', '.join(ACTIVATIONS)}. Received: "
                f"{self.path} with activation_function={activation!r}. Give another model."
            )
        return StackConfig(
            self.whole(f"{side}_layers"),
            attention=AttentionConfig(
                self.whole(f"{side}_attention_heads"), dropout=self.rate("attention_dropout")
            ),
            feed_forward=FeedForwardConfig(
                self.whole(f"{side}_ffn_dim"),
                activation=ACTIVATIONS[activation],
                dropout=self.rate("activation_dropout"),
            ),
        )


def check_max_length(wanted: int | None, limit: int | None = None) -> None:
    """Makes sure that a longest source and target leaves room for a token and the end mark.

    Args:
        wanted: What the caller wants; None for what the model says.
        limit: The model's positions, where they have an end.

    Raises:
        InputError: If it does not, or there are fewer positions.
    """
    if wanted is None:
        return
    if type(wanted) is not int or wanted < 2 or (limit is not None and wanted > limit):
        expected = "a whole number of at least 2"
        if limit is not None:
            expected = f"from 2 to the model's {limit} positions"
        raise InputError(f"`max_length` must be {expected}. Received: max_length={wanted!r}.")


class Weight(NamedTuple):
    """A variable and the tensor that it takes its value from.

    Attributes:
        variable: The variable.
        names: What the tensor is called: where it is there under several names, equal ones.
        shape: The shape that it must have.
        rows: Which of its rows to take, in this order; None for all.
        is_kernel: Whether it is stored as `[out, in]`.
    """

    variable: Any
    names: tuple[str, ...]
    shape: tuple[int, ...]
    rows: np.ndarray | None = None
    is_kernel: bool = False


def check_sizes(settings: TranslatorSettings, files: TensorFiles) -> None:
    """Makes sure that a folder's layers are as many and as wide as it says.

    Before there is a model of them, which may be larger than any memory.

    Args:
        settings: The folder's settings.
        files: The folder's tensors.

    Raises:
        InputError: If they are not.
    """
    width = settings.whole("d_model")
    for side in ("encoder", "decoder"):
        sizes = {name: settings.whole(name) for name in (f"{side}_layers", f"{side}_ffn_dim")}
        layers, inner = sizes.values()
        name, shape = f"model.{side}.layers.{layers - 1}.fc1.weight", (inner, width)
        actual = files.shapes.get(name)
        if actual != shape:
            stated = ", ".join(
                f"{key}={value}" for key, value in {**sizes, "d_model": width}.items()
            )
            problem = f"without {name}"
            if actual is not None:
                problem = f"with {name} of shape {[*actual]} instead of {[*shape]}"
            raise InputError(
                f"Tensors must be those of {CONFIG}. Received: {files.folder} {problem}, where "
                f"{stated}. Download the model again."
            )


def layer_weights(model: Seq2SeqTransformer) -> Iterator[Weight]:
    """Yields the weights of a model's layers, without embeddings and output.

    Args:
        model: A model with attention, and a final normalization where its layers begin with one.
    """
    for side in ("encoder", "decoder"):
        own = "attention" if side == "encoder" else "self_attention"
        for index, layer in enumerate(getattr(model, f"{side}_layers")):
            name = f"model.{side}.layers.{index}"
            yield from _attention(f"{name}.self_attn", layer, own)
            if side == "decoder":
                yield from _attention(f"{name}.encoder_attn", layer, "cross_attention")
            yield from _dense(f"{name}.fc1", layer.feed_forward.inner)
            yield from _dense(f"{name}.fc2", layer.feed_forward.outer)
            yield from _norm(f"{name}.final_layer_norm", layer.feed_forward_normalization)
        if model.config.normalize_first:
            yield from _norm(f"model.{side}.layer_norm", model.layer(f"{side}_normalization"))


def _attention(name, layer, part):
    attention = getattr(layer, part)
    parts = {"q": attention.query, "k": attention.key, "v": attention.value}
    for part_name, dense in (parts | {"out": attention.output_projection}).items():
        yield from _dense(f"{name}.{part_name}_proj", dense)
    yield from _norm(f"{name}_layer_norm", getattr(layer, f"{part}_normalization"))


def _dense(name, dense):
    kernel = dense.kernel
    yield Weight(kernel, (f"{name}.weight",), tuple(kernel.shape[::-1]), is_kernel=True)
    yield Weight(dense.bias, (f"{name}.bias",), tuple(dense.bias.shape))


def _norm(name, normalization):
    for part, variable in (("weight", normalization.gamma), ("bias", normalization.beta)):
        yield Weight(variable, (f"{name}.{part}",), tuple(variable.shape))


def assign_weights(files: TensorFiles, weights: Iterable[Weight], others: Iterable[str]) -> None:
    """Gives a model the values of a folder's tensors, one after the other.

    Args:
        files: The folder's tensors.
        weights: All variables of the model.
        others: Names of tensors that it may have beside them.

    Raises:
        InputError: A tensor is missing, left over, or of another shape or type, or tensors that
            are one and the same differ.
    """
    weights = list(weights)
    present = [[name for name in weight.names if name in files.shapes] for weight in weights]
    _check_names(files, weights, present, others)
    for weight, (name, *aliases) in zip(weights, present):
        value = _read(files, name, weight.rows)
        for alias in aliases:
            if files.shapes[alias] != weight.shape or not np.array_equal(
                _read(files, alias, weight.rows), value
            ):
                raise InputError(
                    "Tables that the configuration ties must be equal. Received: "
                    f"{files.folder} where {name} and {alias} differ. Download the model again."
                )
        value = value.T if weight.is_kernel else value
        weight.variable.assign(value.reshape(weight.variable.shape))


def _check_names(files, weights, present, others):
    missing = sorted(weight.names[0] for weight, names in zip(weights, present) if not names)
    extra = sorted(files.shapes.keys() - {name for w in weights for name in w.names} - {*others})
    misshapen = [
        f"{names[0]} of shape {[*files.shapes[names[0]]]} instead of {[*weight.shape]}"
        for weight, names in zip(weights, present)
        if names and files.shapes[names[0]] != weight.shape
    ]
    problems = [f"without {', '.join(missing)}"] * bool(missing)
    problems += [f"with {', '.join(extra)}, which the model lacks"] * bool(extra)
    problems += [f"with {'; '.join(misshapen)}"] * bool(misshapen)
    if problems:
        raise InputError(
            f"Tensors must be those of {CONFIG}. Received: {files.folder} "
            f"{', and '.join(problems)}. Download the model again."
        )


def _read(files, name, rows):
    value = files.read(name) if rows is None else files.read_rows(name, rows)
    if value.dtype != np.float32:
        raise InputError(
            "Weights must be float32, float16 or bfloat16. Received: "
            f"{files.folder} with {name} of {value.dtype}. Give the model before it was quantized."
        )
    return value


def check_positions(files: TensorFiles, names: Iterable[str], sinusoids: Any) -> None:
    """Makes sure that tables of positions are what the model computes, as rounded as they are.

    Args:
        files: The folder's tensors.
        names: Names of tables, which need not be there.
        sinusoids: Gives the table for a number of positions and a width.

    Raises:
        InputError: If they are not.
    """
    for name in names:
        shape = files.shapes.get(name)
        if shape is None:
            continue
        if len(shape) != 2 or not np.allclose(files.read(name), sinusoids(*shape), atol=1e-2):
            raise InputError(
                f"Positions of such models are sinusoids. Received: {files.folder} with another "
                f"{name}. Give another model."
            )


def check_ids(
    settings: TranslatorSettings, tokenizers: Iterable[Tokenizer], ids: Mapping[str, int]
) -> None:
    """Makes sure that the special ids of model and vocabulary are the same.

    Args:
        settings: The model's settings.
        tokenizers: Those of source and target.
        ids: The model's ids by role, as "pad".

    Raises:
        InputError: If they are not.
    """
    for side, tokenizer in zip(("source", "target"), tokenizers):
        for role, expected in ids.items():
            actual = getattr(tokenizer, f"{role}_id")
            if actual != expected:
                raise InputError(
                    "The vocabulary must match the model. Received: "
                    f"{settings.path} with {_SETTINGS[role]}={expected}, but the {side} "
                    f"vocabulary's is {actual}. Give the vocabulary that was published with the "
                    "model."
                )
