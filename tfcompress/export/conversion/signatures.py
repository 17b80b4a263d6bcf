"""The signatures of an exported model with a decoder."""

import contextlib
from typing import Any

import tensorflow as tf

from tfcompress.custom_ops.names import TOP_LOGITS
from tfcompress.custom_ops.top_logits import top_logits
from tfcompress.export.conversion.saving import save_functions
from tfcompress.export.conversion.whole_decoder import find_decoder
from tfcompress.export.options import ExportOptions
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.alignment import alignment_attention, alignment_of

_LARGEST_BLOCK, _SMALLEST_BLOCK = 64, 16


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

    `encode` takes `ids` `[S]` and gives what `state` has per sentence, of batch size 1. `step`
    takes `ids` `[B]`, `position` `[1]`, the additive `mask` `[1, 1, 1, T]` and all of `state`, what
    it has per sentence once for all rows or for each; it gives `logits` `[B, V]`, each tensor per
    hypothesis anew under its name with `new_` in front, and, where the vocabulary divides into
    blocks, `block_max` `[B, V / block]` and `log_sum_exp` `[B, 1]`.

    With a decoder that is ragged, `step` takes `position` `[1]` or `[B]`, what `state` has per
    sentence for several, as many rows each, and their `memory_lengths` `[sentences]`.

    Where the output layer is a custom operation, `step` also takes `shortlist` `[L, V]`, for as
    many rows each, `shortlist_size` `[L]` and `width` `[K]`, and gives `top_values` and `top_ids`
    `[B, K]`, `log_sum_exp` and `eos_logits` `[B, 1]` instead of logits.

    With alignments, `step` also gives `alignment` `[B, S]`.

    Args:
        transformer: A transformer that computes in float32.
        options: How it is exported.

    Attributes:
        names: Those of the signatures.
        state: What the decoder carries from step to step, by name.
        gives_top: Whether `step` gives the best tokens rather than all logits.
        block: Width of the blocks behind `block_max`, or None.
    """

    names = ("encode", "step")

    def __init__(self, transformer: Seq2SeqTransformer, options: ExportOptions):
        self._transformer: Any = transformer
        self._custom_ops = options.operations
        # Operations of whole decoders give no attention weights.
        whole = () if options.alignments else self._custom_ops
        self._decoder = find_decoder(transformer, whole)
        self._attention = alignment_attention(transformer) if options.alignments else None
        self.state = self._decoder.state
        is_product = transformer.output_operands(tf.zeros([1, transformer.config.hidden_dim]))
        self.gives_top = TOP_LOGITS in self._custom_ops and is_product is not None
        vocabulary_size: Any = transformer.config.target_vocabulary_size
        self.block = None if self.gives_top else logits_block(vocabulary_size)

    def interface(self) -> dict[str, Any]:
        """Returns what a manifest says of decoding: the state, and the blocks of logits."""
        state = [{"name": name, **spec.to_mapping()} for name, spec in self.state.items()]
        decoder: dict[str, Any] = {"block": self.block, "ragged": self._decoder.is_ragged}
        if self._attention is not None:
            head = self._transformer.config.alignment_head
            decoder["alignments"] = "mean" if head is None else head
        return {"state": state, "decoder": decoder}

    def save(self, path: str) -> None:
        """Writes a SavedModel with both signatures.

        Args:
            path: A new folder.
        """
        save_functions(path, self._transformer.model, self._functions(), self._custom_ops)

    def _functions(self):
        """Returns each signature's function and inputs."""

        is_ragged = self._decoder.is_ragged
        state = [
            tf.TensorSpec(spec.sizes(None, None), tf.float32, name)
            for name, spec in self.state.items()
        ]
        vocabulary_size = self._transformer.config.target_vocabulary_size
        chosen = [
            tf.TensorSpec([None, vocabulary_size], tf.int32, "shortlist"),
            tf.TensorSpec([None], tf.int32, "shortlist_size"),
            tf.TensorSpec([None], tf.int32, "width"),
        ]
        step = [
            tf.TensorSpec([None], tf.int32, "ids"),
            tf.TensorSpec([None if is_ragged else 1], tf.int32, "position"),
            tf.TensorSpec([1, 1, 1, None], tf.float32, "mask"),
            state,
            [tf.TensorSpec([None], tf.int32, "memory_lengths")] if is_ragged else [],
            *(chosen if self.gives_top else ()),
        ]
        return {**self._whole_sequences(), "step": (self._step, step)}

    def _whole_sequences(self):
        """The function that takes whole sequences, and its inputs, by name."""
        return {"encode": (self._encode, [tf.TensorSpec([None], tf.int32, "ids")])}

    def _encode(self, ids):
        memory = self._transformer.encode_with_mask(tf.expand_dims(ids, 0), None)
        return self._decoder.encode(memory)

    def _step(self, ids, position, mask, state, lengths, *chosen):
        with contextlib.ExitStack() as stack:
            weights = self._attention and stack.enter_context(
                self._attention.recording("probabilities")
            )
            named = dict(zip(self.state, state))
            x, new = self._decoder.step(ids, position, mask, named, *lengths)
        outputs = self._top(x, chosen) if self.gives_top else self._all(x)
        if weights:
            outputs["alignment"] = alignment_of(
                weights[-1], self._transformer.config.alignment_head
            )[:, 0]
        return outputs | {f"new_{name}": tensor for name, tensor in new.items()}

    def _top(self, x, chosen):
        config = self._transformer.config
        values, ids, log_sum_exp, eos_logits = top_logits(
            *self._transformer.output_operands(x),
            *chosen,
            pad_id=config.pad_id,
            # The end mark may be what targets begin with.
            bos_id=config.pad_id if config.bos_id == config.eos_id else config.bos_id,
            eos_id=config.eos_id,
        )
        return {
            "top_values": values,
            "top_ids": ids,
            "log_sum_exp": log_sum_exp,
            "eos_logits": eos_logits,
        }

    def _all(self, x):
        logits = self._transformer.logits(x)
        outputs = {"logits": logits}
        if self.block is not None:
            blocks = tf.reshape(logits, [-1, logits.shape[1] // self.block, self.block])
            outputs["block_max"] = tf.reduce_max(blocks, axis=2)
            largest = tf.reduce_max(outputs["block_max"], axis=1, keepdims=True)
            outputs["log_sum_exp"] = log_sum_exp(logits, largest)
        return outputs


def log_sum_exp(logits: tf.Tensor, largest: tf.Tensor) -> tf.Tensor:
    """Returns the logarithm of the sum of powers of e, `[rows, 1]`.

    Args:
        logits: `[rows, vocabulary_size]`.
        largest: The greatest of each row, `[rows, 1]`.
    """
    return tf.math.log(tf.reduce_sum(tf.exp(logits - largest), axis=1, keepdims=True)) + largest
