"""The two signatures of an exported encoder-decoder."""

from collections.abc import Iterable
from dataclasses import dataclass

import tensorflow as tf

from tfcompress.custom_ops.emission import emitting
from tfcompress.custom_ops.names import TOP_LOGITS
from tfcompress.custom_ops.output import capturing
from tfcompress.custom_ops.top_logits import top_logits
from tfcompress.errors import InputError
from tfcompress.models import Seq2SeqTransformer

_LARGEST_BLOCK, _SMALLEST_BLOCK = 64, 16
_CACHE = {"keys", "values", "inputs", "memory_keys", "memory_values"}


@dataclass(frozen=True)
class DecoderState:
    """What a decoder keeps between steps, read off its layers.

    Attributes:
        caches: `(num_heads, head_dim)` of each depth's self-attention cache, in order.
        histories: `(1, channels)` of each depth's convolution, which keeps its inputs, in order.
        memories: `(num_heads, head_dim)` of each distinct cross-attention, in order; layers that
            share one share its keys and values.
        layers: For each decoder layer its indices into `caches`, `histories` and `memories`.
    """

    caches: list[tuple[int, int]]
    histories: list[tuple[int, int]]
    memories: list[tuple[int, int]]
    layers: list[tuple[int | None, int | None, int | None]]


def decoder_state(transformer: Seq2SeqTransformer) -> DecoderState:
    """Returns what the transformer's decoder keeps between steps.

    Args:
        transformer: Any.

    Raises:
        InputError: If a layer keeps something that the bundle's format has no place for.
    """
    caches, histories, memories, layers = [], [], [], []
    memory_of = {}
    memory = tf.zeros([1, 1, transformer.config.hidden_dim])
    for layer in transformer.decoder_layers:
        cache = layer.init_cache(1, 1, memory)
        if unknown := set(cache) - _CACHE:
            raise InputError(
                f"decoder layer {layer.name} keeps {', '.join(sorted(unknown))} between steps, "
                "which cannot be exported; use this library's attention and convolution layers"
            )
        own = history = attended = None
        if "keys" in cache:
            own = len(caches)
            caches.append(_heads(cache["keys"]))
        if "inputs" in cache:
            history = len(histories)
            histories.append(_heads(cache["inputs"]))
        if "memory_keys" in cache:
            attention = id(getattr(layer, "cross_attention", layer))
            attended = memory_of.setdefault(attention, len(memories))
            if attended == len(memories):
                memories.append(_heads(cache["memory_keys"]))
        layers.append((own, history, attended))
    return DecoderState(caches, histories, memories, layers)


def logits_block(vocabulary_size: int) -> int | None:
    """Returns the width of the blocks of logits whose maxima `step` gives, if there is one.

    Args:
        vocabulary_size: Number of logits.
    """
    for block in range(_LARGEST_BLOCK, _SMALLEST_BLOCK - 1, -1):
        if vocabulary_size % block == 0:
            return block
    return None


class Signatures:
    """The functions `encode` and `step` of a transformer.

    `encode` takes `ids` `[S]` and gives `memory_keys_j` and `memory_values_j` `[1, H, S, dh]` of
    every distinct cross-attention. `step` takes `ids` `[B]`, `position` `[1]`, the additive
    `mask` `[1, 1, 1, T]`, the caches `keys_i` and `values_i` `[B, H, T, dh]`, the histories
    `inputs_i` `[B, 1, T, C]` and the memories; it gives `logits` `[B, V]`, the new caches, and,
    where the vocabulary divides into blocks, `block_max` `[B, V / block]` and `log_sum_exp`
    `[B, 1]`.

    Where the output layer is a custom operation, `step` also takes `shortlist` `[V]`,
    `shortlist_size` `[1]` and `width` `[K]`, and gives `top_values` and `top_ids` `[B, K]`,
    `log_sum_exp` and `eos_logits` `[B, 1]` instead of logits.

    Args:
        transformer: A transformer that computes in float32.
        custom_ops: The custom operations to emit.

    Attributes:
        state: What the decoder keeps between steps.
        gives_top: Whether `step` gives the best tokens rather than all logits.
        block: Width of the blocks behind `block_max`, or None.
    """

    def __init__(self, transformer: Seq2SeqTransformer, custom_ops: Iterable[str] = ()):
        self._transformer = transformer
        self._custom_ops = frozenset(custom_ops)
        self.state = decoder_state(transformer)
        self.gives_top = TOP_LOGITS in self._custom_ops and _is_product(transformer)
        vocabulary_size = transformer.config.target_vocabulary_size
        self.block = None if self.gives_top else logits_block(vocabulary_size)

    def save(self, path: str) -> None:
        """Writes a SavedModel with both signatures.

        Args:
            path: A new folder.
        """
        module = tf.Module()
        # Keras 3 wraps TensorFlow's variables, which are what a SavedModel tracks.
        module.kept = [
            variable if isinstance(variable, tf.Variable) else variable.value
            for variable in self._transformer.model.variables
        ]
        traced = {
            name: tf.function(function, input_signature=inputs, autograph=False)
            for name, (function, inputs) in self._functions().items()
        }
        with emitting(self._custom_ops):
            concrete = {name: f.get_concrete_function() for name, f in traced.items()}
        tf.saved_model.save(module, path, concrete)

    def _functions(self):
        """Returns each signature's function and inputs."""

        def heads(kind, batch, shapes):
            return [
                tf.TensorSpec([batch, num_heads, None, head_dim], tf.float32, f"{kind}_{i}")
                for i, (num_heads, head_dim) in enumerate(shapes)
            ]

        caches, memories = self.state.caches, self.state.memories
        histories = self.state.histories
        vocabulary_size = self._transformer.config.target_vocabulary_size
        chosen = [
            tf.TensorSpec([vocabulary_size], tf.int32, "shortlist"),
            tf.TensorSpec([1], tf.int32, "shortlist_size"),
            tf.TensorSpec([None], tf.int32, "width"),
        ]
        return {
            "encode": (self._encode, [tf.TensorSpec([None], tf.int32, "ids")]),
            "step": (
                self._step,
                [
                    tf.TensorSpec([None], tf.int32, "ids"),
                    tf.TensorSpec([1], tf.int32, "position"),
                    tf.TensorSpec([1, 1, 1, None], tf.float32, "mask"),
                    heads("keys", None, caches),
                    heads("values", None, caches),
                    heads("inputs", None, histories),
                    heads("memory_keys", 1, memories),
                    heads("memory_values", 1, memories),
                    *(chosen if self.gives_top else ()),
                ],
            ),
        }

    def _encode(self, ids):
        memory = self._transformer.encode_with_mask(tf.expand_dims(ids, 0), None)
        outputs = {}
        for layer, (_, _, i) in zip(self._transformer.decoder_layers, self.state.layers):
            if i is not None and f"memory_keys_{i}" not in outputs:
                cache = layer.init_cache(1, 1, memory)
                outputs[f"memory_keys_{i}"] = cache["memory_keys"]
                outputs[f"memory_values_{i}"] = cache["memory_values"]
        return outputs

    def _step(self, ids, position, mask, keys, values, inputs, memory_keys, memory_values, *chosen):
        cache = []
        for own, history, attended in self.state.layers:
            layer_cache = {}
            if own is not None:
                layer_cache |= {"keys": keys[own], "values": values[own]}
            if history is not None:
                layer_cache["inputs"] = inputs[history]
            if attended is not None:
                layer_cache["memory_keys"] = memory_keys[attended]
                layer_cache["memory_values"] = memory_values[attended]
            cache.append(layer_cache)
        with capturing() as output:
            logits, cache = self._transformer.step(ids, position, cache, mask=mask)
        outputs = self._top(output, chosen) if self.gives_top else self._all(logits)
        for (own, history, _), layer_cache in zip(self.state.layers, cache):
            if own is not None:
                outputs[f"new_keys_{own}"] = layer_cache["keys"]
                outputs[f"new_values_{own}"] = layer_cache["values"]
            if history is not None:
                outputs[f"new_inputs_{history}"] = layer_cache["inputs"]
        return outputs

    def _top(self, output, chosen):
        config = self._transformer.config
        values, ids, log_sum_exp, eos_logits = top_logits(
            output.x,
            output.table,
            output.bias,
            *chosen,
            pad_id=config.pad_id,
            bos_id=config.bos_id,
            eos_id=config.eos_id,
        )
        return {
            "top_values": values,
            "top_ids": ids,
            "log_sum_exp": log_sum_exp,
            "eos_logits": eos_logits,
        }

    def _all(self, logits):
        outputs = {"logits": logits}
        if self.block is not None:
            blocks = tf.reshape(logits, [-1, logits.shape[1] // self.block, self.block])
            outputs["block_max"] = tf.reduce_max(blocks, axis=2)
            largest = tf.reduce_max(outputs["block_max"], axis=1, keepdims=True)
            total = tf.reduce_sum(tf.exp(logits - largest), axis=1, keepdims=True)
            outputs["log_sum_exp"] = tf.math.log(total) + largest
        return outputs


def _is_product(transformer):
    """Whether the logits are a product with one table."""
    bos = tf.constant([transformer.config.bos_id])
    memory = tf.zeros([1, 1, transformer.config.hidden_dim])
    cache = [layer.init_cache(1, 1, memory) for layer in transformer.decoder_layers]
    with capturing() as output:
        transformer.step(bos, tf.constant(0), cache)
    return output.x is not None


def _heads(cache):
    return cache.shape[1], cache.shape[3]
