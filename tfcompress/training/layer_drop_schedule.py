"""LayerDrop rates that change during training."""

from collections.abc import Iterable

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.nested import named_layers, select_layers
from tfcompress.layers.common.random_branch import check_rate
from tfcompress.layers.layer_drop_wrapper import LayerDropWrapper, learned_drop_rates
from tfcompress.training.updates import finished_updates


class LayerDropSchedule(keras.callbacks.Callback):
    """Sets the rates of a model's `LayerDropWrapper` layers before each batch.

    The rate follows from the number of updates that the optimizer has made, so that a resumed
    training goes on where it was. With `steps_per_execution`, it changes once an execution.

    Wrappers made with `learned=True` get the rates that their scores stand for, with the
    scheduled rate as their mean; see `learned_drop_rates`.

    Args:
        start: The rate until update `begin_step`.
        end: The rate from update `end_step` on, linear in between; the same as `start` by
            default.
        begin_step: Update at which the rate begins to change.
        end_step: Update at which it is `end`; to be given with `end`.
        layers: Which wrappers: a regular expression to search their paths for, such as
            `"encoder"`, or a collection of names; all by default. Encoder and decoder may have
            schedules of their own.
        by_layer_index: Whether wrapper d of D, in the model's order, gets d/D of the rate: deep
            layers are dropped more often (Huang et al., 2016, arXiv:1603.09382).

    Raises:
        ValueError: If a rate lies outside [0, 1], `end_step` is not after `begin_step`, or, when
            training begins, no wrapper matches `layers`.

    Example:

    >>> callback = tfc.callbacks.LayerDropSchedule(0.0, 0.2, end_step=1000)
    >>> callback.rate_at(500)
    0.1
    >>> history = model.fit(dataset, callbacks=[callback], verbose=0)

    Reference: Fan et al., 2020, arXiv:1909.11556.
    """

    def __init__(
        self,
        start: float,
        end: float | None = None,
        *,
        begin_step: int = 0,
        end_step: int | None = None,
        layers: str | Iterable[str] | None = None,
        by_layer_index: bool = False,
    ):
        super().__init__()
        for rate in (start, start if end is None else end):
            check_rate(rate)
        if begin_step < 0:
            raise InputError(f"`begin_step` must not be negative. Received: {begin_step=}.")
        if (end is None) != (end_step is None):
            raise InputError(
                "`end` and `end_step` must be given together. "
                f"Received: end={end}, end_step={end_step}."
            )
        if end_step is not None and end_step <= begin_step:
            raise InputError(
                "`end_step` must be greater than `begin_step`. "
                f"Received: end_step={end_step}, begin_step={begin_step}."
            )
        self.start = start
        self.end = end
        self.begin_step = begin_step
        self.end_step = end_step
        self.layers = layers
        self.by_layer_index = by_layer_index
        self._wrappers = []

    def rate_at(self, step: int) -> float:
        """Returns the rate of the update after `step` others."""
        if self.end is None or self.end_step is None:
            return self.start
        done = (step - self.begin_step) / (self.end_step - self.begin_step)
        return self.start + min(max(done, 0.0), 1.0) * (self.end - self.start)

    def on_train_begin(self, logs=None):
        wrappers = select_layers(named_layers(self.model, LayerDropWrapper), self.layers)
        if not wrappers:
            raise InputError(
                "LayerDropSchedule needs layers in a LayerDropWrapper. Received: a model with none "
                f"that matches layers={self.layers!r}. Wrap the layers that may be dropped."
            )
        learned = {wrapper.learned for wrapper in wrappers.values()}
        if len(learned) > 1 or (self.by_layer_index and True in learned):
            raise InputError(
                "Rates are either learned or scheduled by layer index, for all wrappers alike. "
                f"Received: by_layer_index={self.by_layer_index} and wrappers with learned in "
                f"{learned}. Use a schedule for each, and `layers` to tell them apart."
            )
        finished_updates(self.model)
        self._wrappers = list(wrappers.values())

    def on_train_batch_begin(self, batch, logs=None):
        rate = self.rate_at(finished_updates(self.model))
        for wrapper, value in zip(self._wrappers, self._rates(rate)):
            if wrapper.rate != value:
                wrapper.rate = value

    def _rates(self, rate):
        count = len(self._wrappers)
        # Before the first call of a model there are no scores, which begin alike.
        if self._wrappers[0].learned and all(wrapper.built for wrapper in self._wrappers):
            return learned_drop_rates(self._wrappers, rate)
        if self.by_layer_index:
            return [rate * (index + 1) / count for index in range(count)]
        return [rate] * count
