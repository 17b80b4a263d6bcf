"""The custom operations. Imports nothing heavy, as recipes are checked against it."""

from collections.abc import Sequence

from tfcompress.errors import InputError

GROUP_LINEAR = "tfc.GroupLinear"
FIXED_PATTERNS = "tfc.FixedPatterns"
DYNAMIC_CONV = "tfc.DynamicConv"
DYNAMIC_CONV_STEP = "tfc.DynamicConvStep"
LIGHTWEIGHT_CONV = "tfc.LightweightConv"
LIGHTWEIGHT_CONV_STEP = "tfc.LightweightConvStep"
CACHED_ATTENTION = "tfc.CachedAttention"
MEMORY_ATTENTION = "tfc.MemoryAttention"
DECODER_LAYER = "tfc.DecoderLayer"
ENCODER_LAYER = "tfc.EncoderLayer"
TOP_LOGITS = "tfc.TopLogits"

# Which operands are weights. The operand after each is its scales.
WEIGHTS = {
    GROUP_LINEAR: (2,),
    FIXED_PATTERNS: (),
    DYNAMIC_CONV: (2,),
    DYNAMIC_CONV_STEP: (2,),
    LIGHTWEIGHT_CONV: (),
    LIGHTWEIGHT_CONV_STEP: (),
    CACHED_ATTENTION: (),
    MEMORY_ATTENTION: (),
    DECODER_LAYER: tuple(range(7, 31, 3)),
    ENCODER_LAYER: tuple(range(2, 20, 3)),
    TOP_LOGITS: (2,),
}
# Which operands stay such in a bundle. All others are constants, and packed into one.
GIVEN = {
    GROUP_LINEAR: (1,),
    FIXED_PATTERNS: (1,),
    DYNAMIC_CONV: (1,),
    DYNAMIC_CONV_STEP: (1, 4, 5),
    LIGHTWEIGHT_CONV: (1,),
    LIGHTWEIGHT_CONV_STEP: (1, 3, 4),
    CACHED_ATTENTION: (1, 2, 3, 4, 5, 6),
    MEMORY_ATTENTION: (1, 2, 3),
    DECODER_LAYER: (1, 2, 3, 4, 5, 6),
    ENCODER_LAYER: (1,),
    # The table may be the embedding's too.
    TOP_LOGITS: (1, 2, 5, 6, 7),
}
ALL = tuple(WEIGHTS)
# Those that make bundles faster by themselves; `benchmarks/custom_ops.py` measures it.
DEFAULT = (FIXED_PATTERNS, DYNAMIC_CONV, DYNAMIC_CONV_STEP)


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
