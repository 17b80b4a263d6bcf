"""MarianMT models as Hugging Face folders hold them, such as OPUS-MT's."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfcompress.errors import InputError
from tfcompress.models.config import EmbeddingConfig, FeedForwardConfig, Seq2SeqConfig, StackConfig
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.published_settings import ACTIVATIONS
from tfcompress.models.published_tensors import read_tensors
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.text import Tokenizer
from tfcompress.text.marian import marian_tokenizers, read_settings

CONFIG = "config.json"
# What the model computes; a folder that says otherwise holds another model.
_EXPECTED = {
    "model_type": "marian",
    "is_encoder_decoder": True,
    "normalize_before": False,
    "add_final_layer_norm": False,
    "normalize_embedding": False,
    "add_bias_logits": False,
    "static_position_embeddings": True,
    "tie_word_embeddings": True,
    "extra_pos_embeddings": 0,
}
# Tables that MarianMT computes.
_COMPUTED = ("model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight")
_SHARED = ("model.shared.weight", "model.encoder.embed_tokens.weight")
_OUTPUT = "lm_head.weight"
_BIAS = "final_logits_bias"


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


def from_marian(folder: str | os.PathLike, *, max_length: int | None = None) -> TranslationModel:
    """Reads a MarianMT model from the folder that Hugging Face's transformers write and read.

    Token ids stay the model's own. Decoding begins with the padding id, as MarianMT's does, and
    never gives it.

    Args:
        folder: It has `config.json`, weights as safetensors in one file or in shards, in float32,
            float16 or bfloat16, and the files that `tfcompress.text.marian_tokenizers` reads.
        max_length: Longest source and target in tokens, end mark included; None for what the
            folder says.

    Returns:
        The model, in float32, and its tokenizers.

    Raises:
        InputError: A file is missing or damaged, a tensor is missing, left over or has another
            shape, or the folder asks for something that this library's model does not do.

    Example:

    >>> model, source, target = tfc.models.from_marian("opus-mt-en-de")
    >>> model.config.bos_id == model.config.pad_id == source.pad_id
    True
    """
    folder = Path(folder)
    settings = _Settings(folder)
    config = _config(settings, max_length)
    tensors = read_tensors(folder)
    for name in _COMPUTED:
        _check_positions(folder, name, tensors.pop(name, None))
    tokenizers = marian_tokenizers(
        folder,
        source_vocabulary_size=config.source_vocabulary_size,
        target_vocabulary_size=config.target_vocabulary_size,
    )
    _check_ids(settings, config, tokenizers)
    model = Seq2SeqTransformer(config)
    variables = dict(_variables(model))
    values = _values(folder, config, tensors)
    _check_values(folder, variables, values)
    for name, variable in variables.items():
        variable.assign(values[name])
    return TranslationModel(model, *tokenizers)


class _Settings:
    """`config.json`, with what it says of generation."""

    def __init__(self, folder):
        self.path = folder / CONFIG
        self._values = read_settings(self.path)
        wrong = {
            name: self._values[name]
            for name, value in _EXPECTED.items()
            if self._values.get(name, value) != value
        }
        # Further models are told apart by this name alone.
        if "model_type" not in self._values:
            wrong["model_type"] = None
        if wrong:
            received = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
            expected = ", ".join(f"{name}={_EXPECTED[name]!r}" for name in wrong)
            raise InputError(
                f"MarianMT models need {expected}. Received: {self.path} with {received}. Give "
                "the folder of a MarianMT model."
            )

    def get(self, name, default=None):
        value = self._values.get(name)
        return default if value is None else value

    def whole(self, name, default=None, *, least=1) -> int:
        value = self.get(name, default)
        if type(value) is not int or value < least:
            raise InputError(
                f"`{name}` must be a whole number of at least {least}. Received: {self.path} with "
                f"{name}={value!r}. Download the model again."
            )
        return value

    def rate(self, name) -> float:
        value = self.get(name, 0.0)
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise InputError(
                f"`{name}` must be a rate in [0, 1). Received: {self.path} with {name}={value!r}. "
                "Download the model again."
            )
        return float(value)


def _config(settings, max_length) -> Seq2SeqConfig:
    activation = settings.get("activation_function")
    if activation not in ACTIVATIONS:
        raise InputError(
            f"`activation_function` must be one of {', '.join(ACTIVATIONS)}. Received: "
            f"{settings.path} with activation_function={activation!r}. Give another model."
        )
    limit = settings.whole("max_position_embeddings", 512, least=2)
    if max_length is not None and not 2 <= max_length <= limit:
        raise InputError(
            f"`max_length` must be from 2 to the model's {limit} positions. Received: "
            f"max_length={max_length}."
        )

    def stack(side):
        return StackConfig(
            settings.whole(f"{side}_layers"),
            attention=AttentionConfig(
                settings.whole(f"{side}_attention_heads"),
                dropout=settings.rate("attention_dropout"),
            ),
            feed_forward=FeedForwardConfig(
                settings.whole(f"{side}_ffn_dim"),
                activation=ACTIVATIONS[activation],
                dropout=settings.rate("activation_dropout"),
            ),
        )

    pad = settings.whole("pad_token_id", least=0)
    size = settings.whole("vocab_size")
    is_shared = settings.get("share_encoder_decoder_embeddings", True)
    return Seq2SeqConfig(
        size,
        target_vocabulary_size=size if is_shared else settings.whole("decoder_vocab_size", size),
        hidden_dim=settings.whole("d_model"),
        encoder=stack("encoder"),
        decoder=stack("decoder"),
        embedding=EmbeddingConfig(
            share=is_shared,
            use_scale=bool(settings.get("scale_embedding", False)),
            use_output_bias=True,
        ),
        positions="paper_sinusoidal",
        dropout=settings.rate("dropout"),
        max_source_length=max_length or limit,
        max_target_length=max_length or limit,
        pad_id=pad,
        bos_id=settings.whole("decoder_start_token_id", pad, least=0),
        eos_id=settings.whole("eos_token_id", least=0),
        # The one that Marian gives, and trains where it trains on alignments.
        alignment_head=0,
    )


def _check_ids(settings, config, tokenizers):
    for side, tokenizer in zip(("source", "target"), tokenizers):
        for role in ("pad", "bos", "eos"):
            expected, actual = getattr(config, f"{role}_id"), getattr(tokenizer, f"{role}_id")
            if actual != expected:
                raise InputError(
                    "The vocabulary must match the model. Received: "
                    f"{settings.path} with the {role} id {expected}, but the {side} vocabulary's "
                    f"is {actual}. Give the vocabulary that was published with the model."
                )


def _variables(model: Seq2SeqTransformer) -> Iterator[tuple[str, Any]]:
    """The variables of a model by MarianMT's names."""
    source, target = (model.layer(model.table_name(side)) for side in ("source", "target"))
    if source is target:
        yield "model.shared.weight", source.embeddings
    else:
        yield "model.encoder.embed_tokens.weight", source.embeddings
        yield "model.decoder.embed_tokens.weight", target.embeddings
    yield _BIAS, target.output_bias
    for index, layer in enumerate(model.encoder_layers):
        name = f"model.encoder.layers.{index}"
        yield from _attention(f"{name}.self_attn", layer.attention)
        yield from _norm(f"{name}.self_attn_layer_norm", layer.attention_normalization)
        yield from _feed_forward(name, layer)
    for index, layer in enumerate(model.decoder_layers):
        name = f"model.decoder.layers.{index}"
        yield from _attention(f"{name}.self_attn", layer.self_attention)
        yield from _norm(f"{name}.self_attn_layer_norm", layer.self_attention_normalization)
        yield from _attention(f"{name}.encoder_attn", layer.cross_attention)
        yield from _norm(f"{name}.encoder_attn_layer_norm", layer.cross_attention_normalization)
        yield from _feed_forward(name, layer)


def _attention(name, attention):
    parts = {"q": attention.query, "k": attention.key, "v": attention.value}
    for part, dense in (parts | {"out": attention.output_projection}).items():
        yield from _dense(f"{name}.{part}_proj", dense)


def _feed_forward(name, layer):
    yield from _dense(f"{name}.fc1", layer.feed_forward.inner)
    yield from _dense(f"{name}.fc2", layer.feed_forward.outer)
    yield from _norm(f"{name}.final_layer_norm", layer.feed_forward_normalization)


def _dense(name, dense):
    yield f"{name}.weight", dense.kernel
    yield f"{name}.bias", dense.bias


def _norm(name, normalization):
    yield f"{name}.weight", normalization.gamma
    yield f"{name}.bias", normalization.beta


def _values(folder, config, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors as the variables are: kernels transposed, one name for one table."""
    values = dict(tensors)
    if config.embedding.share:
        names = [*_SHARED, "model.decoder.embed_tokens.weight"]
        _join(folder, values, "model.shared.weight", names)
    else:
        _join(folder, values, "model.encoder.embed_tokens.weight", _SHARED[::-1])
    side = "shared" if config.embedding.share else "decoder.embed_tokens"
    _join(folder, values, f"model.{side}.weight", [f"model.{side}.weight", _OUTPUT])
    if _BIAS in values and values[_BIAS].ndim == 2:
        values[_BIAS] = values[_BIAS].reshape(-1)
    return {
        name: value.T if _is_kernel(name, value.shape) else value for name, value in values.items()
    }


def _join(folder, values, name, aliases):
    """Keeps one of the tensors that are one and the same."""
    there = [alias for alias in aliases if alias in values]
    if not there:
        return
    first = values[there[0]]
    for alias in there[1:]:
        if not np.array_equal(values[alias], first):
            raise InputError(
                "Tables that the configuration ties must be equal. Received: "
                f"{folder} where {there[0]} and {alias} differ. Download the model again."
            )
    for alias in there:
        del values[alias]
    values[name] = first


def _check_values(folder, variables, values):
    missing = sorted(variables.keys() - values.keys())
    extra = sorted(values.keys() - variables.keys())
    misshapen = [
        f"{name} of shape {_published_shape(name, values[name].shape)} instead of "
        f"{_published_shape(name, variable.shape)}"
        for name, variable in variables.items()
        if name in values and tuple(values[name].shape) != tuple(variable.shape)
    ]
    problems = [f"without {', '.join(missing)}"] * bool(missing)
    problems += [f"with {', '.join(extra)}, which the model lacks"] * bool(extra)
    problems += [f"with {'; '.join(misshapen)}"] * bool(misshapen)
    if problems:
        raise InputError(
            f"Tensors must be those of {CONFIG}. Received: {folder} {', and '.join(problems)}. "
            "Download the model again."
        )


def _check_positions(folder, name, table):
    """Makes sure that a table of positions is what the model computes, as rounded as it is."""
    if table is None:
        return
    positions, width = table.shape if table.ndim == 2 else (0, 0)
    half = width // 2
    angles = np.arange(positions)[:, None] / 10000 ** (2 * np.arange(half) / max(width, 1))
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    if table.shape != expected.shape or not np.allclose(table, expected, atol=1e-2):
        raise InputError(
            f"Positions of MarianMT are sinusoids. Received: {folder} with another {name}. Give "
            "another model."
        )


def _published_shape(name, shape):
    return list(shape[::-1] if _is_kernel(name, shape) else shape)


def _is_kernel(name, shape):
    return len(shape) == 2 and ("_proj." in name or ".fc" in name)
