"""Translates through other languages, with one bundle after another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.constraints import NO_CONSTRAINTS
from tfcompress.runtime.search import score
from tfcompress.runtime.source_texts import SourcePart, TranslatedPart, shifted
from tfcompress.runtime.splitting import separated
from tfcompress.runtime.tag_placement import shared_characters
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.runtime.translation_options import TranslationOptions
from tfcompress.runtime.translator import Translator


class PivotTranslator(Translator):
    """Translates what a translator gives with the next one, as German to English to French.

    It is used as `Translator` is. Each part of a text goes through all translators. With `n_best`
    above 1, so many translations of each translator are translated on, and the best of all that
    come out are returned, each text once. A hypothesis' `log_probability` is the sum of those of
    all translators, and `score` that by the last translation's length; ids, tokens, their scores
    and the quality are the last one's. Alignments are products: of how the last translation is
    aligned with the one before, and so on. Prefix, banned words and `max_length` are for the last
    translation.

    Args:
        translators: The translators, which this one closes.

    Attributes:
        translators: The translators.
        bundle: The first one's bundle.
        is_native: Whether the native runtime computes for all.

    Raises:
        InputError: There is none, or one is no translator.

    Example:

    >>> with PivotTranslator([Translator("en-de"), Translator("de-en")]) as translator:
    ...     translations = translator.translate(["Two dogs play."])
    """

    def __init__(self, translators: Sequence[Translator]):
        self.translators = list(translators)
        if not self.translators or not all(isinstance(one, Translator) for one in self.translators):
            names = ", ".join(type(one).__name__ for one in self.translators) or "none"
            raise InputError(
                f"`translators` must be a list of `Translator`. Received: {names}. Open each "
                "bundle with it."
            )
        self.bundle = self.translators[0].bundle
        self.is_native = all(one.is_native for one in self.translators)
        first, last = self.translators[0], self.translators[-1]
        self._source, self._affixes, self._target = first._source, first._affixes, last._target

    def close(self) -> None:
        """Frees the models. They cannot be used any more."""
        for translator in self.translators:
            translator.close()

    @property
    def gives_alignments(self) -> bool:
        """Whether translations are aligned with their sources."""
        return all(one.gives_alignments for one in self.translators)

    @property
    def _target_bundle(self) -> TranslationBundle:
        return self.translators[-1]._target_bundle

    def _require_tokenizers(self):
        for translator in self.translators:
            translator._require_tokenizers()

    def _require_alignments(self):
        for translator in self.translators:
            translator._require_alignments()

    def _translate_parts(
        self, jobs: Sequence[tuple[SourcePart, TranslationOptions]]
    ) -> list[list[TranslatedPart]]:
        self._require_tokenizers()
        first = [(part, self._of(0, options)) for part, options in jobs]
        translated = self.translators[0]._translate_parts(first)
        for number in range(1, len(self.translators)):
            firsts = [
                (one, self._of(number, options))
                for row, (_, options) in zip(translated, jobs)
                for one in row
            ]
            longer = iter(self._translated_on(firsts, number))
            translated = [
                _best([next(longer) for _ in row], options.search.n_best)
                for row, (_, options) in zip(translated, jobs)
            ]
        return translated

    def _of(self, number, options):
        """Returns the options of a translator."""
        if number == len(self.translators) - 1:
            return options
        search = replace(options.search, max_length=None)
        return replace(options, search=search, constraints=NO_CONSTRAINTS)

    def _translated_on(self, firsts, number):
        """Returns what a translator makes of translations, each as translations of its source."""
        translator = self.translators[number]
        name = f"the text for {translator.bundle.path}"
        sources = []
        for one, options in firsts:
            text = one.text or self.translators[number - 1]._decode(one.hypothesis.ids)
            cut = options.overlong, options.split_sentences, False
            sources.append((translator._source_text(name, text, *cut), options))
        return [
            [_continued(one, source, second, parts, options) for second, parts in seconds]
            for (one, options), (source, _), seconds in zip(
                firsts, sources, translator._translate_texts(sources)
            )
        ]


def _continued(first, source, second, parts, options):
    """Returns a translation's translation, which has these parts, as one of the first's source."""
    total = first.hypothesis.log_probability + second.log_probability
    hypothesis = replace(
        second,
        log_probability=total,
        score=score(total, len(second.token_ids), options.search.length_penalty),
        parts=1,
        part_alignments=None,
    )
    return _aligned(first, hypothesis, source.parts, parts)


def _best(rows, n_best):
    """Returns the best of all translations, each text once."""
    best: dict[str, TranslatedPart] = {}
    for longer in (one for row in rows for one in row):
        known = best.get(longer.text)
        if known is None or known.hypothesis.score < longer.hypothesis.score:
            best[longer.text] = longer
    return sorted(best.values(), key=lambda one: -one.hypothesis.score)[:n_best]


def _aligned(first, hypothesis, parts, translated):
    """Returns a translation's translation, aligned with the text by way of the first."""
    if first.weights is None or any(one.weights is None for one in translated):
        return TranslatedPart(hypothesis)
    spans, rows, at = [], [], 0
    # Where nothing is translated on, what ends the text is its end.
    all_rows, end_row = [first.weights[:0]], first.weights[-1:]
    pieces = separated((part.breaks, one.text) for part, one in zip(parts, translated))
    for part, one, (separator, piece) in zip(parts, translated, pieces):
        spans += shifted(one.target_tokens, at + len(separator))
        at += len(separator) + len(piece)
        tokens = shifted(one.source_tokens, part.begin)
        through = shared_characters(tokens, first.target_tokens) @ first.weights
        rows.append(one.weights[:-1] @ through)
        all_rows.append(one.hypothesis.alignment @ through)
        end_row = one.weights[-1:] @ through
    alignment = np.concatenate(all_rows).astype(np.float32)
    return TranslatedPart(
        replace(hypothesis, part_alignments=[alignment]),
        first.source_tokens,
        spans,
        np.concatenate([*rows, end_row]),
    )
