"""Greedy and beam search on the Keras model: validation during training, and the reference.

The search is that of the exported bundle's runtime. It begins behind `bos_id` and the
configuration's `target_prefix`, which targets leave out. A target has at most
`min(max_length, max_target_length - len(target_prefix), 2 * source_length + 16)` tokens, end mark
included; `pad_id` and `bos_id` are never produced; ties go to the lowest index.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfcompress.decoder_state import SENTENCE
from tfcompress.errors import InputError
from tfcompress.models.copying import copy_weights
from tfcompress.models.precision import to_float32
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.search_options import SearchOptions, check_count

_MAX_BATCH_SIZE = 128
# Steps between two looks at which sentences are finished and need no more work.
_STEPS = 8


class Hypothesis(NamedTuple):
    """A translation found by beam search.

    Attributes:
        token_ids: The target's token ids, without begin and end marks.
        score: Sum of log-probabilities, end mark included, divided by
            `length ** length_penalty`.
    """

    token_ids: list[int]
    score: float


def greedy_decode(
    transformer: Seq2SeqTransformer,
    source_token_ids: Sequence[Sequence[int]],
    *,
    max_length: int | None = None,
) -> list[list[int]]:
    """Translates sentences, taking the likeliest token at every step.

    Sentences are batched by length. The graph is traced once for a transformer, whatever the
    shapes, and follows its variables: call this after every epoch at no cost but the decoding.

    Args:
        transformer: What to translate with.
        source_token_ids: Token ids of each sentence, ending with `eos_id`.
        max_length: Longest target in tokens, end mark included, where shorter than the
            configuration's `max_target_length`.

    Returns:
        The target's token ids for each sentence, without begin and end marks.

    Raises:
        InputError: If a sentence is empty or too long, or `max_length` impossible.

    Example:

    >>> len(greedy_decode(transformer, [[5, 9, 2], [7, 2]]))
    2
    """
    lengths = np.array([len(ids) for ids in source_token_ids], int)
    limits = target_limits(transformer.config, lengths, max_length)
    search = vars(transformer).get("_greedy_search")
    if search is None:
        search = vars(transformer)["_greedy_search"] = _GreedySearch(transformer)
    search.follow_variables()
    targets = [[] for _ in source_token_ids]
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), _MAX_BATCH_SIZE):
        rows = order[start : start + _MAX_BATCH_SIZE]
        batch = np.full((len(rows), lengths[rows].max()), transformer.config.pad_id, np.int32)
        for i, row in enumerate(rows):
            batch[i, : lengths[row]] = source_token_ids[row]
        for row, ids in zip(rows, search.decode(batch, limits[rows])):
            targets[row] = ids
    return targets


def greedy_translate(
    transformer: Seq2SeqTransformer, source_tokenizer, target_tokenizer, sources: Sequence[str]
) -> list[str]:
    """Translates text, taking the likeliest token at every step; sources too long are cut.

    Args:
        transformer: What to translate with.
        source_tokenizer: Has `encode`, for a list of sentences.
        target_tokenizer: Has `decode`, for a list of lists of ids.
        sources: The sentences.
    """
    longest, eos_id = transformer.config.max_source_length - 1, transformer.config.eos_id
    ids = [[*row[:longest], eos_id] for row in source_tokenizer.encode(sources)]
    return target_tokenizer.decode(greedy_decode(transformer, ids))


def beam_decode(
    transformer: Seq2SeqTransformer,
    source_ids: Sequence[int],
    *,
    beam_size: int,
    length_penalty: float = 1.0,
    n_best: int = 1,
    max_length: int | None = None,
) -> list[Hypothesis]:
    """Translates one sentence by beam search; the reference for the runtime, not made for speed.

    Each step takes the `2 * beam_size` likeliest continuations of all beams together. Those of
    the first `beam_size` that end are finished hypotheses; the best `beam_size` that do not end
    go on. The search stops at the length limit, where every beam is made to end, or with
    `beam_size` finished hypotheses whose scores the best beam, as long as it is by then, does not
    exceed.

    Args:
        transformer: What to translate with.
        source_ids: Token ids of the sentence, ending with `eos_id`.
        beam_size: Number of beams; 1 is greedy search.
        length_penalty: Exponent of the length that a hypothesis' log-probability is divided by.
        n_best: How many hypotheses to return, at most `beam_size`.
        max_length: Longest target in tokens, end mark included, where shorter than the
            configuration's `max_target_length`.

    Returns:
        The best hypotheses (fewer than `n_best` where so few were found), best first.

    Raises:
        InputError: If the sentence is empty or too long, or an argument impossible.

    Example:

    >>> best = beam_decode(transformer, [5, 9, 2], beam_size=4)[0]
    >>> best.score < 0, len(best.token_ids) < transformer.config.max_target_length
    (True, True)
    """
    SearchOptions(beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length)
    config = transformer.config
    (limit,) = target_limits(config, np.array([len(source_ids)]), max_length)
    transformer = to_float32(transformer)
    memory = transformer.encode_with_mask(tf.constant([list(source_ids)], tf.int32), None)
    first, prefix = len(config.target_prefix), [config.bos_id, *config.target_prefix]
    cache = transformer.init_cache(memory, first + int(limit))
    for position, token in enumerate(prefix[:-1]):
        _, cache = transformer.hidden_step(tf.constant([token], tf.int32), position, cache)
    tokens, scores, beams, finished = np.array(prefix[-1:]), np.zeros(1), [[]], []
    for position in range(limit):
        logits, cache = transformer.step(tf.constant(tokens, tf.int32), first + position, cache)
        candidates = scores[:, np.newaxis] + tf.nn.log_softmax(logits).numpy()
        candidates[:, config.excluded_ids] = -np.inf
        if position == limit - 1:
            ends = candidates[:, config.eos_id]
            finished += [_hypothesis(*pair, length_penalty) for pair in zip(beams, ends)]
            break
        best = np.argsort(-candidates, axis=None, kind="stable")[: 2 * beam_size]
        best = best[np.isfinite(candidates.flat[best])]
        parents, continuations = np.divmod(best, candidates.shape[1])
        ends = continuations == config.eos_id
        for i in np.flatnonzero(ends[:beam_size]):
            score = candidates.flat[best[i]]
            finished.append(_hypothesis(beams[parents[i]], score, length_penalty))
        finished = _best(finished, beam_size)
        if ends.all() or (
            len(finished) == beam_size
            and _score(candidates.flat[best[~ends][0]], position + 1, length_penalty)
            <= finished[-1].score
        ):
            break
        parents, tokens = parents[~ends][:beam_size], continuations[~ends][:beam_size]
        scores = candidates[parents, tokens]
        beams = [[*beams[parent], int(token)] for parent, token in zip(parents, tokens)]
        cache = tf.nest.map_structure(
            lambda spec, x, rows=parents: x if spec.per == SENTENCE else tf.gather(x, rows),
            [layer.state_spec() for layer in transformer.decoder_layers],
            cache,
        )
    return _best(finished, n_best)


def target_limits(config, source_lengths: np.ndarray, max_length: int | None) -> np.ndarray:
    """Returns the most tokens, end mark included, that each sentence's target may have.

    Args:
        config: The transformer's configuration.
        source_lengths: Tokens of each source, end mark included.
        max_length: The caller's limit, or None for the configuration's.

    Raises:
        InputError: If a sentence is empty or too long, or `max_length` impossible.
    """
    most = config.max_target_length if max_length is None else max_length
    check_count("max_length", most)
    for number, length in enumerate(source_lengths):
        if not 1 <= length <= config.max_source_length:
            raise InputError(
                f"A sentence must have from 1 to {config.max_source_length} token ids, end mark "
                f"included. Received: sentence {number} with {length}."
            )
    longest = config.max_target_length - len(config.target_prefix)
    return np.minimum(min(most, longest), 2 * source_lengths + 16)


def _hypothesis(token_ids, log_probability, length_penalty):
    return Hypothesis(token_ids, _score(log_probability, len(token_ids) + 1, length_penalty))


def _score(log_probability, length, length_penalty):
    return float(log_probability) / length**length_penalty


def _best(hypotheses, count):
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.score)[:count]


class _GreedySearch:
    """The traced graphs of one transformer's greedy search."""

    def __init__(self, transformer):
        self._original = transformer
        self._transformer = to_float32(transformer)
        ids = tf.TensorSpec([None], tf.int32)
        scalar = tf.TensorSpec([], tf.int32)
        self._start = tf.function(
            self._start_graph,
            input_signature=[tf.TensorSpec([None, None], tf.int32), scalar],
            autograph=False,
        )
        state = self._start.get_concrete_function().structured_outputs
        state = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), state)
        self._advance = tf.function(
            self._advance_graph, input_signature=[ids, scalar, ids, state], autograph=False
        )

    def follow_variables(self):
        """Brings the float32 twin, where there is one, up to date."""
        if self._transformer is not self._original:
            copy_weights(self._original.model, self._transformer.model)

    def decode(self, source, limits):
        """Returns the targets of one padded batch."""
        config = self._transformer.config
        targets = [[] for _ in limits]
        rows = np.arange(len(limits))
        position = len(config.target_prefix)
        tokens = np.full(len(limits), [config.bos_id, *config.target_prefix][-1], np.int32)
        limits = position + limits
        state = self._start(source, limits.max())
        while len(rows):
            produced, position, state = self._advance(tokens, position, limits[rows], state)
            produced = produced.numpy()
            for row, ids in zip(rows, produced):
                targets[row] += ids[ids != config.eos_id].tolist()
            live = np.flatnonzero(produced[:, -1] != config.eos_id)
            if len(live) < len(rows):
                rows = rows[live]
                state = tf.nest.map_structure(lambda x, live=live: tf.gather(x, live), state)
            tokens = produced[live, -1]
        return targets

    def _start_graph(self, source, max_length):
        memory, mask = self._transformer.encode(source)
        cache = self._transformer.init_cache(memory, max_length)
        config = self._transformer.config
        for position, token in enumerate([config.bos_id, *config.target_prefix][:-1]):
            tokens = tf.fill([tf.shape(source)[0]], token)
            _, cache = self._transformer.hidden_step(
                tokens, position, cache, memory_padding_mask=mask
            )
        return {"cache": cache, "memory_mask": mask}

    def _advance_graph(self, tokens, position, limits, state):
        """Decodes `_STEPS` positions, or fewer where every row ends; ended rows repeat `eos_id`."""
        config = self._transformer.config
        never = tf.one_hot(config.excluded_ids, config.target_vocabulary_size)
        never = tf.reduce_sum(never, axis=0) * tf.float32.min

        def is_live(i, tokens, *_):
            return (i < _STEPS) & tf.reduce_any(tokens != config.eos_id)

        def advance(i, tokens, produced, cache):
            logits, cache = self._transformer.step(
                tokens, position + i, cache, memory_padding_mask=state["memory_mask"]
            )
            ends = (tokens == config.eos_id) | (position + i >= limits - 1)
            best = tf.argmax(logits + never, axis=1, output_type=tf.int32)
            tokens = tf.where(ends, config.eos_id, best)
            return i + 1, tokens, tf.concat([produced, tokens[:, tf.newaxis]], 1), cache

        steps, _, produced, cache = tf.while_loop(
            is_live,
            advance,
            (0, tokens, tokens[:, tf.newaxis][:, :0], state["cache"]),
            shape_invariants=(
                tf.TensorShape([]),
                tokens.shape,
                tf.TensorShape([None, None]),
                tf.nest.map_structure(lambda x: x.shape, state["cache"]),
            ),
        )
        return produced, position + steps, {**state, "cache": cache}
