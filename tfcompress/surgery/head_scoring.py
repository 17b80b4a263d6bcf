"""How much the loss depends on each attention head."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.capturing import captured_calls
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.layers.multi_head_attention import MultiHeadAttention

ABSOLUTE = ("positions", "examples")
NORMALIZERS = ("tokens", "examples", None)

Attention = MultiHeadAttention | keras.layers.MultiHeadAttention
QueryMask = Callable[[object, str], tf.Tensor]


def head_importance(
    model: keras.Model,
    batches: Iterable[tuple],
    loss: Callable | str | None = None,
    *,
    attention_layers: Sequence[Attention] | None = None,
    query_mask: QueryMask | None = None,
    absolute: str = "positions",
    normalize: str | Mapping[str, str | None] | None = "tokens",
    l2: bool = True,
) -> dict[str, np.ndarray]:
    """Returns the importance of every attention head of a model.

    It is the sum of the absolute product of what a head gives, before the output projection, and
    the gradient of the loss for it: how far the loss would move, to first order, if the head were
    masked. A head whose gate is 0 has importance 0. Dropout is off; nothing of the model changes.

    Args:
        model: A built model of any class.
        batches: Tuples of inputs and labels, or of inputs, labels and sample weights, such as a
            `tf.data.Dataset`.
        loss: Called as `loss(labels, outputs)`, with `sample_weight` too where batches have
            weights, it returns one loss or one for each example, whose mean is taken; or the
            name of a Keras loss. The loss that the model is compiled with by default.
        attention_layers: The layers to look at; by default all `MultiHeadAttention` layers, of this
            library and Keras' own, at any nesting level, that the model calls.
        query_mask: Called as `query_mask(inputs, name)` with the inputs of a batch and the name
            of a layer, returns which of the layer's query positions are tokens, `[batch, length]`.
            Others then count neither in the sum nor as tokens. Without it, all count, as in the
            reference code for BERT.
        absolute: "positions": the absolute value is taken at each position, as the reference codes
            do; "examples": of the sum over an example's positions, as the paper has it.
        normalize: What each layer's sum is divided by: the number of "tokens" (query positions),
            of "examples", or None for nothing. A mapping gives it by name, "tokens" where it does
            not; for a classifier that reads only the first position, "examples" belongs to the
            last layer.
        l2: Whether each layer's scores are then divided by their Euclidean norm, so that layers
            compare.

    Returns:
        An array `[num_heads]` for each layer, by the layer's name; by its path in the model, such
        as `encoder_layer_0/attention`, where several have one name.

    Raises:
        ValueError: If an argument is impossible, there are no batches, or no attention layer is
            called.

    Example:

    >>> scores = tfc.surgery.head_importance(transformer.model, batches, loss=loss)
    >>> scores["encoder_layer_0_self_attention"].shape
    (4,)

    Reference: Michel et al., 2019, arXiv:1905.10650.
    """
    scorer = HeadScorer(
        model,
        loss,
        attention_layers=attention_layers,
        query_mask=query_mask,
        absolute=absolute,
        normalize=normalize,
        l2=l2,
    )
    return scorer(batches)


class HeadScorer:
    """Computes the importance of heads again and again, on one trace of the model.

    Takes the arguments of `head_importance`; call it with batches.

    Example:

    >>> scorer = HeadScorer(transformer.model, loss)
    >>> before = scorer(batches)
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Callable | str | None = None,
        *,
        attention_layers: Sequence[Attention] | None = None,
        query_mask: QueryMask | None = None,
        absolute: str = "positions",
        normalize: str | Mapping[str, str | None] | None = "tokens",
        l2: bool = True,
    ):
        if absolute not in ABSOLUTE:
            raise InputError(
                f"`absolute` must be one of {', '.join(ABSOLUTE)}. Received: {absolute=}."
            )
        if not model.built:
            raise InputError(
                "Heads have importance in a model with weights. Received: "
                f"{model.name}, not built. Call it on a batch first."
            )
        self.model = model
        self.loss = _loss_of(model) if loss is None else _loss(loss)
        self.layers = _attention_layers(model, attention_layers)
        self.query_mask = query_mask
        self.absolute = absolute
        self.normalize = _normalizers(normalize, self.layers)
        self.l2 = l2
        self._all_called = attention_layers is not None
        # Gradients in float16 need a loss as large as their range allows, as in training.
        half = any(layer.compute_dtype == "float16" for layer in self.layers.values())
        self._scale = 2.0**15 if half else 1.0
        self._batch_sums = tf.function(self._sums, reduce_retracing=True)

    def __call__(self, batches: Iterable[tuple]) -> dict[str, np.ndarray]:
        """Returns the scores, as `head_importance` does."""
        totals = {}
        for batch in batches:
            if not isinstance(batch, (tuple, list)) or not 2 <= len(batch) <= 3:
                raise InputError(
                    "A batch must be a tuple of inputs, labels and, if wanted, sample weights. "
                    f"Received: {type(batch).__name__}."
                )
            batch = tf.nest.map_structure(tf.convert_to_tensor, tuple(batch))
            for name, sums in self._finite_sums(batch).items():
                before = totals.get(name, [0.0, 0.0, 0.0])
                totals[name] = [a + b for a, b in zip(before, sums)]
        if not totals:
            raise InputError("Importance needs data. Received: no batches. Pass at least one.")
        return {
            name: self._normalized(name, *totals[name]) for name in self.layers if name in totals
        }

    def _finite_sums(self, batch):
        while True:
            totals = self._batch_sums(tf.constant(self._scale), *batch)
            totals = {
                name: [np.asarray(value, np.float64) for value in sums]
                for name, sums in totals.items()
            }
            if self._scale <= 1 or all(np.isfinite(scores).all() for scores, *_ in totals.values()):
                return totals
            self._scale /= 2

    def _normalized(self, name, scores, tokens, examples):
        divisor = {"tokens": tokens, "examples": examples, None: 1.0}[self.normalize[name]]
        scores = scores / divisor
        return scores / (np.sqrt(np.sum(scores**2)) + 1e-20) if self.l2 else scores

    def _sums(self, scale, inputs, labels, weights=None):
        """Sum of scores, number of tokens and of examples of one batch, by name."""
        with contextlib.ExitStack() as stack:
            contexts = {
                name: stack.enter_context(_contexts(layer)) for name, layer in self.layers.items()
            }
            tape = stack.enter_context(tf.GradientTape())
            # Frozen weights are not watched otherwise, and heads depend on nothing else.
            for layer in self.layers.values():
                for weight in layer.weights:
                    tape.watch(weight if isinstance(weight, tf.Variable) else weight.value)
            outputs = self.model(inputs, training=False)
            options = {} if weights is None else {"sample_weight": weights}
            loss = tf.reduce_mean(self.loss(labels, outputs, **options))
            scaled = tf.cast(loss, tf.float32) * scale
            recorded = {name: contexts[name]() for name in contexts}
        gradients = tape.gradient(scaled, recorded)
        sums = {}
        for name, values in recorded.items():
            pairs = [pair for pair in zip(values, gradients[name]) if pair[1] is not None]
            if pairs:
                parts = [self._context_sums(name, inputs, *pair) for pair in pairs]
                scores, *counts = (tf.add_n(counted) for counted in zip(*parts))
                sums[name] = [scores / scale, *counts]
        self._check_called(sums)
        return sums

    def _context_sums(self, name, inputs, context, gradient):
        products = tf.cast(context, tf.float32) * tf.cast(gradient, tf.float32)
        if not isinstance(self.layers[name], MultiHeadAttention):
            products = tf.transpose(products, [0, 2, 1, 3])
        scores = tf.reduce_sum(products, axis=-1)
        counted = tf.ones_like(scores[:, 0])
        if self.query_mask is not None:
            counted = tf.cast(self.query_mask(inputs, name), tf.float32)
            scores *= counted[:, tf.newaxis]
        if self.absolute == "examples":
            scores = tf.reduce_sum(scores, axis=2, keepdims=True)
        examples = tf.cast(tf.shape(scores)[0], tf.float32)
        return tf.reduce_sum(tf.abs(scores), axis=[0, 2]), tf.reduce_sum(counted), examples

    def _check_called(self, sums):
        idle = [name for name in self.layers if name not in sums]
        if not sums or (idle and self._all_called):
            # Raised while a graph is traced, where TensorFlow knows built-in errors only.
            raise ValueError(
                "The loss must depend on the attention layers. Received: "
                f"{self.model.name}, whose loss does not depend on {idle}. Leave these out of "
                "`attention_layers`, or protect them from a HeadPruner."
            )


@contextlib.contextmanager
def _contexts(layer):
    """Gives, when called, what the heads gave in each call before the output projection."""
    if isinstance(layer, MultiHeadAttention):
        with layer.recording() as recorded:
            yield lambda: list(recorded)
    else:
        # That of Keras has heads behind positions.
        with captured_calls({"output": layer._output_dense}) as calls:
            yield lambda: [context for context, _ in calls["output"]]


def _loss_of(model):
    loss = getattr(model, "loss", None)
    if isinstance(loss, str) or callable(loss):
        return _loss(loss)
    raise InputError(
        "Importance needs a loss. Received: loss=None and a model that is not compiled with a "
        f"single one (model.loss={loss!r}). Pass `loss`."
    )


def _loss(loss):
    return keras.losses.get(loss) if isinstance(loss, str) else loss


def _attention_layers(model, chosen):
    layer_types = (MultiHeadAttention, keras.layers.MultiHeadAttention)
    layers = by_name(named_layers(model, layer_types))
    if chosen is not None:
        for layer in chosen:
            if not any(layer is other for other in layers.values()):
                raise InputError(
                    "`attention_layers` must be MultiHeadAttention layers of the model. "
                    f"Received: {layer!r}. Pass some of {list(layers)}, or None for all."
                )
        layers = {name: layer for name, layer in layers.items() if any(layer is x for x in chosen)}
    if not layers:
        raise InputError(
            "The model must have MultiHeadAttention layers. Received: "
            f"{model.name} with none, attention_layers={chosen!r}."
        )
    return layers


def _normalizers(normalize, layers):
    chosen = normalize if isinstance(normalize, Mapping) else dict.fromkeys(layers, normalize)
    if unknown := [name for name in chosen if name not in layers]:
        raise InputError(
            "`normalize` must name attention layers of the model. "
            f"Received: {unknown}, not among {list(layers)}."
        )
    for value in chosen.values():
        if value not in NORMALIZERS:
            raise InputError(
                f"`normalize` must be 'tokens', 'examples' or None. Received: normalize={value!r}."
            )
    return {name: chosen.get(name, "tokens") for name in layers}
