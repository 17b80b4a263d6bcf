"""A model in LiteRT: its signatures, and what runs are kept for."""

import functools
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel, CpuOptions, HardwareAccelerator, Options
from ai_edge_litert.environment import Environment
from ai_edge_litert.tensor_buffer import TensorBuffer

from tfcompress.errors import InputError
from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.quiet import quiet_stderr


def load_model(bundle: Bundle, num_threads: int, *, first_input: tuple[str, str]) -> CompiledModel:
    """Loads the model of a bundle.

    Args:
        bundle: The bundle.
        num_threads: Threads that LiteRT may use.
        first_input: A signature and one of its integer inputs.

    Raises:
        InputError: The model needs custom operations or does not load.
    """
    if bundle.custom_ops:
        raise InputError(
            "The bundle needs custom operations that are unavailable. Received: "
            f"{bundle.path} with {', '.join(bundle.custom_ops)}. Export it without `custom_ops`, "
            "or build the native runtime with `tfcompress build-native`."
        )
    # In memory, so that all signatures share one packed copy of the weights.
    cache = ":memory:" if sys.platform == "linux" else ""
    options = Options(
        hardware_accelerators=HardwareAccelerator.CPU,
        cpu_options=CpuOptions(num_threads=num_threads, xnnpack_weight_cache_path=cache),
    )
    try:
        with quiet_stderr():
            model = CompiledModel.from_file(
                str(bundle.model), environment=_environment(), options=options
            )
            # LiteRT makes an environment of its own when a buffer is used first.
            model.create_input_buffer_by_name(*first_input).read(1, np.int32)
            return model
    except RuntimeError as error:
        raise InputError(
            f"LiteRT cannot load the model. Received: {bundle.model} ({error}). Export the bundle "
            "again."
        ) from None


class Signature:
    """A signature of a model and the buffers it runs on.

    Args:
        model: What `load_model` returned.
        bundle: The bundle.
        name: The signature's name.
        inputs: Names of inputs that it must have.
        outputs: Names of outputs that it must have.

    Raises:
        InputError: The model has no such signature.
    """

    def __init__(
        self,
        model: CompiledModel,
        bundle: Bundle,
        name: str,
        inputs: Collection[str],
        outputs: Collection[str],
    ):
        signature = model.get_signature_list().get(name, {"inputs": [], "outputs": []})
        missing = sorted({*inputs} - {*signature["inputs"]} | {*outputs} - {*signature["outputs"]})
        if missing:
            raise InputError(
                f"The model is unlike its manifest. Received: {bundle.model}, whose signature "
                f"{name!r} lacks {', '.join(missing)}. Export or copy the bundle again."
            )
        self.name = name
        self._file = bundle.model
        self._model = model
        self._index = model.get_signature_index(name)
        self._inputs = signature["inputs"]
        self._outputs = signature["outputs"]
        self._shapes = {}
        self._bound = ()

    def resize(self, name: str, shape: tuple[int, ...]) -> None:
        """Gives an input another shape."""
        if self._shapes.get(name) != shape:
            index = self._inputs.index(name)
            self._tried(self._model.resize_input_tensor, index, shape, self._index)
            self._shapes[name] = shape

    def new_input(self, name: str) -> TensorBuffer:
        """Returns a buffer for an input of the present shape."""
        return self._tried(self._model.create_input_buffer_by_name, self.name, name)

    def new_output(self, name: str) -> TensorBuffer:
        """Returns a buffer for an output of the present shapes."""
        return self._tried(self._model.create_output_buffer_by_name, self.name, name)

    def bind(self, inputs: Mapping[str, TensorBuffer], outputs: Mapping[str, TensorBuffer]) -> None:
        """Sets the buffers that all runs use until the next call."""
        unknown = sorted({*self._inputs} - {*inputs} | {*self._outputs} - {*outputs})
        if unknown:
            raise InputError(
                f"The model is unlike its manifest. Received: {self._file}, whose signature "
                f"{self.name!r} has {', '.join(unknown)}. Export or copy the bundle again."
            )
        self._bound = (
            [inputs[name] for name in self._inputs],
            [outputs[name] for name in self._outputs],
        )

    def run(self) -> None:
        """Runs on the bound buffers."""
        self._tried(self._model.run_by_index, self._index, *self._bound)

    def _tried(self, function, *arguments):
        """Calls LiteRT, whose errors are those of a damaged model or manifest."""
        try:
            return function(*arguments)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"LiteRT cannot run the model. Received: {self._file}, signature {self.name!r} "
                f"({reason}). Export the bundle again."
            ) from error


class Recent(OrderedDict):
    """Keeps the values used last.

    Args:
        size: How many.
    """

    def __init__(self, size: int):
        super().__init__()
        self._size = size

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns the value of a key, computed anew where it is not kept."""
        if key not in self:
            self[key] = make()
            if len(self) > self._size:
                self.popitem(last=False)
        self.move_to_end(key)
        return self[key]


@functools.cache
def _environment():
    return Environment.create()
