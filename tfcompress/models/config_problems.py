"""Finds every impossible setting of a configuration."""

import math
from collections.abc import Iterator
from typing import Any

from tfcompress.models.config_parts import (
    EMBEDDING_TYPES,
    POSITION_TYPES,
    SHARING_PATTERNS,
    EmbeddingConfig,
    StackConfig,
    layer_groups,
)
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.rules import (
    ACTIVATIONS,
    divisor_problems,
    listed,
    option_problems,
    range_problems,
)
from tfcompress.scaling import (
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
    }
    yield from range_problems(positive, {"dropout": config.dropout})
    for name in ("encoder", "decoder"):
        yield from stack_problems(name, getattr(config, name), config.hidden_dim)
    yield from token_problems(config)
    yield from _prefix_problems(config)
    yield from _alignment_problems(config)


def token_problems(config: Any) -> Iterator[str]:
    """Yields one line for each impossible setting of embeddings, positions and ids.

    Args:
        config: The configuration of a model with a decoder.
    """
    embedding = config.embedding
    yield from range_problems(
        {"embedding.embedding_dim": embedding.embedding_dim},
        {"embedding.transform.dropout": embedding.transform.dropout},
    )
    yield from _embedding_problems(config)
    yield from _position_problems(config)
    yield from _id_problems(config)


def _stack_ranges(name, stack):
    positive = {
        f"{name}.num_layers": stack.num_layers,
        f"{name}.feed_forward.intermediate_dim": stack.feed_forward.intermediate_dim,
        f"{name}.successors": stack.successors,
    }
    rates = {
        f"{name}.feed_forward.dropout": stack.feed_forward.dropout,
    }
    for part, mixer in _mixers(stack):
        positive |= {f"{name}.{part}.{key}": value for key, value in mixer.sizes().items()}
        rates |= {f"{name}.{part}.{key}": value for key, value in mixer.rates().items()}
    yield from range_problems(positive, rates)


def _mixers(stack):
    yield "attention", stack.attention
    if stack.cross_attention is not None:
        yield "cross_attention", stack.cross_attention


def stack_problems(name: str, stack: StackConfig, hidden_dim: int) -> Iterator[str]:
    """Yields one line for each impossible setting of a stack.

    Args:
        name: "encoder" or "decoder".
        stack: Its configuration.
        hidden_dim: The model's width.
    """
    yield from _stack_ranges(name, stack)
    yield from option_problems(
        f"{name}.feed_forward.activation", stack.feed_forward.activation, ACTIVATIONS
    )
    yield from option_problems(f"{name}.sharing.pattern", stack.sharing.pattern, SHARING_PATTERNS)
    yield from stack.attention.problems(
        f"{name}.attention", side=name, width=hidden_dim, num_layers=stack.num_layers
    )
    if stack.cross_attention is not None:
        yield from _cross_attention_problems(name, stack, hidden_dim)
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
    for rate in listed(stack.layer_drop.rate):
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


def _cross_attention_problems(name, stack, hidden_dim):
    attention, width = stack.cross_attention, stack.attention.memory_width(hidden_dim)
    if name == "encoder":
        yield "`encoder.cross_attention` has nothing to attend to (received one; leave it out)"
    if type(attention) is not AttentionConfig:
        yield f"`{name}.cross_attention.mixer` must be multi_head (received {attention.mixer!r})"
    elif attention.head_dim is None:
        share = "`hidden_dim`" if width == hidden_dim else "the attention's share of `hidden_dim`"
        where = f"{name}.cross_attention"
        yield from divisor_problems(where, share, width, attention.num_heads)


def _layer_values(stack):
    """Every setting that may have one value for each layer."""
    values = {
        "feed_forward.intermediate_dim": stack.feed_forward.intermediate_dim,
        "layer_drop.rate": stack.layer_drop.rate,
    }
    for part, mixer in _mixers(stack):
        values |= {f"{part}.{key}": value for key, value in mixer.per_layer().items()}
    return {name: value for name, value in values.items() if isinstance(value, tuple | list)}


def _list_problems(name, stack):
    for key, value in _layer_values(stack).items():
        if len(value) != stack.num_layers:
            yield (
                f"`{name}.{key}` must have one value for each of `{name}.num_layers` layers "
                f"(received {len(value)} for {stack.num_layers})"
            )


def _sharing_problems(name, stack):
    """Layers that are one and the same must have one set of sizes."""
    attention, feed_forward = layer_groups(stack)
    if stack.attention.layers_differ and len(set(attention)) < stack.num_layers:
        yield (
            f"`{name}.attention` makes every layer another one, so layers cannot be shared "
            f"(received mixer {stack.attention.mixer} and sharing {stack.sharing.pattern})"
        )
    for key, value in _layer_values(stack).items():
        groups = feed_forward if key.startswith("feed_forward") else attention
        if len(set(zip(groups, value))) > len(set(groups)):
            yield (
                f"`{name}.{key}` must be equal for layers that are shared (received {value} with "
                f"sharing {stack.sharing.pattern})"
            )


def _embedding_problems(config):
    embedding: EmbeddingConfig = config.embedding
    layer_type = embedding.layer_type
    yield from option_problems("embedding.layer_type", layer_type, EMBEDDING_TYPES)
    yield from option_problems("embedding.tie", embedding.tie, ("shared", "own", "none"))
    sizes = config.vocabulary_sizes.values()
    if embedding.share and len(set(sizes)) > 1:
        yield (
            "`embedding.share` needs equal source and target vocabularies (received "
            f"{' and '.join(map(str, sizes))})"
        )
    transforms = layer_type in ("define", "dextra")
    if embedding.cached and not transforms:
        yield f"`embedding.cached` is for layer_type define or dextra (received {layer_type!r})"
    if layer_type != "factorized" and not embedding.use_scale:
        yield f"`embedding.use_scale` is for layer_type factorized (received {layer_type!r})"
    if transforms:
        yield from _transform_problems(config, embedding)
    if layer_type == "adaptive":
        yield from _band_problems(config, embedding)


def _transform_problems(config, embedding):
    layer_type = embedding.layer_type
    if embedding.tie == "shared":
        yield (
            f"`embedding.tie` cannot be shared through the transform of {layer_type}: choose own "
            "or none (received 'shared')"
        )
    if embedding.embedding_dim is None:
        yield f"`embedding.layer_type` {layer_type} needs `embedding.embedding_dim` (received null)"
        return
    if embedding.use_bias:
        yield f"`embedding.use_bias` is for layer_type factorized (received {layer_type!r})"
    yield from option_problems("embedding.schedule", embedding.schedule, ("paper", "released"))
    transform, width = embedding.transform, embedding.embedding_dim
    most = transform.max_groups or default_max_groups(config.hidden_dim)
    sizes = (config.hidden_dim // 2, config.hidden_dim, transform.width_multiplier * width)
    try:
        if layer_type == "dextra":
            dextra_schedule(*sizes, transform.num_layers, most)
        else:
            released = embedding.schedule == "released"
            define_schedule(*sizes, transform.num_layers, most, released=released)
    except ValueError as error:
        yield f"`embedding.transform` is impossible ({error})"


def _band_problems(config, embedding):
    cutoffs = embedding.cutoffs
    sizes = config.vocabulary_sizes
    sizes = [sizes["target"]] if embedding.share else sizes.values()
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
        yield "`embedding.tie` of layer_type adaptive must be shared or none (received 'own')"
    for name in ("use_bias", "use_output_bias"):
        if getattr(embedding, name) and not (name == "use_output_bias" and embedding.tie == "none"):
            yield f"`embedding.{name}` does not go with layer_type adaptive (received true)"


def _position_problems(config):
    yield from option_problems("positions", config.positions, POSITION_TYPES)
    if config.positions.endswith("sinusoidal") and (config.hidden_dim % 2 or config.hidden_dim < 4):
        yield (
            "sinusoidal positions need an even `hidden_dim` of at least 4 (received "
            f"{config.hidden_dim})"
        )
    first = config.first_position
    if first < 0:
        yield f"`first_position` must be at least 0 (received {first})"
    if first and config.positions == "learned":
        yield f"`first_position` is for sinusoidal positions (received {first} with learned ones)"
    yield from epsilon_problems(config.epsilon)


def epsilon_problems(epsilon: float) -> Iterator[str]:
    """Yields a line if the epsilon of normalizations is impossible."""
    if not 0 < epsilon < math.inf:
        yield f"`epsilon` must be positive and finite (received {epsilon})"


def _id_problems(config):
    ids = {name: getattr(config, name) for name in ("pad_id", "bos_id", "eos_id")}
    smallest = min(config.vocabulary_sizes.values())
    for name, value in ids.items():
        if not 0 <= value < max(smallest, 1):
            yield f"`{name}` must be an id of every vocabulary (received {value})"
    # Behind a prefix, the end mark that a target begins with is not taken for its end.
    has_prefix = bool(getattr(config, "target_prefix", ()))
    if config.eos_id == config.pad_id or (config.eos_id == config.bos_id and not has_prefix):
        yield f"`eos_id` must differ from `pad_id` and `bos_id` (received {list(ids.values())})"


def _prefix_problems(config):
    prefix, size = config.target_prefix, config.vocabulary_sizes["target"]
    special = {config.pad_id, config.bos_id, config.eos_id}
    if any(not 0 <= token < size or token in special for token in prefix):
        yield (
            f"`target_prefix` must have ids of target tokens, from 0 to {size - 1}, other than "
            f"those of padding, begin and end (received {list(prefix)})"
        )
    if prefix and len(prefix) >= config.max_target_length:
        yield (
            "`target_prefix` must leave room for a target in `max_target_length` (received "
            f"{len(prefix)} ids of {config.max_target_length})"
        )


def _alignment_problems(config):
    head = config.alignment_head
    if head is None:
        return
    heads = [*listed(config.decoder.memory_attention.num_heads)]
    if heads and not 0 <= head < heads[-1]:
        yield (
            "`alignment_head` must be a head of the last cross-attention, from 0 to "
            f"{heads[-1] - 1} (received {head})"
        )
