"""What all layers have in common: Keras' masks, and one clear error for each mistake in a call."""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras


class Layer(keras.layers.Layer):
    """Base of the layers: looks at what a call is given, and takes Keras' masks into account.

    The mask that Keras attaches to a tensor, as `keras.layers.Embedding(mask_zero=True)` does,
    arrives as `padding_mask`, that of a memory as `memory_padding_mask`, where none is given. Where
    a layer has a `padding_mask` only, it belongs to the memory, if there is one.

    Attributes:
        input_axes: What the input's axes mean. "..." stands for any number of axes, and "width"
            for one that stays as the layer was built for.
    """

    input_axes: tuple[str, ...] = ("...",)

    # The operations of the device that it computes with, where it has them: names that
    # `tfcompress.layers.common.device_operations` sets while a model is traced for export.
    device_operations: frozenset[str] = frozenset()

    _input_width: int | None = None

    # Keras 2's `TimeDistributed` hands masks on to layers with names in an interface only.
    _keras_api_names = _keras_api_names_v1 = ("tfcompress.layers.Layer",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # So does Keras 3's to these only.
        self._call_has_mask_arg = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "call" in vars(cls) and "mask" not in _parameters(cls):
            cls.call = _with_masks(cls.call)

    def build(self, input_shape):
        if self.input_axes[-1] == "width":
            self._input_width = input_shape[-1]
        super().build(input_shape)

    @tf.autograph.experimental.do_not_convert
    def __call__(self, *args, **kwargs):
        if not args and "inputs" in kwargs:
            args = (kwargs.pop("inputs"),)
        if len(args) != 1:
            raise ValueError(
                f"{self._described()} takes one positional tensor. Received: {len(args)} "
                "positional arguments. Pass others, such as masks, by keyword."
            )
        if "mask" in kwargs and not self.accepts("mask") and _is_keras_mask(*args, kwargs["mask"]):
            args = (_with_mask(args[0], kwargs.pop("mask")),)
        self.check_call(args[0], kwargs)
        # Before Keras 2 casts the input, which would lose its mask.
        masks = _implicit_masks(_parameters(type(self)), args[0], kwargs)
        return super().__call__(args[0], **{**kwargs, **masks})

    def computes_with(self, operation: str) -> bool:
        """Returns whether an operation of the device is to be used where the layer has it."""
        return operation in self.device_operations

    def accepts(self, name: str) -> bool:
        """Returns whether calls take a keyword argument of this name."""
        return name == "training" or _has_parameter(type(self), name)

    def check_call(self, inputs, kwargs: dict) -> None:
        """Raises ValueError where a call cannot be right, as far as shapes tell.

        Args:
            inputs: The positional argument.
            kwargs: The keyword arguments.
        """
        for name in kwargs:
            if not self.accepts(name):
                self._refuse_keyword(name)
        self._check_axes(self._shape(inputs))
        memory = kwargs.get("memory")
        if memory is not None and self._shape(memory).rank not in (None, 3):
            raise ValueError(
                f"{self._described()} takes a memory [batch, memory_length, memory_width]. "
                f"Received: memory with shape={tuple(memory.shape)}. Pass an encoder's output."
            )
        for name, source in _mask_sources(_parameters(type(self)), inputs, memory).items():
            if kwargs.get(name) is not None:
                check_padding_mask(kwargs[name], name, source)

    def _described(self):
        return f"{self.name} ({type(self).__name__})"

    def _refuse_keyword(self, name):
        known = [x for x in _parameters(type(self)) if x not in ("self", "inputs")]
        remedy = f"Its keyword arguments are: {', '.join(known) or 'none'}."
        if "mask" in name and self.accepts("padding_mask"):
            remedy = "Pass `padding_mask`: boolean [batch, length], true at tokens."
        elif "mask" in name and self.supports_masking:
            remedy = "It needs no mask: what padding holds changes nothing elsewhere."
        raise ValueError(f"{self._described()} does not take `{name}`. Received: {name}. {remedy}")

    def _shape(self, inputs):
        """The shape of a tensor; unknown for numbers, which Keras converts."""
        if hasattr(inputs, "shape"):
            return tf.TensorShape(inputs.shape)
        leaves = tf.nest.flatten(inputs)
        if any(x is None or hasattr(x, "shape") for x in leaves):
            received = "None" if inputs is None else f"a {type(inputs).__name__} of {len(leaves)}"
            raise ValueError(
                f"{self._described()} takes one tensor. Received: {received}. Pass one, and "
                "others by keyword."
            )
        return tf.TensorShape(None)

    def _check_axes(self, shape):
        axes, rank = self.input_axes, shape.rank
        if rank is None:
            return
        if rank < len(axes) - 1 or ("..." not in axes and rank != len(axes)):
            raise ValueError(
                f"{self._described()} takes one tensor [{', '.join(axes)}]. Received: "
                f"shape={tuple(shape)}. Give it these axes."
            )
        if axes[-1] != "width":
            return
        if not self.built and shape[-1] is None:
            raise ValueError(
                f"{self._described()} must know the width of its input. Received: "
                f"shape={tuple(shape)}. Give the last axis a size."
            )
        if self.built and _differ(shape[-1], self._input_width):
            raise ValueError(
                f"{self._described()} was built for inputs of width {self._input_width}. Received: "
                f"shape={tuple(shape)}. Project them to this width, or make another layer."
            )


def check_padding_mask(mask, name: str = "padding_mask", source=None) -> None:
    """Raises ValueError unless a padding mask has one of the accepted forms.

    Args:
        mask: Boolean or integer `[batch, length]`, or additive `[batch, 1, 1, length]`.
        name: What the mask is called.
        source: The tensor `[batch, length, ...]` that it belongs to, or None.
    """
    if not hasattr(mask, "shape"):
        mask = tf.convert_to_tensor(mask)
    shape, dtype = tf.TensorShape(mask.shape), tf.as_dtype(mask.dtype)
    if shape.rank is None:
        return
    if shape.rank != (4 if dtype.is_floating else 2):
        raise ValueError(
            "A padding mask must be boolean or integer [batch, length] or additive floating point "
            f"[batch, 1, 1, length]. Received: {name} with shape={shape}, dtype={dtype.name}. Pass "
            "`token_ids != pad_id` or the output of `PaddingMask`."
        )
    positions = tf.TensorShape(getattr(source, "shape", None))
    if positions.rank is None:
        return
    if _differ(shape[-1], positions[1]) or (shape[0] != 1 and _differ(shape[0], positions[0])):
        raise ValueError(
            f"`{name}` must have a value for each position. Received: {name} with shape={shape} "
            f"for a tensor with shape={positions}. Pass the mask of its tokens."
        )


def mask_for(layer: keras.layers.Layer, padding_mask: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """Returns the mask as a keyword argument of a layer that need not take it."""
    if padding_mask is None or not accepts(layer, "padding_mask"):
        return {}
    return {"padding_mask": padding_mask}


def accepts(layer: keras.layers.Layer, name: str) -> bool:
    """Returns whether the calls of any Keras layer take a keyword argument of this name."""
    return layer.accepts(name) if isinstance(layer, Layer) else _has_parameter(type(layer), name)


def _parameters(layer_class: type) -> Mapping[str, inspect.Parameter]:
    return _signature(layer_class).parameters


@functools.cache
def _signature(layer_class: Any) -> inspect.Signature:
    return inspect.signature(getattr(layer_class.call, "without_mask", layer_class.call))


def _has_parameter(layer_class, name):
    parameters = _parameters(layer_class)
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _differ(size, other):
    return None not in (size, other) and size != other


def _with_masks(call):
    """Lets wrappers that use `call` itself hand a mask on, with the tensor or as `mask`.

    That is no parameter that users see: `mask` is Keras' convention, this library's `padding_mask`.
    """
    signature = inspect.signature(call)

    @functools.wraps(call)
    def masked(self, inputs, *args, mask=None, **kwargs):
        inputs = _with_mask(inputs, mask)
        masks = {} if args else _implicit_masks(signature.parameters, inputs, kwargs)
        return call(self, inputs, *args, **{**kwargs, **masks})

    vars(masked).update(without_mask=call, __signature__=signature)
    if not hasattr(keras, "ops"):
        # Keras 2 looks here whether a layer takes masks; Keras 3 would make them part of graphs.
        *parameters, last = signature.parameters.values()
        mask = inspect.Parameter("mask", inspect.Parameter.KEYWORD_ONLY, default=None)
        rest = [last, mask] if last.kind is not last.VAR_KEYWORD else [mask, last]
        seen = signature.replace(parameters=[*parameters, *rest])
        vars(masked).update(__signature__=seen)
    return masked


def _with_mask(inputs, mask):
    if mask is None or mask is getattr(inputs, "_keras_mask", None):
        return inputs
    inputs = tf.identity(inputs)
    inputs._keras_mask = mask
    return inputs


def _is_keras_mask(inputs, mask):
    """Whether it is not the user who passes a mask, but one of Keras' containers."""
    if mask is None or mask is getattr(inputs, "_keras_mask", None):
        return True
    if hasattr(keras, "ops"):
        return False
    from tf_keras.src.engine.base_layer_utils import call_context

    return isinstance(call_context().layer, (keras.layers.TimeDistributed, keras.Sequential))


def _implicit_masks(parameters, inputs, kwargs):
    """The masks that Keras has attached and nobody has passed.

    Those of symbolic tensors are left out: models look for them again whenever they run.
    """
    sources = _mask_sources(parameters, inputs, kwargs.get("memory"))
    masks = {
        name: getattr(source, "_keras_mask", None)
        for name, source in sources.items()
        if kwargs.get(name) is None
    }
    return {name: mask for name, mask in masks.items() if isinstance(mask, tf.Tensor)}


def _mask_sources(parameters, inputs, memory):
    """The tensors that masks belong to, by the masks' names."""
    if "memory_padding_mask" in parameters:
        return {"padding_mask": inputs, "memory_padding_mask": memory}
    if "padding_mask" in parameters:
        return {"padding_mask": inputs if memory is None else memory}
    return {}
