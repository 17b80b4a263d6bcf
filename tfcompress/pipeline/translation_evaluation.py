"""Quality of a translation bundle on a test set."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tfcompress.errors import InputError, InputWarning
from tfcompress.search_options import SearchOptions
from tfcompress.text.bleu import bootstrap_interval, check_tokenization, corpus_bleu


def evaluate_translation(
    bundle: str | Path,
    sources: Sequence[str],
    references: Sequence[str],
    *,
    beam_size: int = 5,
    length_penalty: float = 1.0,
    tokenize: str = "13a",
    lowercase: bool = False,
    threads: int = 1,
    progress: bool = False,
) -> dict:
    """Translates with a bundle and scores the result with sacrebleu.

    Args:
        bundle: The bundle's folder.
        sources: Source sentences.
        references: Their reference translations.
        beam_size: Beam; 1 is greedy search.
        length_penalty: Exponent of the length that scores are divided by.
        tokenize: sacrebleu's tokenization.
        lowercase: Whether case is ignored.
        threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error.

    Returns:
        `bleu`, `interval` (95%, by bootstrap), `signature`, `sentences`, `beam_size`, the
        `translations`, and `split`, the numbers (from 1) of the sentences that were translated in
        parts, which a warning says too.

    Raises:
        InputError: If sources and references differ in number, or the bundle is damaged.

    Example:

    >>> tfc.pipeline.evaluate_translation("bundle", ["a dog runs ."], ["ein hund rennt ."])["bleu"]
    100.0
    """
    from tfcompress.runtime import Translator

    SearchOptions(beam_size, length_penalty)
    check_tokenization(tokenize)
    if not sources or len(sources) != len(references):
        raise InputError(
            "sources and references must be equal in number and not empty; received "
            f"{len(sources)} and {len(references)}"
        )
    with Translator(bundle, num_threads=threads) as translator:
        limit = translator.bundle.max_source_length
        search = {"beam_size": beam_size, "length_penalty": length_penalty, "return_scores": True}
        found = [
            translator.translate(source, **search)[0]
            for source in tqdm(sources, unit="sentence", disable=not progress, leave=False)
        ]
    translations = [best.text for best in found]
    split = [number for number, best in enumerate(found, start=1) if best.parts > 1]
    if split:
        shown = ", ".join(map(str, split[:10])) + (", ..." if len(split) > 10 else "")
        warnings.warn(
            f"{len(split):,} of {len(sources):,} sentences are translated in parts, as they have "
            f"more tokens with their end than {limit} (lines {shown})",
            InputWarning,
            stacklevel=2,
        )
    options = {"tokenize": tokenize, "lowercase": lowercase}
    score = corpus_bleu(translations, references, **options)
    return {
        "bleu": score.score,
        "interval": list(bootstrap_interval(translations, references, **options)),
        "signature": score.signature,
        "sentences": len(sources),
        "beam_size": beam_size,
        "translations": translations,
        "split": split,
    }
