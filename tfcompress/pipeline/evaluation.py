"""Quality of a bundle on a test set."""

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tfcompress.errors import InputError
from tfcompress.search_options import SearchOptions
from tfcompress.text.bleu import bootstrap_interval, check_tokenization, corpus_bleu


def evaluate(
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
        `bleu`, `interval` (95%, by bootstrap), `signature`, `sentences`, `beam_size` and the
        `translations`.

    Raises:
        InputError: If sources and references differ in number, or the bundle is damaged.

    Example:

    >>> tfc.pipeline.evaluate("bundle", ["a dog runs ."], ["ein hund rennt ."])["bleu"]
    100.0
    """
    from tfcompress.export.runtime import Translator

    SearchOptions(beam_size, length_penalty)
    check_tokenization(tokenize)
    if not sources or len(sources) != len(references):
        raise InputError(
            "sources and references must be equal in number and not empty; received "
            f"{len(sources)} and {len(references)}"
        )
    with Translator(bundle, num_threads=threads) as translator:
        translations = [
            translator.translate(source, beam_size=beam_size, length_penalty=length_penalty)
            for source in tqdm(sources, unit="sentence", disable=not progress, leave=False)
        ]
    options = {"tokenize": tokenize, "lowercase": lowercase}
    score = corpus_bleu(translations, references, **options)
    return {
        "bleu": score.score,
        "interval": list(bootstrap_interval(translations, references, **options)),
        "signature": score.signature,
        "sentences": len(sources),
        "beam_size": beam_size,
        "translations": translations,
    }
