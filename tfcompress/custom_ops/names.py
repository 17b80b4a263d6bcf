"""The custom operations. Imports nothing heavy, as recipes are checked against it."""

from collections.abc import Sequence

from tfcompress.custom_ops.schema import OPERATIONS
from tfcompress.errors import InputError

# In the order of the schema.
(
    GROUP_TRANSFORM,
    FIXED_PATTERNS,
    DYNAMIC_CONV,
    DYNAMIC_CONV_STEP,
    LIGHTWEIGHT_CONV,
    LIGHTWEIGHT_CONV_STEP,
    CACHED_ATTENTION,
    MEMORY_ATTENTION,
    DECODER,
    RECURRENT_DECODER,
    ENCODER_LAYER,
    TOP_LOGITS,
) = (operation.name for operation in OPERATIONS)

_OPERATIONS = {operation.name: operation for operation in OPERATIONS}
# Which operands are weights, beside those of an operation's layers. The operand after each is its
# scales.
WEIGHTS = {name: operation.weights() for name, operation in _OPERATIONS.items()}
# Which operands are computed by a bundle's model. All others are constants, and packed into one.
COMPUTED = {name: operation.computed() for name, operation in _OPERATIONS.items()}
ALL = tuple(_OPERATIONS)
# Those that make bundles faster by themselves.
DEFAULT = tuple(name for name, operation in _OPERATIONS.items() if operation.makes_faster)


def is_weight(name: str, operand: int) -> bool:
    """Returns whether an operand of an operation is a weight, with its scales behind it.

    Args:
        name: The operation.
        operand: Index of the operand.
    """
    return _OPERATIONS[name].is_weight(operand)


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
            f"`custom_ops` must be True, False or a list of {', '.join(WEIGHTS)}. Received: "
            f"custom_ops={custom_ops!r}."
        )
    return frozenset(custom_ops)
