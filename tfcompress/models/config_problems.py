"""Finds every impossible setting of a configuration."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tfcompress.models.config_parts import (
    ACTIVATIONS,
    ATTENTION_KINDS,
    CONVOLUTION_KINDS,
    EMBEDDING_KINDS,
    LAYER_KINDS,
    PATTERNS,
    POSITION_KINDS,
    SHARING_PATTERNS,
    AttentionConfig,
    EmbeddingConfig,
    StackConfig,
    layer_groups,
)
from tfcompress.scaling import (
    block_wise_scaling,
    default_max_groups,
    define_schedule,
    dextra_schedule,
)

_HALVES = ("attention", "feed_forward")


def config_problems(config: Any) -> Iterator[str]:
    """Yields one line for each impossible setting.

    Args:
        config: A configuration whose fields have the right types.
    """
    positive = {
        "source_vocabulary_size": config.source_vocabulary_size,
        "target_vocabulary_size": config.target_vocabulary_size,
        "hidden_dim": config.hidden_dim,
        "max_source_length": config.max_source_length,
        "max_target_length": config.max_target_length,
        "embedding.embedding_dim": config.embedding.embedding_dim,
    }
    rates = {
        "dropout": config.dropout,
        "embedding.transform.dropout": config.embedding.transform.dropout,
    }
    yield from range_problems(positive, rates)
    for name in ("encoder", "decoder"):
        yield from stack_problems(name, getattr(config, name), config.hidden_dim)
    yield from _embedding_problems(config)
    yield from _position_problems(config)
    yield from _id_problems(config)


def range_problems(
    positive: Mapping[str, object], rates: Mapping[str, float] | None = None
) -> Iterator[str]:
    """Yields one line for each number that is out of range.

    Args:
        positive: Sizes by name: whole numbers, several of them, or None.
        rates: Dropout rates by name.
    """
    for name, value in positive.items():
        if any(v is not None and v < 1 for v in _listed(value)):
            yield f"`{name}` must be at least 1 (received {value})"
    for name, value in (rates or {}).items():
        if not 0 <= value < 1:
            yield f"`{name}` must lie in [0, 1) (received {value})"


def _stack_ranges(name, stack):
    positive = {
        f"{name}.num_layers": stack.num_layers,
        f"{name}.feed_forward.intermediate_dim": stack.feed_forward.intermediate_dim,
        f"{name}.successors": stack.successors,
    }
    rates = {
        f"{name}.feed_forward.dropout": stack.feed_forward.dropout,
        f"{name}.scaling.dropout": stack.scaling.dropout,
    }
    for kind, attention in _attentions(stack):
        where = f"{name}.{kind}"
        positive |= {
            f"{where}.num_heads": attention.num_heads,
            f"{where}.head_dim": attention.head_dim,
            f"{where}.convolution.kernel_size": attention.convolution.kernel_size,
            f"{where}.convolution.num_heads": attention.convolution.num_heads,
        }
        rates[f"{where}.dropout"] = attention.dropout
        rates[f"{where}.convolution.weight_dropout"] = attention.convolution.weight_dropout
    yield from range_problems(positive, rates)


def _attentions(stack):
    yield "attention", stack.attention
    if stack.cross_attention is not None:
        yield "cross_attention", stack.cross_attention


def _listed(value):
    return value if isinstance(value, tuple | list) else [value]


def _choice(name, value, valid):
    if value not in valid:
        yield f"`{name}` must be one of {', '.join(valid)} (received {value!r})"


def stack_problems(name: str, stack: StackConfig, hidden_dim: int) -> Iterator[str]:
    """Yields one line for each impossible setting of a stack.

    Args:
        name: "encoder" or "decoder".
        stack: Its configuration.
        hidden_dim: The model's width.
    """
    yield from _stack_ranges(name, stack)
    yield from _choice(f"{name}.kind", stack.kind, LAYER_KINDS)
    yield from _choice(
        f"{name}.feed_forward.activation", stack.feed_forward.activation, ACTIVATIONS
    )
    yield from _choice(f"{name}.sharing.pattern", stack.sharing.pattern, SHARING_PATTERNS)
    for kind, attention in _attentions(stack):
        yield from _attention_problems(f"{name}.{kind}", name, stack, attention, hidden_dim)
    lists = list(_list_problems(name, stack))
    yield from lists
    groups = stack.sharing.groups
    if not 1 <= groups <= max(stack.num_layers, 1):
        yield (
            f"`{name}.sharing.groups` must lie between 1 and `{name}.num_layers` (received "
            f"{groups} of {stack.num_layers})"
        )
    elif not lists and stack.num_layers >= 1 and stack.sharing.pattern in SHARING_PATTERNS:
        yield from _sharing_problems(name, stack)
    for rate in _listed(stack.layer_drop.rate):
        if not 0 <= rate <= 1:
            yield f"`{name}.layer_drop.rate` must lie in [0, 1] (received {rate})"
    if stack.drops_layers and stack.sharing.pattern in _HALVES:
        yield (
            f"`{name}.layer_drop` drops whole layers, so it cannot go with "
            f"`{name}.sharing.pattern` {stack.sharing.pattern}, which shares halves (received both)"
        )
    successors = stack.successors
    if successors is not None and successors >= 1 and stack.num_layers % successors:
        yield (
            f"`{name}.num_layers` must be a multiple of `{name}.successors` (received "
            f"{stack.num_layers} and {successors})"
        )
    if stack.kind == "delight":
        yield from _scaling_problems(name, stack, hidden_dim)
    if name == "encoder" and stack.cross_attention is not None:
        yield "`encoder.cross_attention` has nothing to attend to (received one; leave it out)"


def _depth_values(stack):
    """Every setting that may have one value for each depth."""
    values = {
        "feed_forward.intermediate_dim": stack.feed_forward.intermediate_dim,
        "layer_drop.rate": stack.layer_drop.rate,
    }
    for kind, attention in _attentions(stack):
        values[f"{kind}.num_heads"] = attention.num_heads
        values[f"{kind}.convolution.kernel_size"] = attention.convolution.kernel_size
    return {name: value for name, value in values.items() if isinstance(value, tuple | list)}


def _list_problems(name, stack):
    for key, value in _depth_values(stack).items():
        if len(value) != stack.num_layers:
            yield (
                f"`{name}.{key}` must have one value for each of `{name}.num_layers` layers "
                f"(received {len(value)} for {stack.num_layers})"
            )


def _sharing_problems(name, stack):
    """Layers that are one and the same must have one set of sizes."""
    attention, feed_forward = layer_groups(stack)
    scaled = stack.kind == "delight" and stack.scaling.min_depth != stack.scaling.max_depth
    if scaled and len(set(attention)) < stack.num_layers:
        yield (
            f"`{name}.scaling` makes every layer another one, so layers cannot be shared (received "
            f"min_depth {stack.scaling.min_depth}, max_depth {stack.scaling.max_depth} and "
            f"sharing {stack.sharing.pattern})"
        )
    for key, value in _depth_values(stack).items():
        groups = feed_forward if key.startswith("feed_forward") else attention
        if len(set(zip(groups, value))) > len(set(groups)):
            yield (
                f"`{name}.{key}` must be equal for layers that are shared (received {value} with "
                f"sharing {stack.sharing.pattern})"
            )


def _attention_problems(where, name, stack, attention: AttentionConfig, hidden_dim):
    yield from _choice(f"{where}.kind", attention.kind, ATTENTION_KINDS)
    across = where.endswith("cross_attention")
    if across and attention.kind != "multi_head":
        yield f"`{where}.kind` must be multi_head (received {attention.kind!r})"
        return
    width = hidden_dim
    if stack.kind == "delight":
        width = hidden_dim // 2
        if attention.kind != "multi_head":
            yield (
                f"`{where}.kind` must be multi_head where `{name}.kind` is delight (received "
                f"{attention.kind!r})"
            )
    if attention.gated and attention.kind != "multi_head":
        yield f"`{where}.gated` needs kind multi_head (received {attention.kind!r})"
    if attention.words and attention.kind != "fixed":
        yield (
            f"`{where}.words` is for the patterns of kind fixed (received true with kind "
            f"{attention.kind!r})"
        )
    if attention.kind == "fixed":
        yield from _pattern_problems(where, name, attention)
    if attention.kind == "lsra":
        part = attention.attention_dim
        if part is not None and not 1 <= part < hidden_dim:
            yield (
                f"`{where}.attention_dim` must lie between 1 and `hidden_dim` - 1 (received {part})"
            )
            return
        width = hidden_dim // 2 if part is None else part
        yield from _convolution_problems(where, attention.convolution, hidden_dim - width)
    if attention.kind == "convolution":
        yield from _convolution_problems(where, attention.convolution, hidden_dim)
        return
    for heads in _listed(attention.num_heads):
        if attention.head_dim is None and heads >= 1 and width % heads:
            yield (
                f"{_width_name(attention, stack)} must be divisible by `{where}.num_heads` unless "
                f"`head_dim` is given (received {width} and {heads})"
            )
            break


def _width_name(attention, stack):
    if attention.kind == "lsra":
        return "the attention's share of `hidden_dim`"
    return "half of `hidden_dim`" if stack.kind == "delight" else "`hidden_dim`"


def _pattern_problems(where, name, attention):
    if name == "decoder":
        yield f"`{where}.kind` fixed is for the encoder only: its patterns look ahead"
    for pattern in attention.patterns:
        yield from _choice(f"{where}.patterns", pattern, PATTERNS)
    if not attention.patterns:
        yield f"`{where}.patterns` must name at least one of {', '.join(PATTERNS)} (received none)"
    yield from _choice(f"{where}.edges", attention.edges, ("zero", "self"))
    if min(_listed(attention.num_heads)) < len(attention.patterns):
        yield (
            f"`{where}.num_heads` counts fixed and learned heads, so there must be one for each "
            f"pattern (received {attention.num_heads} for {len(attention.patterns)} patterns)"
        )


def _convolution_problems(where, convolution, width):
    yield from _choice(f"{where}.convolution.kind", convolution.kind, CONVOLUTION_KINDS)
    if convolution.num_heads >= 1 and width % convolution.num_heads:
        yield (
            f"the channels of the convolution must be divisible by `{where}.convolution.num_heads` "
            f"(received {width} and {convolution.num_heads})"
        )


def _scaling_problems(name, stack, hidden_dim):
    scaling = stack.scaling
    if not 2 <= scaling.min_depth <= scaling.max_depth:
        yield (
            f"`{name}.scaling` needs 2 <= min_depth <= max_depth (received {scaling.min_depth} and "
            f"{scaling.max_depth})"
        )
        return
    if hidden_dim % 2 or stack.num_layers < 1:
        yield f"`{name}.kind` delight needs an even `hidden_dim` (received {hidden_dim})"
        return
    try:
        blocks = block_wise_scaling(
            scaling.min_depth, scaling.max_depth, scaling.width_multiplier, stack.num_layers
        )
        for depth, multiplier in blocks:
            half = hidden_dim // 2
            dextra_schedule(
                half,
                half,
                multiplier * hidden_dim,
                depth,
                scaling.max_groups or default_max_groups(hidden_dim),
            )
    except ValueError as error:
        yield f"`{name}.scaling` is impossible ({error})"


def _embedding_problems(config):
    embedding: EmbeddingConfig = config.embedding
    yield from _choice("embedding.kind", embedding.kind, EMBEDDING_KINDS)
    yield from _choice("embedding.tie", embedding.tie, ("shared", "own", "none"))
    if embedding.share and config.source_vocabulary_size != config.target_vocabulary_size:
        yield (
            "`embedding.share` needs equal source and target vocabularies (received "
            f"{config.source_vocabulary_size} and {config.target_vocabulary_size})"
        )
    transforms = embedding.kind in ("define", "dextra")
    if embedding.cached and not transforms:
        yield f"`embedding.cached` needs kind define or dextra (received {embedding.kind!r})"
    if transforms:
        yield from _transform_problems(config, embedding)
    if embedding.kind == "adaptive":
        yield from _band_problems(config, embedding)


def _transform_problems(config, embedding):
    if embedding.tie == "shared":
        yield (
            f"`embedding.tie` cannot be shared through the transform of {embedding.kind}: choose "
            "own or none (received 'shared')"
        )
    if embedding.embedding_dim is None:
        yield f"`embedding.kind` {embedding.kind} needs `embedding.embedding_dim` (received null)"
        return
    if embedding.use_bias:
        yield f"`embedding.use_bias` is for kind factorized (received kind {embedding.kind!r})"
    yield from _choice("embedding.schedule", embedding.schedule, ("paper", "released"))
    transform, width = embedding.transform, embedding.embedding_dim
    most = transform.max_groups or default_max_groups(config.hidden_dim)
    sizes = (config.hidden_dim // 2, config.hidden_dim, transform.width_multiplier * width)
    try:
        if embedding.kind == "dextra":
            dextra_schedule(*sizes, transform.depth, most)
        else:
            released = embedding.schedule == "released"
            define_schedule(*sizes, transform.depth, most, released=released)
    except ValueError as error:
        yield f"`embedding.transform` is impossible ({error})"


def _band_problems(config, embedding):
    cutoffs = embedding.cutoffs
    sizes = [config.target_vocabulary_size]
    if not embedding.share:
        sizes.append(config.source_vocabulary_size)
    if list(cutoffs) != sorted(set(cutoffs)) or any(not 0 < c < min(sizes) for c in cutoffs):
        yield (
            "`embedding.cutoffs` must ascend between 0 and the vocabulary's size (received "
            f"{cutoffs} for {min(sizes)})"
        )
    if embedding.factor < 1:
        yield f"`embedding.factor` must be at least 1 (received {embedding.factor})"
        return
    width = embedding.embedding_dim or config.hidden_dim
    if width < embedding.factor ** len(cutoffs):
        yield (
            "the last band of `embedding` would have no width left (received "
            f"{width} / {embedding.factor} ** {len(cutoffs)})"
        )
    if embedding.tie == "own":
        yield "`embedding.tie` of kind adaptive must be shared or none (received 'own')"
    for name in ("use_bias", "use_output_bias"):
        if getattr(embedding, name) and not (name == "use_output_bias" and embedding.tie == "none"):
            yield f"`embedding.{name}` does not go with kind adaptive (received true)"


def _position_problems(config):
    yield from _choice("positions", config.positions, POSITION_KINDS)
    if config.positions == "sinusoidal" and (config.hidden_dim % 2 or config.hidden_dim < 4):
        yield (
            "sinusoidal positions need an even `hidden_dim` of at least 4 (received "
            f"{config.hidden_dim})"
        )
    yield from epsilon_problems(config.epsilon)


def epsilon_problems(epsilon: float) -> Iterator[str]:
    """Yields a line if the epsilon of normalizations is impossible."""
    if not 0 < epsilon < math.inf:
        yield f"`epsilon` must be positive and finite (received {epsilon})"


def _id_problems(config):
    ids = {name: getattr(config, name) for name in ("pad_id", "bos_id", "eos_id")}
    smallest = min(config.source_vocabulary_size, config.target_vocabulary_size)
    for name, value in ids.items():
        if not 0 <= value < max(smallest, 1):
            yield f"`{name}` must be an id of both vocabularies (received {value})"
    if len(set(ids.values())) < len(ids):
        yield f"`pad_id`, `bos_id` and `eos_id` must differ (received {list(ids.values())})"
