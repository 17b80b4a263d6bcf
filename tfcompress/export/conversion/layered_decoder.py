"""An exported decoder, layer by layer, and what it carries from step to step."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfcompress.decoder_state import SENTENCE, StateSpec
from tfcompress.errors import InputError
from tfcompress.models import Seq2SeqTransformer


class LayeredDecoder:
    """A decoder whose layers compute one after another.

    Each layer index has tensors per hypothesis of its own. Layers that share what they read a
    sentence with, such as a cross-attention, share its tensors too.

    Args:
        transformer: Any.

    Attributes:
        is_ragged: Whether the rows of a step may be of sentences of different lengths, at
            different positions; they may not, as padding changes the order of LiteRT's sums.
        state: What the decoder carries from step to step, by name: what the layers call it, and
            its number among those of this name.
        names: For each layer its tensors' names, nested as its `state_spec` is.

    Raises:
        InputError: If a layer does not declare its state.
    """

    is_ragged = False

    def __init__(self, transformer: Seq2SeqTransformer):
        self._transformer = transformer
        self._layers = transformer.decoder_layers
        self._counts = Counter()
        self._shared = {}
        self._specs = {}
        self.names = [self._number(layer, _state_spec(layer)) for layer in self._layers]
        self.state: dict[str, StateSpec] = dict(sorted(self._specs.items(), key=self._rank))

    def _number(self, owner, specs):
        """Names the tensors of a layer."""
        return {
            name: self._number(getattr(owner, name), spec)
            if isinstance(spec, Mapping)
            else self._name(owner, name, spec)
            for name, spec in specs.items()
        }

    def _name(self, owner, name, spec):
        key = id(owner), name
        if spec.per == SENTENCE and key in self._shared:
            return self._shared[key]
        numbered = f"{name}_{self._counts[name]}"
        self._counts[name] += 1
        self._shared[key] = numbered
        self._specs[numbered] = spec
        return numbered

    def _rank(self, item):
        """Tensors per sentence stand last, and others of one name together."""
        numbered, spec = item
        names = list(self._counts)
        return spec.per == SENTENCE, names.index(numbered.rpartition("_")[0])

    def encode(self, memory: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the tensors per sentence of the encoder's output, `[1, length, width]`, by name.

        Args:
            memory: The encoder's output.
        """
        outputs = {}
        for layer, names in zip(self._layers, self.names):
            wanted = [name for name in tf.nest.flatten(names) if self.state[name].per == SENTENCE]
            if not outputs.keys() >= set(wanted):
                values = _by_name(names, layer.init_cache(1, 1, memory))
                outputs |= {name: values[name] for name in wanted}
        return outputs

    def step(
        self,
        ids: tf.Tensor,
        position: tf.Tensor,
        mask: tf.Tensor,
        state: dict[str, tf.Tensor],
        lengths: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Decodes one position.

        Args:
            ids: `[batch]`.
            position: `[1]`; or `[batch]`, if it is ragged.
            mask: `[1, 1, 1, max_length]`, additive, over the positions decoded so far.
            state: The tensors of `state`.
            lengths: If it is ragged, those of the sentences, `[sentences]`.

        Returns:
            What the last layer gives, `[batch, hidden_dim]`, and the new tensors per hypothesis by
            name.
        """
        cache = tf.nest.map_structure(state.__getitem__, self.names)
        x, cache = self._transformer.hidden_step(ids, position, cache, mask=mask)
        new = _by_name(self.names, cache)
        own = [name for name, spec in self.state.items() if spec.per != SENTENCE]
        return x, {name: new[name] for name in own}


def _by_name(names, cache):
    tf.nest.assert_same_structure(names, cache)
    return dict(zip(tf.nest.flatten(names), tf.nest.flatten(cache)))


def _state_spec(layer: Any) -> dict:
    try:
        return layer.state_spec()
    except (AttributeError, NotImplementedError) as error:
        raise InputError(
            "A decoder layer must declare the state that it decodes with. Received: "
            f"{layer.name} ({error}). Give its layers `state_spec` and `step`."
        ) from error
