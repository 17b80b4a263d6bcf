"""Removes the tokens that a corpus does not need."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from tfcompress.errors import InputError
from tfcompress.layers.common.thawing import thawed
from tfcompress.models import Seq2SeqConfig, Seq2SeqTransformer
from tfcompress.surgery.keras_models import refuse_own
from tfcompress.surgery.rebuilding import rebuild
from tfcompress.text import Tokenizer, keep_pieces
from tfcompress.text.trimming import have_one_list, keep_shared_pieces


def trim_vocabulary(
    transformer: Seq2SeqTransformer,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    sources: Sequence[str],
    targets: Sequence[str],
    keep: Iterable[int] = (),
) -> tuple[Seq2SeqTransformer, Tokenizer, Tokenizer]:
    """Returns a model, and its tokenizers, with the tokens of a corpus only.

    Tokens of one character stay, so that other text can still be spelled. The corpus is tokenized
    as before, and every translation whose tokens all stay is still found, with the same logits.

    Args:
        transformer: A model with "factorized", "define" or "dextra" embeddings; it stays as it is.
        source_tokenizer: Tokenizer of the source.
        target_tokenizer: Tokenizer of the target; the same object where they share one. Two over
            one list of ids, as MarianMT's are, keep the pieces that either needs.
        sources: Source sentences of the corpus.
        targets: Their translations (better the model's own than references).
        keep: Ids of further target tokens to keep, such as those that the model produced: text
            may be cut into other pieces than it was made of.

    Returns:
        The smaller model and its two tokenizers, which are one object if they were.

    Raises:
        InputError: If the corpus is empty, a tokenizer is not the model's, or embeddings are
            adaptive (their bands follow the order of the vocabulary).

    Example:

    >>> smaller, tokenizer, _ = tfc.surgery.trim_vocabulary(
    ...     transformer, tokenizer, tokenizer, sources, targets
    ... )
    """
    refuse_own(
        transformer,
        "trim_vocabulary",
        "reads which rows of which tables belong to a tokenizer's tokens, which only "
        "this library's models tell. Take the rows of your tables yourself, with "
        "`tfcompress.text.keep_pieces` for the tokenizer.",
    )
    config = transformer.config
    if not isinstance(config, Seq2SeqConfig):
        raise InputError(
            "trim_vocabulary is for translation models. Received: a "
            f"{type(transformer).__name__}. Train one with a smaller tokenizer."
        )
    if config.embedding.layer_type == "adaptive":
        raise InputError(
            "The bands of adaptive embeddings follow the order of the vocabulary, so it cannot be "
            "trimmed. Received: layer_type='adaptive'."
        )
    keep = [*keep, *config.target_prefix]
    joint = source_tokenizer is target_tokenizer
    sizes = (config.source_vocabulary_size, config.target_vocabulary_size)
    for size, tokenizer in zip(sizes, (source_tokenizer, target_tokenizer)):
        if tokenizer.vocabulary_size != size:
            raise InputError(
                f"The tokenizer must have the model's {size} tokens. Received: one with "
                f"{tokenizer.vocabulary_size}. Pass the tokenizer that the model was trained with."
            )
    if config.embedding.share and not have_one_list(source_tokenizer, target_tokenizer):
        raise InputError(
            "A model with one table for both languages needs tokenizers with one list of ids. "
            "Received: two with different pieces. Pass those that the model was trained with."
        )
    if not len(sources) or not len(targets):
        raise InputError(
            "Trimming needs sentences to find the needed tokens in. Received: none. Give a corpus."
        )
    if joint:
        source_kept, new_source = keep_pieces(source_tokenizer, _Both(sources, targets), keep)
        target_kept, new_target = source_kept, new_source
    elif config.embedding.share:
        source_kept, new_source, new_target = keep_shared_pieces(
            source_tokenizer, target_tokenizer, sources, targets, keep
        )
        target_kept = source_kept
    else:
        source_kept, new_source = keep_pieces(source_tokenizer, sources)
        target_kept, new_target = keep_pieces(target_tokenizer, targets, keep)
    new_config = config.replace(
        source_vocabulary_size=len(source_kept),
        target_vocabulary_size=len(target_kept),
        pad_id=new_target.pad_id,
        bos_id=new_target.bos_id,
        eos_id=new_target.eos_id,
        target_prefix=tuple(
            np.flatnonzero(target_kept == id).item() for id in config.target_prefix
        ),
    )
    rows = {"source_embedding": source_kept}
    for name in ("embedding", "target_embedding", "output_embedding", "output_projection"):
        rows[name] = target_kept
    old = {layer.name: layer for layer in transformer.model.layers}

    def trim(layer):
        source = old[layer.name]
        with thawed(source), thawed(layer):
            size = sizes[layer.name != "source_embedding"]
            layer.set_weights(_chosen(source.get_weights(), size, rows[layer.name]))

    changed = {name: trim for name in rows if name in old}
    changed["source_word_ids"] = lambda layer: layer.set_word_starts(new_source.word_starts)
    return rebuild(transformer, new_config, changed=changed), new_source, new_target


class _Both:
    """The texts of two languages, one after the other, as often as they are gone through."""

    def __init__(self, *texts: Iterable[str]):
        self._texts = texts

    def __iter__(self) -> Iterator[str]:
        return chain(*self._texts)


def _chosen(weights: Iterable[np.ndarray], size: int, kept: np.ndarray) -> list[np.ndarray]:
    """Chooses rows of tables, columns of an output matrix, values of an output bias."""
    chosen = []
    for weight in weights:
        if weight.shape[0] == size:
            weight = weight[kept]
        elif weight.shape[-1] == size:
            weight = weight[..., kept]
        chosen.append(weight)
    return chosen
