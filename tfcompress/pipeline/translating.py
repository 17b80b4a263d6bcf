"""Translating many sentences, with several processes if need be."""

import contextlib
import dataclasses
import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.search_options import SearchOptions

if TYPE_CHECKING:
    from tfcompress.runtime import Hypothesis

_CHUNK = 128
# Sentences that are decoded side by side where many are translated.
BATCH_SIZE = 8


@dataclass(frozen=True)
class Translated:
    """A sentence with its translations.

    Attributes:
        number: The sentence's number, from 1.
        source: The sentence.
        hypotheses: Its translations, the best first.
        tokens: The pieces of each, with end marks, where they were asked for.
        source_tokens: Its own pieces, with end marks, where they were asked for and translations
            are aligned with them.
        limit: The model's limit, in tokens.
    """

    number: int
    source: str
    hypotheses: "list[Hypothesis]"
    tokens: list[list[str]]
    source_tokens: list[str] | None
    limit: int


def translate_sentences(
    bundle: str | Path | Sequence[str | Path],
    sentences: Iterable[str],
    *,
    engine: Engine | None = None,
    num_threads: int = 1,
    batch_size: int = 1,
    overlong: str = "split",
    place: str = "sentences",
    first: int = 1,
    with_tokens: bool = False,
    **search: Any,
) -> Iterator[Translated]:
    """Yields the translations of sentences, in their order, as they come.

    Args:
        bundle: The bundle's folder; or several, each of which translates what the one before gave.
        sentences: The sentences; they are read as far as they are needed.
        engine: Where to translate, entered; this process by default.
        num_threads: Threads of each process.
        batch_size: Sentences that are decoded side by side; with 1 in this process, each is
            translated as soon as it is read.
        overlong: "split" translates sentences beyond the model's limit in parts, "error" refuses
            them.
        place: What the sentences are called in errors, such as a file's name.
        first: The number of the first one.
        with_tokens: Whether the pieces of sentences and translations, and their alignments, are
            wanted too.
        **search: As `Translator.translate` takes it: `beam_size`, `length_penalty`, `n_best`,
            `target_prefix`, `banned_words`, `split_sentences`, `markup`.

    Raises:
        InputError: If the bundle or an option is wrong, a sentence cannot be translated, naming its
            number, or processes end.

    Example:

    >>> [best.number for best in translate_sentences("en-de", ["Two dogs play.", "It runs."])]
    [1, 2]
    """
    from tfcompress.runtime import open_bundle

    names = {field.name for field in dataclasses.fields(SearchOptions)}
    SearchOptions(**{name: value for name, value in search.items() if name in names})
    engine = engine or Engine()
    bundles = _paths(bundle)
    if not engine.is_local:
        for path in bundles:
            open_bundle(path)
    options = {
        **search,
        "overlong": overlong,
        "return_scores": True,
        "batch_size": batch_size,
    }
    translate = functools.partial(_translate, bundles, num_threads, place, options, with_tokens)
    # Without batches a sentence at a time in this process, as it may come from a keyboard.
    size = 1 if engine.is_local and batch_size == 1 else max(_CHUNK, 4 * batch_size)
    chunks = _chunks(sentences, first, size)
    # What is wrong with an option is no line's fault.
    chunks = itertools.chain([()], chunks)
    try:
        for results in engine.map(translate, chunks):
            yield from results
    finally:
        _translator.cache_clear()


def translate_n_best(
    bundle: str, search: dict[str, Any], sources: Sequence[str]
) -> list[list[str]]:
    """Returns the translations of each sentence, the best first, as `distill_corpus` takes them.

    Args:
        bundle: The bundle's folder.
        search: As `Translator.translate` takes it.
        sources: The sentences.
    """
    translator = _translator(_paths(bundle), 1)
    rows = translator.translate(sources, **search, return_scores=True, batch_size=BATCH_SIZE)
    return [[hypothesis.text for hypothesis in row] for row in rows]


def translation_job(bundle: str | Path | Sequence[str | Path], **settings: Any) -> str:
    """Returns what translations depend on beside the sentences, as a text.

    Args:
        bundle: The bundle's folder, or several.
        **settings: The search, and whatever else counts.
    """
    manifests = [(path / "manifest.json").read_text(encoding="utf-8") for path in _paths(bundle)]
    return " ".join([json.dumps(settings), *manifests])


def _paths(bundle) -> tuple[Path, ...]:
    bundles = [bundle] if isinstance(bundle, str | Path) else bundle
    return tuple(Path(path).absolute() for path in bundles)


def _chunks(sentences, first, size) -> Iterator[Sequence[tuple[int, str]]]:
    numbered = iter(enumerate(sentences, start=first))
    while chunk := list(itertools.islice(numbered, size)):
        yield chunk


@functools.lru_cache(maxsize=1)
def _translator(bundles, num_threads) -> Any:
    """The translator of a process, opened once."""
    from tfcompress.runtime import PivotTranslator, Translator

    translators = [Translator(path, num_threads=num_threads) for path in bundles]
    return translators[0] if len(translators) == 1 else PivotTranslator(translators)


def _translate(bundles, num_threads, place, options, with_tokens, chunk) -> list[Translated]:
    results, translator = [], _translator(bundles, num_threads)
    if not chunk:
        translator.translate([], **options)
    cut = {name: options[name] for name in {"split_sentences", "markup", "overlong"} & {*options}}
    translated = _translated(translator, options, place, chunk)
    for (number, source), rows in zip(chunk, translated):
        tokens, source_tokens = [], None
        if not with_tokens:
            # They would be large on their way from another process.
            rows = [dataclasses.replace(row, part_alignments=None) for row in rows]
        else:
            tokens = [translator.target_tokens(row) for row in rows]
            if translator.gives_alignments:
                source_tokens = translator.source_tokens(source, **cut)
        limit = translator.bundle.max_source_length
        results.append(Translated(number, source, rows, tokens, source_tokens, limit))
    return results


def _translated(translator, options, place, chunk) -> list[Any]:
    """Returns the hypotheses of each sentence."""
    if len(chunk) > 1:
        # What is wrong with a sentence is said below.
        with contextlib.suppress(InputError):
            return translator.translate([source for _, source in chunk], **options)
    results = []
    for number, source in chunk:
        try:
            results.append(translator.translate(source, **options))
        except InputError as error:
            line = f"{place}, line {number}"
            raise InputError(f"{line}: {error}") from None
    return results
