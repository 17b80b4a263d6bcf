"""Quality of a translation bundle on a test set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfcompress.errors import InputError
from tfcompress.pipeline.overlong import warn_overlong
from tfcompress.pipeline.translating import BATCH_SIZE
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
    num_threads: int = 1,
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
        num_threads: Threads of the runtime.
        progress: Whether to show a progress bar on standard error, if that is a terminal.

    Returns:
        `bleu`, `interval` (95%, by bootstrap), `signature`, `examples` (their number), `beam_size`,
        `length_penalty`, the `translations`, and `overlong`, the numbers (from 1) of the sentences
        that were translated in parts, which a warning says too.

    Raises:
        InputError: If sources and references differ in number, or the bundle is damaged.

    Example:

    >>> tfc.pipeline.evaluate_translation("en-de", ["a dog ."], ["ein hund ."])["bleu"] <= 100
    True
    """
    from tfcompress.runtime import Translator

    SearchOptions(beam_size, length_penalty=length_penalty)
    check_tokenization(tokenize)
    if not sources or len(sources) != len(references):
        raise InputError(
            "`sources` and `references` must be equal in number and not empty. Received: "
            f"{len(sources)} and {len(references)}."
        )
    with Translator(bundle, num_threads=num_threads) as translator:
        limit = translator.bundle.max_source_length
        with tqdm(
            total=len(sources), unit="sentence", disable=None if progress else True, leave=False
        ) as bar:

            def show(done: int, count: int) -> None:
                bar.update(done - bar.n)

            rows: list[Any] = translator.translate(
                sources,
                beam_size=beam_size,
                length_penalty=length_penalty,
                return_scores=True,
                batch_size=BATCH_SIZE,
                progress=show,
            )
    hypotheses = [row[0] for row in rows]
    translations = [best.text for best in hypotheses]
    overlong = [number for number, best in enumerate(hypotheses, start=1) if best.parts > 1]
    consequence = f"translated in parts, as they have more tokens with their end than {limit}"
    warn_overlong(overlong, len(sources), "sentences", consequence)
    options = {"tokenize": tokenize, "lowercase": lowercase}
    score = corpus_bleu(translations, references, **options)
    return {
        "bleu": score.score,
        "interval": list(bootstrap_interval(translations, references, **options)),
        "signature": score.signature,
        "examples": len(sources),
        "beam_size": beam_size,
        "length_penalty": length_penalty,
        "translations": translations,
        "overlong": overlong,
    }
