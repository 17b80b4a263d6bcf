"""The weights of a model by the names that Marian gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.layers import SSRU, AveragedAttention, LayerDropWrapper
from tfcompress.models.marian_files.content import AGAIN, MarianFile, Tensor, dequantized
from tfcompress.models.marian_files.options import (
    OLD_OUTPUT,
    OUTPUT,
    OUTPUT_BIAS,
    POSITIONS,
    TABLE,
    is_ignored,
)
from tfcompress.models.seq2seq import Seq2SeqTransformer


@dataclass(frozen=True)
class Weight:
    """A weight of the model.

    Attributes:
        name: Marian's.
        variable: The variable.
        is_product: Whether vectors are multiplied by it, so that it may have 8 bits.
        ids: Which axis of the variable is of token ids, if one is.
        layer: The dense layer that it belongs to, if one.
    """

    name: str
    variable: Any
    is_product: bool = False
    ids: int | None = None
    layer: Any = None

    def shape(self) -> tuple[int, ...]:
        """The shape in files, which have neither padding nor vectors."""
        shape = list(self.variable.shape)
        if self.ids is not None:
            shape[self.ids] -= 1
        return tuple(shape) if len(shape) > 1 else (1, *shape)


def model_weights(model: Seq2SeqTransformer) -> Iterator[Weight]:
    """Yields the weights of a model that Marian has too; shared layers repeat.

    Args:
        model: The model, of layers that Marian's options describe.
    """
    config = model.config
    source, target = (model.layer(model.table_name(side)) for side in ("source", "target"))
    if source is target:
        yield Weight(TABLE, source.embeddings, True, ids=0)
    else:
        yield Weight(f"encoder_{TABLE}", source.embeddings, True, ids=0)
        yield Weight(f"decoder_{TABLE}", target.embeddings, True, ids=0)
    if config.embedding.tie == "none":
        output = model.layer("output_projection")
        yield Weight(OLD_OUTPUT, output.kernel, True, ids=1, layer=output)
        bias = output.bias if config.embedding.use_output_bias else None
    else:
        bias = target.output_bias if config.embedding.use_output_bias else None
    if bias is not None:
        yield Weight(OUTPUT_BIAS, bias, ids=0)
    if config.positions == "learned":
        yield Weight(POSITIONS, model.layer("source_position").embeddings)
    first = config.normalize_first
    for index, layer in enumerate(_plain(model.encoder_layers), 1):
        name = f"encoder_l{index}"
        yield from _attention(f"{name}_self", layer.attention)
        yield from _norm(f"{name}_self_Wo", layer.attention_normalization, first)
        yield from _feed_forward(f"{name}_ffn", layer, first)
    for index, layer in enumerate(_plain(model.decoder_layers), 1):
        name = f"decoder_l{index}"
        yield from _mixer(name, layer, first)
        yield from _attention(f"{name}_context", layer.cross_attention)
        yield from _norm(f"{name}_context_Wo", layer.cross_attention_normalization, first)
        yield from _feed_forward(f"{name}_ffn", layer, first)
    if first:
        for side in ("encoder", "decoder"):
            yield from _norm(f"{side}_top", model.layer(f"{side}_normalization"), False)


def _plain(layers):
    return [layer.layer if isinstance(layer, LayerDropWrapper) else layer for layer in layers]


def _mixer(name, layer, first):
    mixer, norm = layer.self_attention, layer.self_attention_normalization
    if isinstance(mixer, SSRU):
        name += "_rnn"
        yield Weight(f"{name}_W", mixer.candidate.kernel, True, layer=mixer.candidate)
        yield from _dense(f"{name}_W", f"{name}_b", mixer.forget_gate, "f")
        if mixer.use_projection:
            yield from _dense(f"{name}_W", f"{name}_b", mixer.output_projection, "o")
        yield from _norm(name if first else f"{name}_ffn", norm, first)
    elif isinstance(mixer, AveragedAttention):
        name += "_aan"
        if mixer.intermediate_dim is not None:
            yield from _dense(f"{name}_W", f"{name}_b", mixer.feed_forward.inner, "1")
            yield from _dense(f"{name}_W", f"{name}_b", mixer.feed_forward.outer, "2")
        if mixer.use_gates:
            yield from _dense(f"{name}_W", f"{name}_b", mixer.input_gate, "i")
            yield from _dense(f"{name}_W", f"{name}_b", mixer.mean_gate, "f")
        yield from _norm(f"{name}_ffn", norm, first)
    else:
        yield from _attention(f"{name}_self", mixer)
        yield from _norm(f"{name}_self_Wo", norm, first)


def _attention(name, attention):
    parts = {"q": attention.query, "k": attention.key, "v": attention.value}
    for part, dense in (parts | {"o": attention.output_projection}).items():
        yield from _dense(f"{name}_W", f"{name}_b", dense, part)


def _feed_forward(name, layer, first):
    yield from _dense(f"{name}_W", f"{name}_b", layer.feed_forward.inner, "1")
    yield from _dense(f"{name}_W", f"{name}_b", layer.feed_forward.outer, "2")
    yield from _norm(f"{name}_ffn", layer.feed_forward_normalization, first)


def _dense(kernel, bias, dense, part):
    yield Weight(f"{kernel}{part}", dense.kernel, True, layer=dense)
    yield Weight(f"{bias}{part}", dense.bias)


def _norm(name, normalization, first):
    end = "_pre" if first else ""
    yield Weight(f"{name}_ln_scale{end}", normalization.gamma)
    yield Weight(f"{name}_ln_bias{end}", normalization.beta)


def assign(path: Path, model: Seq2SeqTransformer, content: MarianFile) -> None:
    """Gives a model the weights of a file.

    Args:
        path: The file, for messages.
        model: The model that the file's options describe.
        content: The file's.

    Raises:
        InputError: If a tensor is missing, left over or has another shape.
    """
    weights = {weight.name: weight for weight in model_weights(model)}
    values = _values(model, content.tensors)
    _check(path, weights, values)
    for name, weight in weights.items():
        value = dequantized(values[name]).reshape(weight.shape())
        if len(weight.variable.shape) == 1:
            value = value[0]
        if weight.ids is not None:
            padding = [(0, int(axis == weight.ids)) for axis in range(value.ndim)]
            value = np.pad(value, padding)
        weight.variable.assign(value)
    if POSITIONS in weights:
        model.layer("target_position").embeddings.assign(model.layer("source_position").embeddings)


def _values(model, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The tensors by the names of the model's weights, with those that Marian leaves out."""
    values = {name: value for name, value in tensors.items() if not is_ignored(name)}
    for side in ("encoder", "decoder"):
        for end in ("scale", "bias"):
            other = f"{side}_top_ln_{end}_top"
            if other in values:
                values.setdefault(f"{side}_top_ln_{end}", values.pop(other))
    if OUTPUT in values:
        values[OLD_OUTPUT] = dequantized(values.pop(OUTPUT)).T
    config = model.config
    if POSITIONS in values and config.positions == "learned":
        values[POSITIONS] = dequantized(values[POSITIONS])[: config.max_source_length]
    own, width = config.decoder.attention, config.hidden_dim
    if getattr(own, "intermediate_dim", None) == width:
        # Marian then has no second product.
        for index in range(1, config.decoder.num_layers + 1):
            values.setdefault(f"decoder_l{index}_aan_W2", np.eye(width, dtype=np.float32))
            values.setdefault(f"decoder_l{index}_aan_b2", np.zeros((1, width), np.float32))
    return values


def _check(path, weights: Mapping[str, Weight], values: Mapping[str, Tensor]) -> None:
    missing = sorted(weights.keys() - values.keys())
    extra = sorted(values.keys() - weights.keys())
    misshapen = [
        f"{name} of shape {list(values[name].shape)} instead of {list(weight.shape())}"
        for name, weight in weights.items()
        if name in values and _plain_shape(values[name].shape) != weight.shape()
    ]
    infinite = [name for name, value in values.items() if not np.isfinite(dequantized(value)).all()]
    problems = [f"without {_listed(missing)}"] * bool(missing)
    problems += [f"with {_listed(extra)}, which the model lacks"] * bool(extra)
    problems += [f"with {_listed(misshapen)}"] * bool(misshapen)
    problems += [f"with numbers that are not finite in {_listed(infinite)}"] * bool(infinite)
    if problems:
        raise InputError(
            f"Tensors must be those of the file's options. Received: {path} "
            f"{', and '.join(problems)}. {AGAIN}."
        )


def _plain_shape(shape):
    """Marian's vectors have one axis or two, numbers one or none."""
    return tuple(shape) if len(shape) > 1 else (1, *shape)


def _listed(names, most=8):
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
