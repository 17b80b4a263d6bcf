"""An exported decoder, layer by layer, and what it keeps between steps."""

from dataclasses import dataclass

import tensorflow as tf

from tfcompress.errors import InputError
from tfcompress.models import Seq2SeqTransformer

_CACHE = {"keys", "values", "inputs", "memory_keys", "memory_values"}


@dataclass(frozen=True)
class DecoderState:
    """What a decoder keeps between steps, read off its layers.

    Attributes:
        caches: `(num_heads, head_dim)` of each cache of keys and values, in order.
        histories: `(1, channels)` of each depth's convolution, which keeps its inputs, in order.
        memories: `(num_heads, head_dim)` of each memory, in order.
    """

    caches: list[tuple[int, int]]
    histories: list[tuple[int, int]]
    memories: list[tuple[int, int]]


class LayeredDecoder:
    """A decoder whose layers compute one after another.

    Each depth's self-attention has a cache of its own, and each distinct cross-attention a memory:
    layers that share one share its keys and values.

    Args:
        transformer: Any.

    Attributes:
        state: What the decoder keeps between steps.
        indices: For each layer its places in the caches, histories and memories, or None.

    Raises:
        InputError: If a layer keeps something that the bundle's format has no place for.
    """

    def __init__(self, transformer: Seq2SeqTransformer):
        self._transformer = transformer
        self._layers = transformer.decoder_layers
        self.indices = []
        self.state = DecoderState([], [], [])
        memory_of = {}
        memory = tf.zeros([1, 1, transformer.config.hidden_dim])
        for layer in self._layers:
            cache = layer.init_cache(1, 1, memory)
            if unknown := set(cache) - _CACHE:
                raise InputError(
                    f"decoder layer {layer.name} keeps {', '.join(sorted(unknown))} between steps, "
                    "which cannot be exported; use this library's attention and convolution layers"
                )
            own = history = attended = None
            if "keys" in cache:
                own = len(self.state.caches)
                self.state.caches.append(_heads(cache["keys"]))
            if "inputs" in cache:
                history = len(self.state.histories)
                self.state.histories.append(_heads(cache["inputs"]))
            if "memory_keys" in cache:
                attention = id(getattr(layer, "cross_attention", layer))
                attended = memory_of.setdefault(attention, len(self.state.memories))
                if attended == len(self.state.memories):
                    self.state.memories.append(_heads(cache["memory_keys"]))
            self.indices.append((own, history, attended))

    def memories(self, memory: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the keys and values of the encoder's output, `[1, length, width]`, by name."""
        outputs = {}
        for layer, (_, _, i) in zip(self._layers, self.indices):
            if i is not None and f"memory_keys_{i}" not in outputs:
                cache = layer.init_cache(1, 1, memory)
                outputs[f"memory_keys_{i}"] = cache["memory_keys"]
                outputs[f"memory_values_{i}"] = cache["memory_values"]
        return outputs

    def step(
        self, ids: tf.Tensor, position: tf.Tensor, mask: tf.Tensor, kept: dict[str, list[tf.Tensor]]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Decodes one position.

        Args:
            ids: `[batch]`.
            position: `[1]`.
            mask: `[1, 1, 1, max_length]`.
            kept: The caches, histories and memories by kind.

        Returns:
            The logits, and the new caches and histories by name.
        """
        cache = []
        for own, history, attended in self.indices:
            layer_cache = {}
            if own is not None:
                layer_cache |= {"keys": kept["keys"][own], "values": kept["values"][own]}
            if history is not None:
                layer_cache["inputs"] = kept["inputs"][history]
            if attended is not None:
                for kind in ("memory_keys", "memory_values"):
                    layer_cache[kind] = kept[kind][attended]
            cache.append(layer_cache)
        logits, cache = self._transformer.step(ids, position, cache, mask=mask)
        outputs = {}
        for (own, history, _), layer_cache in zip(self.indices, cache):
            if own is not None:
                outputs[f"new_keys_{own}"] = layer_cache["keys"]
                outputs[f"new_values_{own}"] = layer_cache["values"]
            if history is not None:
                outputs[f"new_inputs_{history}"] = layer_cache["inputs"]
        return logits, outputs


def _heads(cache):
    return cache.shape[1], cache.shape[3]
