"""Attention heads masked one after another during training."""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.nested import by_name, compile_names, named_layers, select_layers
from tfcompress.layers.multi_head_attention import MultiHeadAttention
from tfcompress.layers.theseus_module import TheseusModule
from tfcompress.surgery import HeadScorer, heads_to_prune
from tfcompress.training.updates import finished_updates


class HeadPruner(keras.callbacks.Callback):
    """Masks the least important attention heads while the model trains on.

    At update `begin`, and after every `every` updates from there, the gates of the least important
    heads of all gated `MultiHeadAttention` layers are set to 0, until `heads` heads are masked.
    Predecessors in a `TheseusModule` are left alone.
    `tfcompress.surgery.prune_heads` removes them after training.

    Gates are weights, so a training resumed from a checkpoint goes on with the heads that are
    masked. The number of masked heads is in the logs as `masked_heads`.

    Args:
        batches: What importance is measured on, as for `head_importance`; iterated at each step.
        loss: As for `head_importance`.
        heads: Number of heads that are masked in the end; heads masked before count too.
        every: Updates between steps.
        begin: Update of the first step.
        heads_per_step: Heads masked in one step.
        minimum_per_layer: Heads that each layer keeps; 0 allows layers that attend to nothing.
        protect: Regular expression for the names and paths of layers that keep all heads. The
            paper found that attention over the encoder's output suffers first:
            `"cross_attention"`.
        re_estimate: Whether importance is measured anew at each step, rather than once before the
            first of a `fit`.
        **options: Other keyword arguments of `head_importance`.

    Raises:
        ValueError: If an argument is impossible, `batches` can be iterated only once, or, when
            training begins, the model has no gated attention or not so many heads to spare.

    Example:

    >>> callback = tfc.callbacks.HeadPruner(
    ...     dataset.take(50), heads=1, every=500, begin=1000
    ... )
    >>> history = model.fit(dataset, callbacks=[callback], verbose=0)

    Reference: Michel et al., 2019, arXiv:1905.10650.
    """

    def __init__(
        self,
        batches: Iterable[tuple],
        loss: Callable | str | None = None,
        *,
        heads: int,
        every: int = 1,
        begin: int = 0,
        heads_per_step: int = 1,
        minimum_per_layer: int = 1,
        protect: str | None = None,
        re_estimate: bool = True,
        **options,
    ):
        super().__init__()
        lowest = {"heads": 1, "every": 1, "begin": 0, "heads_per_step": 1, "minimum_per_layer": 0}
        values = (heads, every, begin, heads_per_step, minimum_per_layer)
        for (name, least), value in zip(lowest.items(), values):
            if value < least:
                raise InputError(f"`{name}` must be at least {least}. Received: {name}={value}.")
        if iter(batches) is batches:
            raise InputError(
                "`batches` must be something to iterate more than once. Received: "
                f"{type(batches).__name__}. Pass a list or a dataset."
            )
        if protect is not None:
            compile_names(protect)
        self.batches = batches
        self.loss = loss
        self.heads = heads
        self.every = every
        self.begin = begin
        self.heads_per_step = heads_per_step
        self.minimum_per_layer = minimum_per_layer
        self.protect = protect
        self.re_estimate = re_estimate
        self._options = options
        self._layers = {}
        self._masked = 0

    @property
    def masked_heads(self) -> dict[str, list[int]]:
        """The masked heads of each layer that has any, by its name."""
        masked = {name: np.asarray(layer.gates) == 0 for name, layer in self._layers.items()}
        return {name: np.flatnonzero(x).tolist() for name, x in masked.items() if np.any(x)}

    def masked_at(self, step: int) -> int:
        """Returns how many heads are masked in the update after `step` others."""
        if step < self.begin:
            return 0
        return min(self.heads, ((step - self.begin) // self.every + 1) * self.heads_per_step)

    def on_train_begin(self, logs=None):
        self._build()
        attention = named_layers(self.model, MultiHeadAttention)
        gated = {path: layer for path, layer in attention.items() if layer.gated and layer.built}
        if not gated:
            raise InputError(
                "HeadPruner masks heads by gates. Received: a model with "
                f"{len(attention)} MultiHeadAttention layers, none of them gated. Make them with "
                "gated=True."
            )
        protected = {} if self.protect is None else select_layers(gated, self.protect)
        layers = {path: layer for path, layer in gated.items() if path not in protected}
        layers = _without_predecessors(self.model, layers)
        spare = sum(max(0, x.num_heads - self.minimum_per_layer) for x in layers.values())
        if self.heads > spare:
            raise InputError(
                f"Of {len(layers)} layers that are not protected, {spare} heads may go. Received: "
                f"heads={self.heads}, minimum_per_layer={self.minimum_per_layer}, "
                f"protect={self.protect!r}. Mask fewer, or allow more."
            )
        finished_updates(self.model)
        self._layers = by_name(layers)
        self._masked = _count(self.masked_heads)
        self._scorer = HeadScorer(
            self.model, self.loss, attention_layers=list(layers.values()), **self._options
        )
        self._scores = None

    def on_train_batch_begin(self, batch, logs=None):
        missing = self.masked_at(finished_updates(self.model)) - self._masked
        if missing > 0:
            self._mask(missing)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["masked_heads"] = self._masked

    def _build(self):
        """Calls the model once if no call has made its weights yet."""
        if self.model.built:
            return
        for batch in self.batches:
            with self.model.distribute_strategy.scope():
                self.model(tf.nest.map_structure(tf.convert_to_tensor, batch[0]))
            return

    def _mask(self, count):
        if self._scores is None or self.re_estimate:
            self._scores = self._scorer(self.batches)
        masked = heads_to_prune(
            self._scores,
            count,
            minimum_per_layer=self.minimum_per_layer,
            already=self.masked_heads,
        )
        for name, heads in masked.items():
            gates = np.array(self._layers[name].gates)
            gates[heads] = 0.0
            self._layers[name].gates.assign(gates)
        self._masked = _count(masked)


def _without_predecessors(model, layers):
    """Leaves out what a Theseus successor replaces: no loss in inference depends on it."""
    modules = named_layers(model, TheseusModule).values()
    predecessors = [layer for module in modules for layer in module.predecessors]
    idle = [x for layer in predecessors for x in named_layers(layer, MultiHeadAttention).values()]
    return {path: x for path, x in layers.items() if not any(x is other for other in idle)}


def _count(heads):
    return sum(len(numbers) for numbers in heads.values())
