"""Runs an exported Keras model by the names of its signatures, inputs and outputs."""

import os
import threading
from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfcompress.errors import InputError
from tfcompress.runtime.keras_bundle import KerasBundle, SignatureInfo, open_keras_bundle
from tfcompress.runtime.quiet import quiet_stderr
from tfcompress.search_options import MAX_THREADS, check_count


class KerasModel:
    """Runs a Keras model that `tfcompress.export.convert` wrote; needs LiteRT and numpy only.

    A model may be used by several threads, which then take turns.

    Args:
        path: The bundle's folder.
        num_threads: Threads that LiteRT may use, at most 1,024.
        verify: Whether to check the bundle's files against its manifest first.

    Attributes:
        bundle: The opened bundle.
        signatures: The model's functions by name, with the shapes and types of their inputs and
            outputs.

    Raises:
        InputError: The bundle is incomplete (see `open_keras_bundle`), needs custom operations
            that are unavailable, or an option is impossible.

    Example:

    >>> with KerasModel("sentiment") as model:
    ...     model.run({"ids": np.array([[7, 12, 3]])})["logits"].shape
    (1, 2)
    """

    def __init__(self, path: str | os.PathLike, *, num_threads: int = 1, verify: bool = True):
        check_count("num_threads", num_threads, most=MAX_THREADS)
        self.bundle: KerasBundle = open_keras_bundle(path, verify=verify)
        self.signatures: dict[str, SignatureInfo] = self.bundle.signatures
        self._runner = _LiteRt(self.bundle, int(num_threads))
        self._lock = threading.Lock()

    def __enter__(self) -> "KerasModel":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Frees the model. It cannot be used any more."""
        with self._lock:
            self._runner = None

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
        with self._lock:
            if self._runner is None:
                raise InputError("the model is closed; make a new one")
            results = self._runner.run(name, arrays)
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


class _LiteRt:
    """A model in LiteRT's interpreter, which takes any shapes and types."""

    def __init__(self, bundle, num_threads):
        if bundle.custom_ops:
            raise InputError(
                f"{bundle.path}: needs the custom operations {', '.join(bundle.custom_ops)}, which "
                "this runtime does not have; export without `custom_ops`"
            )
        self._bundle = bundle
        try:
            with quiet_stderr():
                self._interpreter = Interpreter(str(bundle.model), num_threads=num_threads)
                self._interpreter.allocate_tensors()
                self._runners = {
                    name: self._interpreter.get_signature_runner(name) for name in bundle.signatures
                }
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{bundle.model}: LiteRT cannot load it ({_reason(error)}); export the bundle again"
            ) from None
        for name, runner in self._runners.items():
            self._check(name, runner)

    def run(self, name, arrays):
        try:
            return self._runners[name](**arrays)
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"LiteRT cannot run signature {name!r} of {self._bundle.path} on these inputs "
                f"({_reason(error)}). Received: "
                f"{', '.join(f'{key} {array.shape}' for key, array in arrays.items())}. Give ids "
                "that the model's tables have, and shapes that go together."
            ) from None

    def _check(self, name, runner):
        info = self._bundle.signatures[name]
        for expected, details in (
            (info.inputs, runner.get_input_details()),
            (info.outputs, runner.get_output_details()),
        ):
            found = {key: np.dtype(detail["dtype"]).name for key, detail in details.items()}
            if found != {key: tensor.dtype for key, tensor in expected.items()}:
                raise InputError(
                    f"{self._bundle.model}: signature {name!r} has {found}, unlike its manifest; "
                    "export the bundle again"
                )


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


def _reason(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
