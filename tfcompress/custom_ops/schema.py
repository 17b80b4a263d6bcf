"""The custom operations: their names, operands and layouts, for Python and for C++.

`export/native/common/schema.h` is generated from this by `python -m tfcompress.custom_ops.header`.
Imports nothing heavy, as recipes are checked against it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Operand:
    """A tensor that an operation gets.

    Attributes:
        name: What it is.
        shape: Its layout, outputs before inputs in a matrix.
        is_weight: Whether it is a matrix whose scales are the operand behind it.
        is_constant: Whether a bundle holds it, packed with all such operands of the operation into
            one tensor.
    """

    name: str
    shape: str
    is_weight: bool = False
    is_constant: bool = False


@dataclass(frozen=True)
class Operation:
    """A custom operation. Its first operand is `config`, the attributes that are numbers.

    Attributes:
        name: Its name in a model.
        operands: The operands behind `config`, without scales.
        outputs: Names of the outputs. One called `new_` and an operand's name may be the same
            memory.
        layer_operands: What each of its layers has, behind all `operands`; all of it constant.
        makes_faster: Whether it makes bundles faster by itself, as `benchmarks/custom_ops.py`
            measures.
    """

    name: str
    operands: tuple[Operand, ...]
    outputs: tuple[str, ...]
    layer_operands: tuple[Operand, ...] = ()
    makes_faster: bool = False

    def all_operands(self) -> list[Operand]:
        """Returns the operands as a model has them, without those of layers."""
        return _with_scales((Operand("config", "[values]", is_constant=True), *self.operands))

    def operands_of_layer(self) -> list[Operand]:
        """Returns the operands of one layer as a model has them."""
        return _with_scales(self.layer_operands)

    def weights(self) -> tuple[int, ...]:
        """Returns which operands are weights, without those of layers."""
        return _indices(self.all_operands(), lambda operand: operand.is_weight)

    def computed(self) -> tuple[int, ...]:
        """Returns which operands a bundle's model computes, one tensor each."""
        return _indices(self.all_operands(), lambda operand: not operand.is_constant)

    def is_weight(self, index: int) -> bool:
        """Returns whether an operand is a weight.

        Args:
            index: Its place among all operands, those of layers included.
        """
        first = len(self.all_operands())
        if index < first:
            return self.all_operands()[max(index, 0)].is_weight
        layer = self.operands_of_layer()
        return bool(layer) and layer[(index - first) % len(layer)].is_weight


def _with_scales(operands):
    listed = []
    for operand in operands:
        listed.append(operand)
        if operand.is_weight:
            scales = "[rows] or [rows, columns / 32]"
            listed.append(Operand(f"{operand.name}_scales", scales, is_constant=True))
    return listed


def _indices(operands, condition):
    return tuple(index for index, operand in enumerate(operands) if condition(operand))


def _weight(name, shape):
    return Operand(name, shape, is_weight=True, is_constant=True)


def _dense(name, outputs, inputs):
    bias = Operand(f"{name}_bias", f"[{outputs}]", is_constant=True)
    return _weight(name, f"[{outputs}, {inputs}]"), bias


def _norm(name, width):
    return (
        Operand(f"{name}_gamma", f"[{width}]", is_constant=True),
        Operand(f"{name}_beta", f"[{width}]", is_constant=True),
    )


_POSITION = Operand("position", "int32 [1]")
_POSITIONS = Operand("position", "int32 [1 or batch]")
_SEQUENCE = Operand("x", "[batch, length, width, or twice as much if gated]")
_ROW = Operand("x", "[batch, width, or twice as much if gated]")
_HISTORY = Operand("inputs", "[batch, 1, max_length, width]")
_DYNAMIC = _weight("weight", "[num_heads * kernel_size, width]")
_FIXED = Operand("weight", "[num_heads, kernel_size]", is_constant=True)
_KEYS = Operand("keys", "[batch, heads, max_length, head_dim]")
_VALUES = Operand("values", "[batch, heads, max_length, head_dim]")
_MEMORY_KEYS = Operand("memory_keys", "[sentences, heads, memory_length, head_dim]")
_MEMORY_VALUES = Operand("memory_values", "[sentences, heads, memory_length, head_dim]")
_MEMORY_LENGTHS = Operand("memory_lengths", "int32 [sentences]")
# What follows self-attention in a decoder's layer.
_REST_OF_LAYER = (
    *_dense("memory_query", "memory_inner", "width"),
    *_dense("memory_output", "width", "memory_inner"),
    *_dense("inner", "intermediate", "width"),
    *_dense("outer", "width", "intermediate"),
    *_norm("self_attention_norm", "width"),
    *_norm("cross_attention_norm", "width"),
    *_norm("feed_forward_norm", "width"),
)

OPERATIONS = (
    Operation(
        "tfc.GroupTransform",
        (Operand("x", "[count, inputs]"),),
        ("y",),
        (
            _weight("weight", "[groups, outputs / groups, inputs / groups]"),
            Operand("bias", "[outputs]", is_constant=True),
            *_norm("norm", "outputs / groups"),
        ),
        makes_faster=True,
    ),
    Operation(
        "tfc.FixedPatterns",
        (Operand("values", "[batch, length, heads * head_dim]"),),
        ("y",),
        makes_faster=True,
    ),
    Operation("tfc.DynamicConv", (_SEQUENCE, _DYNAMIC), ("y",), makes_faster=True),
    Operation(
        "tfc.DynamicConvStep",
        (_ROW, _DYNAMIC, _HISTORY, _POSITION),
        ("y", "new_inputs"),
        makes_faster=True,
    ),
    Operation("tfc.LightweightConv", (_SEQUENCE, _FIXED), ("y",)),
    Operation("tfc.LightweightConvStep", (_ROW, _FIXED, _HISTORY, _POSITION), ("y", "new_inputs")),
    Operation(
        "tfc.CachedAttention",
        (
            Operand("query", "[batch, heads * head_dim]"),
            Operand("key", "[batch, heads * head_dim]"),
            Operand("value", "[batch, heads * head_dim]"),
            _KEYS,
            _VALUES,
            _POSITION,
        ),
        ("context", "new_keys", "new_values"),
    ),
    Operation(
        "tfc.MemoryAttention",
        (Operand("query", "[batch, heads * head_dim]"), _MEMORY_KEYS, _MEMORY_VALUES),
        ("context",),
    ),
    Operation(
        "tfc.Decoder",
        (
            Operand("x", "[batch, width]"),
            _POSITIONS,
            _KEYS,
            _VALUES,
            _MEMORY_KEYS,
            _MEMORY_VALUES,
            _MEMORY_LENGTHS,
        ),
        ("y", "new_keys", "new_values"),
        (
            *_dense("query", "inner", "width"),
            *_dense("key", "inner", "width"),
            *_dense("value", "inner", "width"),
            *_dense("output", "width", "inner"),
            *_REST_OF_LAYER,
        ),
        makes_faster=True,
    ),
    Operation(
        "tfc.RecurrentDecoder",
        (
            Operand("x", "[batch, width]"),
            Operand("cells", "[batch, layers, width]"),
            _MEMORY_KEYS,
            _MEMORY_VALUES,
            _MEMORY_LENGTHS,
        ),
        ("y", "new_cells"),
        (
            *_dense("candidate", "width", "width"),
            *_dense("forget_gate", "width", "width"),
            *_REST_OF_LAYER,
        ),
        makes_faster=True,
    ),
    Operation(
        "tfc.EncoderLayer",
        (
            Operand("x", "[1, length, width]"),
            *_dense("query", "inner", "width"),
            *_dense("key", "inner", "width"),
            *_dense("value", "inner", "width"),
            *_dense("output", "width", "inner"),
            *_dense("inner", "intermediate", "width"),
            *_dense("outer", "width", "intermediate"),
            *_norm("attention_norm", "width"),
            *_norm("feed_forward_norm", "width"),
        ),
        ("y",),
    ),
    Operation(
        "tfc.TopLogits",
        (
            Operand("x", "[batch, width]"),
            # The embedding's too, perhaps.
            Operand("table", "[vocabulary, width]", is_weight=True),
            Operand("bias", "[vocabulary]", is_constant=True),
            Operand("shortlist", "int32 [lists, vocabulary]"),
            Operand("shortlist_size", "int32 [lists]"),
            Operand("width", "int32 [count]"),
        ),
        ("top_values", "top_ids", "log_sum_exp", "eos_logits"),
    ),
)
