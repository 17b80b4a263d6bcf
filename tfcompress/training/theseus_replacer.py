"""BERT-of-Theseus: when predecessors give way to their successors."""

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.nested import named_layers
from tfcompress.layers.theseus_module import TheseusModule
from tfcompress.training.replacing import ReplacingSchedule
from tfcompress.training.updates import finished_updates


class TheseusReplacer(keras.callbacks.Callback):
    """Sets the replacing rate of all `TheseusModule` layers of a model before each batch.

    The rate follows from the number of updates that the optimizer has made, so that a resumed
    training goes on where it was. With `steps_per_execution`, it changes once an execution.

    Args:
        schedule: "constant": `rate` for the first `steps` updates, then 1. "linear":
            `min(1, base + slope * t)` for the update after t others.
        rate: The constant rate, in (0, 1]; 0.5 by default.
        base: The linear schedule's first rate, in (0, 1]; 0.3 by default.
        slope: What the linear schedule adds each update; 0.0006 by default.
        steps: Updates with the constant rate; None for all. 0 gives one, as the reference code
            does whose command line has it as the default.
        scale_learning_rate: Whether to multiply the learning rate by the replacing rate, which is
            the part of the updates that a successor takes part in. The optimizer's learning rate
            must be a number; it is scaled during each batch only, so other callbacks and
            checkpoints see the full one. The reference code does not scale.

    Raises:
        ValueError: If an argument is impossible or belongs to the other schedule, or, when
            training begins, the model has no `TheseusModule`, predecessors would be trained, or
            the learning rate to scale is a schedule.

    Example:

    >>> callback = tfc.callbacks.TheseusReplacer("linear", base=0.3, slope=0.0006)
    >>> round(callback.rate_at(500), 6)
    0.6
    >>> history = model.fit(dataset, callbacks=[callback], verbose=0)

    Reference: Xu et al., 2020, arXiv:2002.02925.
    """

    def __init__(
        self,
        schedule: str = "constant",
        *,
        rate: float | None = None,
        base: float | None = None,
        slope: float | None = None,
        steps: int | None = None,
        scale_learning_rate: bool = False,
    ):
        super().__init__()
        self._schedule = ReplacingSchedule(schedule, rate, base, slope, steps)
        self.scale_learning_rate = scale_learning_rate
        self._modules = []
        self._learning_rate = None

    def rate_at(self, step: int) -> float:
        """Returns the replacing rate of the update after `step` others."""
        return self._schedule.rate_at(step)

    def on_train_begin(self, logs=None):
        modules = named_layers(self.model, TheseusModule)
        if not modules:
            raise InputError(
                "TheseusReplacer needs a model with TheseusModule layers. Received: "
                f"{self.model.name} with none. Put predecessors and successors in such modules."
            )
        for path, module in modules.items():
            if any(layer.trainable_weights for layer in module.predecessors):
                raise InputError(
                    f"Predecessors must stay as they are. Received: {path} with predecessors that "
                    "train. Set their `trainable` to False and compile the model again."
                )
        finished_updates(self.model)
        if self.scale_learning_rate:
            self._check_learning_rate()
        self._modules = list(modules.values())

    def on_train_batch_begin(self, batch, logs=None):
        rate = self.rate_at(finished_updates(self.model))
        for module in self._modules:
            if module.rate != rate:
                module.rate = rate
        if self.scale_learning_rate:
            self._learning_rate = self._scale(rate)

    def on_train_batch_end(self, batch, logs=None):
        if self.scale_learning_rate:
            self.model.optimizer.learning_rate = self._learning_rate

    def _scale(self, factor):
        """Multiplies the learning rate and returns what it was."""
        optimizer = self.model.optimizer
        before = float(optimizer.learning_rate.numpy())
        optimizer.learning_rate = before * factor
        return before

    def _check_learning_rate(self):
        try:
            self._scale(1.0)
        except (AttributeError, TypeError) as error:
            raise InputError(
                "`scale_learning_rate` needs a learning rate that is a number. Received: an "
                "optimizer with a schedule. Multiply by the rate in your schedule, and leave "
                "`scale_learning_rate` out."
            ) from error
