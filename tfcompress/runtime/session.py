"""The two signatures of a translation model, with their buffers."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tfcompress.constants import MASKED
from tfcompress.decoder_state import SENTENCE
from tfcompress.runtime.buffers import HostBuffer
from tfcompress.runtime.decoder_bundle import DecoderBundle
from tfcompress.runtime.litert_model import Recent, Signature, load_model
from tfcompress.runtime.search import StepOutput

# Caches have a multiple of this many rows. A step costs more the longer its cache is, but to
# lengthen it costs as much as several steps.
_CACHE_ROWS = 32
KEPT_LENGTHS = 8
_KEPT_DECODERS = 4


class Session:
    """Runs a bundle's model: a sentence is encoded, then decoded step by step.

    Not safe for use by several threads at once.

    Args:
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: The model needs custom operations, does not load, or is not the one that the
            manifest describes.

    Example:

    >>> session = Session(tfc.runtime.open_bundle("en-de"))
    >>> session.encode([57, 391, 2])
    >>> session.start(rows=1)
    >>> session.step(1).logits.shape
    (1, 500)
    """

    # What steps read: the sentence that was encoded alone, or those of a batch.
    _encoder: "_Encoder | NoEncoder"
    _memories: "_Memories | None" = None
    _decoder: "_Decoder"

    def __init__(self, bundle: DecoderBundle, *, num_threads: int = 1):
        self._limit = bundle.max_target_length
        self._sentence = {n: spec for n, spec in bundle.state.items() if spec.per == SENTENCE}
        self._own = {n: spec for n, spec in bundle.state.items() if spec.per != SENTENCE}
        self._grows = any(spec.grows for spec in self._own.values())
        self._results = {"logits": bundle.target_vocabulary}
        if bundle.block:
            self._results |= {
                "block_max": bundle.target_vocabulary // bundle.block,
                "log_sum_exp": 1,
            }
        self._aligns = bundle.gives_alignments
        alignment = {"alignment"} if self._aligns else set()
        self._model = load_model(bundle, num_threads, first_input=("step", "position"))
        self._step = Signature(
            self._model,
            bundle,
            "step",
            {"ids", "position", "mask", *bundle.state},
            {*self._results, *alignment, *(f"new_{name}" for name in self._own)},
        )
        self._decoders = Recent(_KEPT_DECODERS)
        self._position = 0
        self._open_sequences(bundle)

    def _open_sequences(self, bundle):
        """Finds the signature that takes whole sequences."""
        self._encode = Signature(self._model, bundle, "encode", {"ids"}, {*self._sentence})
        self._encoders = Recent(KEPT_LENGTHS)

    def encode(self, ids: Sequence[int]) -> None:
        """Encodes a sentence, which the steps after it translate.

        Args:
            ids: Its ids, the end id included.
        """
        self._encoder, self._memories = self._encoded(ids), None

    def _encoded(self, ids):
        length = len(ids)
        self._encode.resize("ids", (length,))
        encoder = self._encoders.get_or_make(
            length, lambda: _Encoder(self._encode, length, self._sentence)
        )
        encoder.ids.array[:] = ids
        encoder.ids.upload()
        self._encode.bind({"ids": encoder.ids.tensor}, encoder.state)
        self._encode.run()
        return encoder

    def start(self, rows: int) -> None:
        """Begins to decode the encoded sentence.

        Args:
            rows: Hypotheses that are decoded side by side.
        """
        self._memories = None
        self._begin(rows, self._encoder.length)

    def start_batch(self, sentences: Sequence[Sequence[int]], rows: int) -> None:
        """Encodes sentences of one length and begins to decode them side by side.

        Args:
            sentences: The ids of each, the end id included.
            rows: Hypotheses of each sentence, which stand together.
        """
        length = len(sentences[0])
        self._memories = _Memories(rows * len(sentences), length)
        self._begin(rows * len(sentences), length)
        for place, ids in enumerate(sentences):
            encoder = self._encoded(ids)
            self._memories.fill(slice(place * rows, (place + 1) * rows), encoder.state)

    def keep(self, rows: np.ndarray) -> None:
        """Goes on with these rows of a batch only.

        Args:
            rows: Their numbers.
        """
        old, memories = self._decoder, self._memories
        assert memories is not None
        self._memories = _Memories(len(rows), memories.length)
        self._use_decoder(len(rows), old.cache_rows)
        self._memories.copy_from(memories, rows)
        self._decoder.continue_from(old, self._position, rows)

    def _begin(self, rows, length):
        self._position = 0
        # Room for a translation a quarter longer than its source, which few outgrow.
        wanted = length * 5 // 4 + _CACHE_ROWS
        self._use_decoder(rows, wanted - wanted % _CACHE_ROWS if self._grows else self._limit)
        self._decoder.begin()

    def step(self, token_ids: int | np.ndarray) -> StepOutput:
        """Decodes one position of all rows.

        Args:
            token_ids: The token at this position, `[rows]` or one for all.

        Returns:
            The logits of the next token, with what helps to search in them.
        """
        position = self._position
        decoder = self._decoder
        if position == decoder.cache_rows:
            decoder = self._grow()
        self._position = position + 1
        return decoder.run(token_ids, position)

    def reorder(self, parents: np.ndarray) -> None:
        """Lets row `i` continue what row `parents[i]` began.

        Args:
            parents: `[rows]`.
        """
        self._decoder.reorder(parents, self._position)

    def close(self) -> None:
        """Frees the model and its buffers; the session cannot be used any more."""
        vars(self).clear()

    def _use_decoder(self, rows, cache_rows):
        """Gives the step these shapes, and what the encoded sentences have for it."""
        cache_rows = min(cache_rows, self._limit)
        step, memories = self._step, self._memories
        count, length = (1, self._encoder.length) if memories is None else memories.shape
        step.resize("ids", (rows,))
        step.resize("mask", (1, 1, 1, cache_rows))
        for name, spec in self._own.items():
            step.resize(name, spec.sizes(rows, cache_rows))
        for name, spec in self._sentence.items():
            step.resize(name, spec.sizes(count, length))
        results = self._results
        if self._aligns:
            results = {**results, "alignment": length}
        self._decoder = self._decoders.get_or_make(
            (rows, cache_rows, results.get("alignment")),
            lambda: _Decoder(step, rows, cache_rows, self._own, results),
        )
        if memories is not None:
            memories.make(step, self._sentence)
        state = self._encoder.state if memories is None else memories.tensors
        step.bind(self._decoder.inputs | state, self._decoder.outputs)

    def _grow(self):
        old = self._decoder
        self._use_decoder(old.rows, 2 * old.cache_rows)
        self._decoder.continue_from(old, old.cache_rows, slice(None))
        return self._decoder


class _Encoder:
    """The buffers of `encode` for one length of source."""

    def __init__(self, signature, length, state):
        self.length = length
        self.ids = HostBuffer(signature.new_input("ids"), (length,), np.int32)
        self.state = {name: signature.new_output(name) for name in state}


class _Memories:
    """What steps read of the sentences of a batch, once for each row.

    Args:
        rows: Number of rows.
        length: Of all sentences.
    """

    def __init__(self, rows, length):
        self.shape = rows, length
        self.length = length
        self._buffers = {}

    @property
    def tensors(self):
        return {name: buffer.tensor for name, buffer in self._buffers.items()}

    def make(self, signature, state):
        """Makes the buffers, once the signature has these shapes."""
        if not self._buffers:
            self._buffers = {
                name: HostBuffer(signature.new_input(name), spec.sizes(*self.shape), np.float32)
                for name, spec in state.items()
            }

    def fill(self, rows, state):
        """Gives rows what `encode` gave for a sentence."""
        for name, buffer in self._buffers.items():
            shape = buffer.array.shape[1:]
            values = state[name].read(math.prod(shape), np.float32)
            buffer.array[rows] = values.reshape(shape)
            buffer.upload()

    def copy_from(self, other, rows):
        """Takes over some rows."""
        for name, buffer in self._buffers.items():
            buffer.array[...] = other._buffers[name].array[rows]
            buffer.upload()


class NoEncoder:
    """Takes the place of the encoder's buffers where there is no encoder."""

    length = 0
    state: ClassVar[dict] = {}


class _Decoder:
    """The buffers of `step` for one number of rows and one length of what grows."""

    def __init__(self, signature, rows, cache_rows, state, results):
        self.rows = rows
        self.cache_rows = cache_rows
        self._signature = signature

        def buffer(name, shape, dtype: type = np.float32, new=signature.new_input):
            return HostBuffer(new(name), shape, dtype)

        ids = buffer("ids", (rows,), np.int32)
        position = buffer("position", (1,), np.int32)
        mask = buffer("mask", (1, 1, 1, cache_rows))
        tensors = {
            name: _StateTensor(signature, name, spec, rows, cache_rows)
            for name, spec in state.items()
        }
        results = {
            name: buffer(name, (rows, width), new=signature.new_output)
            for name, width in results.items()
        }
        self.inputs = {
            "ids": ids.tensor,
            "position": position.tensor,
            "mask": mask.tensor,
            **{name: tensor.now.tensor for name, tensor in tensors.items()},
        }
        self.outputs = {
            **{name: result.tensor for name, result in results.items()},
            **{f"new_{name}": tensor.next.tensor for name, tensor in tensors.items()},
        }
        self._ids, self._position, self._mask = ids.array, position.array, mask.array.reshape(-1)
        self._uploads = [buffer for buffer in (ids, position, mask) if buffer.is_copy]
        self._downloads = [buffer for buffer in results.values() if buffer.is_copy]
        self._state = list(tensors.values())
        self._replaced = [tensor for tensor in self._state if not tensor.spec.grows]
        self._output = StepOutput(**{name: result.array for name, result in results.items()})

    def begin(self):
        self._mask[:] = MASKED
        for tensor in self._replaced:
            tensor.reset()

    def continue_from(self, other, filled, rows):
        """Takes over the filled positions of some rows of another decoder."""
        self._mask[:filled] = 0
        self._mask[filled:] = MASKED
        for tensor, old in zip(self._state, other._state):
            tensor.copy_from(old, filled, rows)

    def run(self, token_ids, position):
        self._ids[:] = token_ids
        self._position[0] = position
        self._mask[position] = 0
        for buffer in self._uploads:
            buffer.upload()
        self._signature.run()
        for tensor in self._replaced:
            tensor.advance()
        for buffer in self._downloads:
            buffer.download()
        return self._output

    def reorder(self, parents, filled):
        rows = np.flatnonzero(parents != np.arange(self.rows))
        sources = parents[rows]
        for tensor in self._state:
            tensor.reorder(rows, sources, filled)


class _StateTensor:
    """A tensor per hypothesis: what a step reads, and what it writes for the next."""

    def __init__(self, signature, name, spec, rows, length):
        self.spec = spec
        shape = spec.sizes(rows, length)
        self.now = HostBuffer(signature.new_input(name), shape, np.float32)
        # What grows is written in place: one buffer is both input and output.
        self.next = self.now
        if not spec.grows:
            # Of an input, as LiteRT knows the shapes of all of these.
            self.next = HostBuffer(signature.new_input(name), shape, np.float32)

    def reset(self):
        self.now.array[...] = self.spec.initial
        self.now.upload()

    def advance(self):
        self.next.download()
        self.now.array[...] = self.next.array
        self.now.upload()

    def copy_from(self, other, filled, rows):
        other.now.download()
        first = self._first(filled)
        self.now.array[:, *first] = other.now.array[rows][:, *first]
        self.now.upload()

    def reorder(self, rows, sources, filled):
        self.now.download()
        first = self._first(filled)
        # The right side is a copy, so rows may be exchanged.
        self.now.array[rows, *first] = self.now.array[sources, *first]
        self.now.upload()

    def _first(self, filled):
        """The index, behind that of rows, of so many positions."""
        if not self.spec.grows:
            return ()
        return (slice(None),) * self.spec.shape.index(None) + (slice(filled),)
