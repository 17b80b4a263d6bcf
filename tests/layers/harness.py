"""One harness for all layers: what every layer must do, whatever it computes.

Import it as `from layers.harness import run_layer_test` from any test of this tree.
"""

import contextlib
import inspect
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow import keras

LEGACY_KERAS = not hasattr(keras, "ops")
PADDING = 99.0


def run_layer_test(
    make_layer: Callable[[], keras.layers.Layer],
    inputs: np.ndarray,
    *,
    output_shape: tuple[int, ...],
    parameters: int,
    call_kwargs: dict[str, Any] | None = None,
    zero_gradients: int = 0,
    random_in_training: bool = False,
    half_precision_tolerance: float = 2e-2,
) -> None:
    """Checks everything that is asked of a layer but the values that it computes.

    Args:
        make_layer: Makes the layer, new each time.
        inputs: The positional input. A layer of limited length must take twice this length, and 20
            positions more.
        output_shape: The expected shape.
        parameters: The expected number of parameters, by the docstring's closed formula.
        call_kwargs: Keyword arguments of the call: arrays are tensors of the graph, anything else
            is a constant.
        zero_gradients: Weights whose gradient is zero by nature, such as the bias of an
            attention's keys.
        random_in_training: Whether `training=True` must change the output.
        half_precision_tolerance: Largest deviation of mixed_float16 from float32, relative to the
            largest output.
    """
    case = _Case(make_layer, inputs, call_kwargs or {}, output_shape)
    _check_shape_and_parameters(case, parameters)
    _check_config_round_trip(case)
    _check_functional_and_keras_file(case)
    _check_sequential(case)
    _check_subclassed(case)
    _check_dynamic_shapes(case)
    _check_gradients(case, zero_gradients)
    _check_training_flag(case, random_in_training)
    _check_mixed_float16(case, half_precision_tolerance)
    _check_fit(case)
    _check_output_shape(case)
    _check_keras_masks(case)
    _check_mistakes(case)


def run_step_test(
    layer: keras.layers.Layer,
    inputs: np.ndarray,
    *,
    call_kwargs: dict[str, Any] | None = None,
    cache_kwargs: dict[str, Any] | None = None,
    step_kwargs: dict[str, Any] | None = None,
    tolerance: float = 1e-5,
) -> None:
    """Checks that incremental decoding gives, at each position, what the call on the prefix gives.

    Every position is computed twice: eagerly with a Python position, and in one graph whose batch
    size and position are tensors.

    Args:
        layer: The layer, built or not.
        inputs: `[batch, length, width]`, or ids `[batch, length]`.
        call_kwargs: Keyword arguments of the call.
        cache_kwargs: Keyword arguments of `init_cache`; None for layers without a cache.
        step_kwargs: Keyword arguments of `step`.
        tolerance: Largest deviation.
    """
    call_kwargs, step_kwargs = call_kwargs or {}, step_kwargs or {}
    layer(inputs, **call_kwargs)
    if cache_kwargs is None:

        def step(x, position, cache):
            return layer.step(x, position, **step_kwargs), cache

        cache = ()
    else:

        def step(x, position, cache):
            return layer.step(x, position, cache, **step_kwargs)

        cache = layer.init_cache(**cache_kwargs)
    unknown_batch = tf.TensorSpec([None, *inputs.shape[2:]], inputs.dtype)
    specs = [
        unknown_batch,
        tf.TensorSpec([], tf.int32),
        tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), cache),
    ]
    graph_step = tf.function(step, input_signature=specs)
    graph_cache = cache
    for position in range(inputs.shape[1]):
        expected = layer(inputs[:, : position + 1], **call_kwargs)[:, -1]
        x = tf.constant(inputs[:, position])
        y, cache = step(x, position, cache)
        assert_close(y, expected, tolerance, f"step at position {position}")
        y, graph_cache = graph_step(x, tf.constant(position), graph_cache)
        assert_close(y, expected, tolerance, f"step in a graph at position {position}")


def run_export_test(
    layer: keras.layers.Layer,
    inputs: np.ndarray,
    *,
    call_kwargs: dict[str, Any] | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Checks that the layer converts to builtin operations of LiteRT which give the same.

    The converted graph takes any batch size and length; it is run at the given shape and at an
    enlarged one.

    Args:
        layer: The layer, built or not.
        inputs: The positional input.
        call_kwargs: Keyword arguments of the call: arrays are inputs of the graph, anything else
            is a constant.
        tolerance: Largest deviation.
    """
    case = _Case(lambda: layer, inputs, call_kwargs or {}, layer(inputs, **call_kwargs or {}).shape)
    names = list(case.features())
    specs = [tf.TensorSpec(_sizes(x), x.dtype, name) for name, x in case.features().items()]

    @tf.function(input_signature=specs)
    def run(*values):
        tensors = dict(zip(names, values))
        return layer(tensors.pop("inputs"), **tensors, **case.constants, training=False)

    with tempfile.TemporaryDirectory() as folder:
        module = tf.Module()
        module.kept = [v if isinstance(v, tf.Variable) else v.value for v in layer.variables]
        tf.saved_model.save(module, folder, signatures={"run": run})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["run"])
        data = converter.convert()
    interpreter = Interpreter(
        model_content=data,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    runner = interpreter.get_signature_runner("run")
    for enlarged in (False, True):
        (actual,) = runner(**case.features(enlarged)).values()
        assert_close(actual, case.call(layer, enlarged=enlarged), tolerance, "converted")


def randomize(layer: keras.layers.Layer, seed: int = 0, scale: float = 0.3) -> None:
    """Moves every weight, so that zero biases and unit scales cannot hide a mistake."""
    rng = np.random.default_rng(seed)
    layer.set_weights([w + scale * rng.standard_normal(w.shape) for w in layer.get_weights()])


def assert_close(actual, expected, tolerance: float = 1e-5, what: str = "values") -> None:
    """Fails unless both have one shape and differ nowhere by more than `tolerance`."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, f"{what}: {actual.shape} is not {expected.shape}"
    assert np.all(np.isfinite(actual) == np.isfinite(expected)), f"{what}: not finite"
    worst = np.max(np.abs(actual - expected), initial=0.0)
    assert worst <= tolerance, f"{what}: differ by {worst:.2e}, more than {tolerance:.0e}"


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Returns float32 normal noise, the same for the same arguments."""
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def lengths_mask(lengths, longest: int) -> np.ndarray:
    """Returns the boolean mask `[batch, longest]` of sequences of these lengths."""
    return np.arange(longest)[np.newaxis] < np.asarray(lengths)[:, np.newaxis]


@contextlib.contextmanager
def global_policy(name: str):
    """Sets the data type policy for a while."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


class _Case:
    """A layer under test: its input, its weights, and what it gives."""

    def __init__(self, make_layer, inputs, call_kwargs, output_shape):
        self.make_layer = make_layer
        self.inputs = inputs
        self.tensors = {k: v for k, v in call_kwargs.items() if isinstance(v, np.ndarray)}
        self.constants = {k: v for k, v in call_kwargs.items() if k not in self.tensors}
        self.output_shape = output_shape
        self.layer = make_layer()
        self.call(self.layer)
        randomize(self.layer)
        self.output = self.call(self.layer)

    def call(self, layer, enlarged=False, **kwargs):
        inputs, tensors = self.enlarged() if enlarged else (self.inputs, self.tensors)
        return np.asarray(layer(inputs, **tensors, **self.constants, **kwargs))

    def enlarged(self):
        """The input and the tensors with three times the batch and twice the length."""
        return _enlarge(self.inputs), {name: _enlarge(x) for name, x in self.tensors.items()}

    def new_layer(self):
        """A new layer with the same weights."""
        layer = self.make_layer()
        self.call(layer)
        layer.set_weights(self.layer.get_weights())
        return layer

    def functional(self, layer):
        """A functional model of unknown batch size and length around the layer."""
        inputs = _symbolic("inputs", self.inputs)
        tensors = {name: _symbolic(name, x) for name, x in self.tensors.items()}
        output = layer(inputs, **tensors, **self.constants)
        return keras.Model({"inputs": inputs, **tensors}, output)

    def features(self, enlarged=False):
        inputs, tensors = self.enlarged() if enlarged else (self.inputs, self.tensors)
        return {"inputs": inputs, **tensors}


def _check_shape_and_parameters(case, parameters):
    assert case.output.shape == tuple(case.output_shape)
    assert case.layer.count_params() == parameters
    assert np.all(np.isfinite(case.output))


def _check_config_round_trip(case):
    config = case.layer.get_config()
    json.dumps(config)
    if "__init__" in vars(type(case.layer)):
        arguments = inspect.signature(type(case.layer).__init__).parameters
        assert set(arguments) - {"self", "kwargs"} <= set(config)
    twin = type(case.layer).from_config(config)
    assert twin.get_config() == config
    case.call(twin)
    twin.set_weights(case.layer.get_weights())
    assert_close(case.call(twin), case.output, 0, "rebuilt from its configuration")


def _check_functional_and_keras_file(case):
    model = case.functional(case.new_layer())
    known = tuple(model.output.shape)
    assert len(known) == len(case.output_shape)
    assert all(size in (None, real) for size, real in zip(known, case.output_shape)), known
    assert_close(model(case.features()), case.output, 1e-5, "functional model")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    assert loaded.count_params() == case.layer.count_params()
    assert_close(loaded(case.features()), case.output, 1e-5, "loaded model")
    enlarged = loaded(case.features(enlarged=True))
    assert_close(enlarged, case.call(case.layer, enlarged=True), 1e-5, "loaded, other shape")


def _check_sequential(case):
    if case.tensors or case.constants:
        return
    model = keras.Sequential([case.new_layer(), keras.layers.Activation("linear")])
    assert_close(model.predict(case.inputs, verbose=0), case.output, 1e-5, "sequential model")


class SubclassedModel(keras.Model):
    def __init__(self, layer, constants):
        super().__init__()
        self.layer = layer
        self.constants = constants

    def call(self, features, training=None):
        tensors = {name: x for name, x in features.items() if name != "inputs"}
        return self.layer(features["inputs"], **tensors, **self.constants)


def _check_subclassed(case):
    # The model builds the layer, in the graph of its first prediction.
    model = SubclassedModel(case.make_layer(), case.constants)
    model.predict(case.features(), verbose=0)
    model.layer.set_weights(case.layer.get_weights())
    assert model.count_params() == case.layer.count_params()
    assert_close(model.predict(case.features(), verbose=0), case.output, 1e-5, "subclassed model")


def _check_dynamic_shapes(case):
    layer = case.new_layer()
    spec = tf.nest.map_structure(_unknown_sizes, case.features())

    @tf.function(input_signature=[spec])
    def run(features):
        tensors = {name: x for name, x in features.items() if name != "inputs"}
        return layer(features["inputs"], **tensors, **case.constants)

    for enlarged in (False, True):
        actual = run(tf.nest.map_structure(tf.constant, case.features(enlarged)))
        assert_close(actual, case.call(layer, enlarged=enlarged), 1e-5, "unknown sizes")


def _check_gradients(case, zero_gradients):
    layer = case.new_layer()
    variables = [v if isinstance(v, tf.Variable) else v.value for v in layer.trainable_variables]
    direction = normal(*case.output_shape, seed=1)
    with tf.GradientTape() as tape:
        y = layer(case.inputs, **case.tensors, **case.constants, training=False)
        loss = tf.reduce_sum(y * direction)
    gradients = tape.gradient(loss, variables)
    assert all(gradient is not None for gradient in gradients), "a weight gets no gradient"
    largest = [np.max(np.abs(tf.convert_to_tensor(gradient))) for gradient in gradients]
    zero = sum(value < 1e-5 for value in largest)
    assert zero == zero_gradients, f"{zero} weights have zero gradients: {largest}"


def _check_training_flag(case, random_in_training):
    for _ in range(2):
        assert_close(case.call(case.layer, training=False), case.output, 0, "training=False")
    trained = case.call(case.layer, training=True)
    assert np.allclose(trained, case.output, atol=1e-6) != random_in_training


def _check_mixed_float16(case, tolerance):
    with global_policy("mixed_float16"):
        layer = case.new_layer()
        outputs = [layer(case.inputs, **case.tensors, **case.constants)]
        outputs.append(case.functional(case.new_layer())(case.features()))
    assert all(np.asarray(w).dtype == np.float32 for w in layer.get_weights())
    for output in outputs:
        assert output.dtype == tf.float16
        assert np.all(np.isfinite(output))
        limit = tolerance * np.max(np.abs(case.output), initial=1.0)
        assert_close(output, case.output, limit, "mixed_float16")


def _check_fit(case):
    if not case.layer.trainable_variables:
        return
    model = case.functional(case.new_layer())
    model.compile("sgd", "mse")
    before = model.get_weights()
    target = normal(*case.output_shape, seed=2)
    history = model.fit(case.features(), target, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights()))


def _check_output_shape(case):
    """That the layer knows its shape, as `TimeDistributed` wants of it, which takes one tensor."""
    if case.constants:
        return
    assert tuple(case.layer.compute_output_shape(case.inputs.shape)) == tuple(case.output_shape)
    unknown = tuple(case.layer.compute_output_shape(tuple(_sizes(case.inputs))))
    assert all(size in (None, real) for size, real in zip(unknown, case.output_shape, strict=True))
    if case.tensors:
        return
    x = keras.Input((2, *case.inputs.shape[1:]), dtype=case.inputs.dtype.name)
    model = keras.Model(x, keras.layers.TimeDistributed(case.new_layer())(x))
    assert tuple(model.output.shape) == (None, 2, *case.output_shape[1:])
    twice = model(np.stack([case.inputs] * 2, axis=1))
    assert_close(twice, np.stack([case.output] * 2, axis=1), 1e-5, "TimeDistributed")


@keras.utils.register_keras_serializable("tests")
class Masked(keras.layers.Layer):
    """Gives a tensor a mask, as `keras.layers.Masking` does, but keeps what padding holds."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs + 0.0

    def compute_mask(self, inputs, mask=None):
        return inputs[..., 0] != PADDING

    def compute_output_shape(self, input_shape):
        return input_shape


def _check_keras_masks(case):
    """That padding under a mask of Keras changes nothing at tokens, and its mask is handed on."""
    is_sequence = case.inputs.ndim == 3 and np.issubdtype(case.inputs.dtype, np.floating)
    if not is_sequence or any("mask" in name for name in case.tensors):
        return
    layer = case.new_layer()
    assert layer.supports_masking

    def apply(features, layer=layer, masked=Masked):
        tensors = {k: masked()(v) if k == "memory" else v for k, v in features.items()}
        return layer(masked()(tensors.pop("inputs")), **tensors, **case.constants)

    inputs = {name: _symbolic(name, x) for name, x in case.features().items()}
    models = {"functional": keras.Model(inputs, apply(inputs)), "subclassed": _Applied(apply)}
    if not case.tensors and not case.constants:
        models["sequential"] = keras.Sequential([Masked(), layer])
    # A mask must outlive the cast to another data type than the input's.
    with global_policy("mixed_float16"):
        half = case.new_layer()
    models["mixed_float16"] = _Applied(lambda x: apply(x, half, lambda: Masked(dtype="float32")))
    paddings = {
        "functional": [(0, False), (3, False), (20, True)],
        "subclassed": [(3, True)],
        "sequential": [(20, False)],
        "mixed_float16": [(3, False)],
    }
    for model_type, model in models.items():
        tolerance = 3e-2 * np.max(np.abs(case.output)) if model_type == "mixed_float16" else 2e-5
        for count, before in paddings[model_type]:
            features = {k: _padded(v, count, before) for k, v in case.features().items()}
            y = model(features["inputs"] if model_type == "sequential" else features)
            mask = getattr(y, "_keras_mask", None)
            assert (mask is None) == (y.shape.rank == 2)
            if mask is not None:
                assert np.all(np.sum(mask, axis=1) == case.inputs.shape[1])
                y = tf.boolean_mask(y, mask)
            expected = np.reshape(case.output, y.shape)
            assert_close(y, expected, tolerance, f"{model_type} model, {count} padding, {before=}")


class _Applied(keras.Model):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, features):
        return self.function(features)


def _padded(x, count, before):
    """Adds padding in front of the positions or behind them."""
    value = PADDING if np.issubdtype(x.dtype, np.floating) else 0
    axis = _length_axis(x)
    sides = (count, 0) if before else (0, count)
    return np.pad(x, [sides if i == axis else (0, 0) for i in range(x.ndim)], constant_values=value)


def _check_mistakes(case):
    """That one clear error says what is wrong with a call, eager or symbolic."""
    symbols = {name: _symbolic(name, x) for name, x in case.features().items()}
    layer = case.new_layer()
    for x, tensors in [(case.inputs, case.tensors), (symbols.pop("inputs"), symbols)]:
        mistakes = [
            ("does not take `mask`", [x], {"mask": x}),
            ("does not take `attention_mask`", [x], {"attention_mask": x}),
            ("does not take `heads`", [x], {"heads": 2}),
            ("takes one positional tensor", [x, x], {}),
            ("takes one tensor", [[x, x]], {}),
        ]
        if layer.input_axes[-1] == "width":
            mistakes.append(("was built for inputs of width", [x[..., 1:]], {}))
        if "..." not in layer.input_axes:
            mistakes.append(("takes one tensor .batch, length", [x[:, 0]], {}))
        for message, inputs, wrong in mistakes:
            with pytest.raises(ValueError, match=f"{message}.*Received: "):
                layer(*inputs, **tensors, **case.constants, **wrong)


def _length_axis(x):
    """The axis of positions: the last of an additive mask, else the second; None for vectors."""
    if x.ndim == 4 and x.shape[1:3] == (1, 1):
        return 3
    is_vectors = x.ndim == 2 and np.issubdtype(x.dtype, np.floating)
    return None if is_vectors else 1


def _enlarge(x):
    axis = _length_axis(x)
    x = np.concatenate([x] * 3)
    return x if axis is None else np.concatenate([x, x], axis)


def _sizes(x):
    sizes = [None, *x.shape[1:]]
    if (axis := _length_axis(x)) is not None:
        sizes[axis] = None
    return sizes


def _symbolic(name, x):
    return keras.Input(_sizes(x)[1:], dtype=x.dtype.name, name=name)


def _unknown_sizes(x):
    return tf.TensorSpec(_sizes(x), x.dtype)
