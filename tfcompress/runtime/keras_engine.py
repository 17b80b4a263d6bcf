"""Keras models of the user's own in Python."""

from collections.abc import Mapping

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfcompress.errors import InputError
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.keras_bundle import KerasBundle
from tfcompress.runtime.quiet import quiet_stderr


class KerasEngine(Engine[KerasBundle]):
    """Runs a Keras model in LiteRT's interpreter, which takes any shapes and types."""

    def _open(self, library, num_threads):
        bundle = self._bundle
        if bundle.custom_ops:
            raise InputError(
                "The bundle needs custom operations that are unavailable. Received: "
                f"{bundle.path} with {', '.join(bundle.custom_ops)}. Export it without "
                "`custom_ops`, or build the native runtime with `tfcompress build-native`."
            )
        try:
            with quiet_stderr():
                self._interpreter = Interpreter(str(bundle.model), num_threads=num_threads)
                self._interpreter.allocate_tensors()
                self._runners = {
                    name: self._interpreter.get_signature_runner(name) for name in bundle.signatures
                }
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"LiteRT cannot load the model. Received: {bundle.model} ({_reason(error)}). "
                "Export the bundle again."
            ) from None
        for name, runner in self._runners.items():
            self._check(name, runner)

    def run(self, name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            name: Its name.
            arrays: Its inputs by name.

        Returns:
            Its outputs by name.

        Raises:
            InputError: The model cannot compute with them.
        """
        try:
            return self._runners[name](**arrays)
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"LiteRT cannot run signature {name!r} of {self._bundle.path} on these inputs "
                f"({_reason(error)}). Received: "
                f"{', '.join(f'{key} {array.shape}' for key, array in arrays.items())}. Give ids "
                "that the model's tables have, and shapes that go together."
            ) from None

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        del self._runners, self._interpreter

    def _check(self, name, runner):
        info = self._bundle.signatures[name]
        for expected, details in (
            (info.inputs, runner.get_input_details()),
            (info.outputs, runner.get_output_details()),
        ):
            actual = {key: np.dtype(detail["dtype"]).name for key, detail in details.items()}
            if actual != {key: tensor.dtype for key, tensor in expected.items()}:
                raise InputError(
                    f"The model is unlike its manifest. Received: {self._bundle.model}, whose "
                    f"signature {name!r} has {actual}. Export or copy the bundle again."
                )


def _reason(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
