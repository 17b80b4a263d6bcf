"""The custom operations. Imports nothing heavy, as recipes are checked against it."""

from collections.abc import Sequence

from tfcompress.errors import InputError

GROUP_TRANSFORM = "tfc.GroupTransform"
FIXED_PATTERNS = "tfc.FixedPatterns"
DYNAMIC_CONV = "tfc.DynamicConv"
DYNAMIC_CONV_STEP = "tfc.DynamicConvStep"
LIGHTWEIGHT_CONV = "tfc.LightweightConv"
LIGHTWEIGHT_CONV_STEP = "tfc.LightweightConvStep"
CACHED_ATTENTION = "tfc.CachedAttention"
MEMORY_ATTENTION = "tfc.MemoryAttention"
DECODER = "tfc.Decoder"
ENCODER_LAYER = "tfc.EncoderLayer"
TOP_LOGITS = "tfc.TopLogits"

# Which operands are weights, beside those of an operation's layers. The operand after each is its
# scales.
WEIGHTS = {
    GROUP_TRANSFORM: (),
    FIXED_PATTERNS: (),
    DYNAMIC_CONV: (2,),
    DYNAMIC_CONV_STEP: (2,),
    LIGHTWEIGHT_CONV: (),
    LIGHTWEIGHT_CONV_STEP: (),
    CACHED_ATTENTION: (),
    MEMORY_ATTENTION: (),
    DECODER: (),
    ENCODER_LAYER: tuple(range(2, 20, 3)),
    TOP_LOGITS: (2,),
}
# Where the operands of an operation's layers begin, how many each layer has, and which of those are
# weights.
_LAYERS = {DECODER: (7, 30, range(0, 24, 3)), GROUP_TRANSFORM: (2, 5, (0,))}
# Which operands stay such in a bundle. All others are constants, and packed into one.
GIVEN = {
    GROUP_TRANSFORM: (1,),
    FIXED_PATTERNS: (1,),
    DYNAMIC_CONV: (1,),
    DYNAMIC_CONV_STEP: (1, 4, 5),
    LIGHTWEIGHT_CONV: (1,),
    LIGHTWEIGHT_CONV_STEP: (1, 3, 4),
    CACHED_ATTENTION: (1, 2, 3, 4, 5, 6),
    MEMORY_ATTENTION: (1, 2, 3),
    DECODER: (1, 2, 3, 4, 5, 6),
    ENCODER_LAYER: (1,),
    # The table may be the embedding's too.
    TOP_LOGITS: (1, 2, 5, 6, 7),
}
ALL = tuple(WEIGHTS)
# Those that make bundles faster by themselves; `benchmarks/custom_ops.py` measures it.
DEFAULT = (DECODER, GROUP_TRANSFORM, FIXED_PATTERNS, DYNAMIC_CONV, DYNAMIC_CONV_STEP)


def is_weight(name: str, operand: int) -> bool:
    """Returns whether an operand of an operation is a weight, with its scales behind it.

    Args:
        name: The operation.
        operand: Index of the operand.
    """
    first, count, weights = _LAYERS.get(name, (0, 1, ()))
    if weights and operand >= first:
        return (operand - first) % count in weights
    return operand in WEIGHTS[name]


def chosen(custom_ops: bool | Sequence[str]) -> frozenset[str]:
    """Returns the names of the operations that an argument asks for.

    Args:
        custom_ops: True for those that make bundles faster, False for none, or names.

    Raises:
        InputError: If there is no operation of a name.
    """
    if isinstance(custom_ops, bool):
        return frozenset(DEFAULT if custom_ops else ())
    if isinstance(custom_ops, str) or not all(name in WEIGHTS for name in custom_ops):
        raise InputError(
            f"custom_ops={custom_ops!r}; give True, False or a list of {', '.join(WEIGHTS)}"
        )
    return frozenset(custom_ops)
