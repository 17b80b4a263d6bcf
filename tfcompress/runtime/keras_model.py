"""Runs an exported Keras model by the names of its signatures, inputs and outputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.keras_bundle import KerasBundle, SignatureInfo
from tfcompress.runtime.model import Model


class KerasModel(Model[KerasBundle]):
    """Runs a Keras model that `tfcompress.export.convert` wrote; needs LiteRT and numpy only.

    Arguments, attributes and errors are those of `Model`: `path`, `num_threads`, `native` and
    `verify`. The native runtime computes where the bundle needs custom operations, which it alone
    has; it takes and gives float32 and int32 only. `signatures` are the model's functions by name,
    with the shapes and types of their inputs and outputs.

    Example:

    >>> with KerasModel("tagger") as tagger:
    ...     tagger.run({"ids": np.array([[7, 12, 3]])})["logits"].shape
    (1, 3, 16)
    """

    bundle_class = KerasBundle

    @property
    def signatures(self) -> dict[str, SignatureInfo]:
        """The model's functions by name."""
        return self.bundle.signatures

    def run(
        self,
        inputs: Mapping[str, np.ndarray] | np.ndarray,
        *,
        signature: str | None = None,
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            inputs: Arrays by the names of inputs; of a signature with one input, the array itself.
            signature: The signature's name; may be left out where there is but one.
            outputs: Names of the outputs that are wanted; all by default.

        Returns:
            Arrays by the names of outputs.

        Raises:
            InputError: A name does not exist, an input is missing or has another shape or type, or
                the model cannot compute with it, as with ids outside its tables.
        """
        name = self._name(signature)
        info = self.signatures[name]
        arrays = self._arrays(name, info, inputs)
        if isinstance(outputs, str) or (outputs is not None and {*outputs} - {*info.outputs}):
            raise InputError(
                f"`outputs` must be a list of names. Received: {outputs!r}. {self.bundle.path} "
                f"has {', '.join(info.outputs)}."
            )
        results = self._run(lambda engine: engine.run(name, arrays))
        return {key: results[key] for key in (info.outputs if outputs is None else outputs)}

    def _name(self, signature):
        if signature is None and len(self.signatures) == 1:
            return next(iter(self.signatures))
        if signature not in self.signatures:
            raise InputError(
                f"`signature` must be a name. Received: {signature!r}. {self.bundle.path} has "
                f"{', '.join(self.signatures)}."
            )
        return signature

    def _arrays(self, name, info, inputs):
        if not isinstance(inputs, Mapping):
            if len(info.inputs) != 1:
                raise InputError(
                    f"`inputs` must map names to arrays. Received: {type(inputs).__name__}. "
                    f"{name} takes {', '.join(info.inputs) or 'none'}."
                )
            inputs = {next(iter(info.inputs)): inputs}
        if {*inputs} != {*info.inputs}:
            raise InputError(
                f"`inputs` must be those of {name}. Received: {', '.join(map(str, inputs))}. Give "
                f"{', '.join(info.inputs)}."
            )
        return {key: _array(key, tensor, inputs[key]) for key, tensor in info.inputs.items()}


def _array(name, tensor, value):
    array = np.asarray(value)
    wanted = np.dtype(tensor.dtype)
    if not _holds(array, wanted):
        raise InputError(
            f"`{name}` must be {tensor.dtype}. Received: {array.dtype} that it cannot hold. Give "
            "it such numbers."
        )
    sizes = zip(array.shape, tensor.shape)
    if array.ndim != len(tensor.shape) or any(b not in (None, a) for a, b in sizes):
        raise InputError(
            f"`{name}` must have the shape {tensor.shape}. Received: {array.shape}. Give sizes "
            "where it has None, and these elsewhere."
        )
    return np.ascontiguousarray(array, wanted)


def _holds(array, wanted):
    """Whether values stay what they are: whole numbers whole, within the type's range."""
    if array.dtype.kind not in "fiub":
        return False
    if wanted.kind == "f" or array.dtype == wanted:
        return True
    if wanted.kind == "b" or array.dtype.kind == "f":
        return False
    limits = np.iinfo(wanted)
    return not array.size or limits.min <= int(array.min()) <= int(array.max()) <= limits.max
