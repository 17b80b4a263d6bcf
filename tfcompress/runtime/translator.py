"""Translates text with a bundle."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack, overload

from tfcompress.errors import InputError
from tfcompress.runtime.constraints import Constraints, Surfaces, checked_bans
from tfcompress.runtime.given_constraints import id_constraints, text_constraints
from tfcompress.runtime.ids import source_ids
from tfcompress.runtime.joining import join_parts
from tfcompress.runtime.model import Model, Progress, check_text
from tfcompress.runtime.search import Hypothesis
from tfcompress.runtime.sentencepiece_file import load_sentencepiece
from tfcompress.runtime.source_texts import (
    MarkupText,
    PlainText,
    SourceIds,
    SourcePart,
    SourceText,
    TranslatedPart,
)
from tfcompress.runtime.splitting import split_lines, split_sentences, split_text
from tfcompress.runtime.target_codes import target_code, with_code
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.runtime.translation_options import TranslationOptions
from tfcompress.search_options import MAX_BATCH_SIZE, SearchOptions, check_count
from tfcompress.text.affixes import Affixes, read_affixes
from tfcompress.text.characters import is_blank

# So many batches of sentences are sorted together, as many that are of one length fill a batch.
_FILLED = 16


class _Options(TypedDict, total=False):
    target_prefix: str
    banned_words: Sequence[str]
    beam_size: int
    length_penalty: float
    max_length: int | None
    split_sentences: bool
    markup: bool
    overlong: str
    batch_size: int
    progress: Progress | None


class Translator(Model[TranslationBundle]):
    """Translates with an exported bundle; needs LiteRT, numpy and sentencepiece only.

    Arguments, attributes and errors are those of `Model`: `path`, `num_threads`, `native` and
    `verify`.

    Example:

    >>> with Translator("en-de") as translator:
    ...     translations = translator.translate(["Two dogs play."])
    """

    bundle_class = TranslationBundle
    unit = "sentence"
    overlong = ("split", "error")

    def _load_tokenizers(self):
        self._source: Any = load_sentencepiece(self.bundle.source_tokenizer)
        self._target: Any = self._source
        if self.bundle.target_tokenizer != self.bundle.source_tokenizer:
            self._target = load_sentencepiece(self.bundle.target_tokenizer)
        self._affixes = Affixes()
        if self._source is not None:
            self._affixes = read_affixes(self._source, f"tokenizer {self.bundle.source_tokenizer}")

    @overload
    def translate(
        self,
        sentences: str,
        *,
        n_best: Literal[1] = 1,
        return_scores: Literal[False] = False,
        **options: Unpack[_Options],
    ) -> str: ...
    @overload
    def translate(
        self,
        sentences: Sequence[str],
        *,
        n_best: Literal[1] = 1,
        return_scores: Literal[False] = False,
        **options: Unpack[_Options],
    ) -> list[str]: ...
    @overload
    def translate(
        self,
        sentences: str,
        *,
        n_best: int = 1,
        return_scores: Literal[True],
        **options: Unpack[_Options],
    ) -> list[Hypothesis]: ...
    @overload
    def translate(
        self,
        sentences: Sequence[str],
        *,
        n_best: int = 1,
        return_scores: Literal[True],
        **options: Unpack[_Options],
    ) -> list[list[Hypothesis]]: ...
    @overload
    def translate(
        self,
        sentences: str | Sequence[str],
        *,
        n_best: int = 1,
        return_scores: bool = False,
        **options: Unpack[_Options],
    ) -> Any: ...

    def translate(
        self,
        sentences: str | Sequence[str],
        *,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        max_length: int | None = None,
        target_prefix: str = "",
        banned_words: Sequence[str] = (),
        return_scores: bool = False,
        split_sentences: bool = False,
        markup: bool = False,
        overlong: str = "split",
        batch_size: int = 1,
        progress: Progress | None = None,
    ) -> str | list[str] | list[Hypothesis] | list[list[Hypothesis]]:
        """Translates sentences.

        Whatever the `batch_size`, sentences get the translations and scores that they get alone. A
        blank sentence (white space, control and format characters
        only) gives one empty hypothesis. Each line of a sentence is translated by itself, and the
        line breaks are kept; the space around a line does not count.

        Args:
            sentences: The sentences, or a single one.
            beam_size: Hypotheses that the search keeps, at most 1,000; 1 is greedy search.
            length_penalty: The power of the length that a hypothesis' log-probability is divided
                by to get its score, from -10 to 10; 0 favours short translations.
            n_best: Hypotheses to return for each sentence, at most `beam_size`.
            max_length: Most tokens of a translation, the end mark included, where fewer are
                wanted than the bundle's limit and twice the source's length plus 16.
            target_prefix: What every translation begins with, or the first part of it where a
                sentence is translated in parts. It goes on where the prefix ends, which may be
                within a word; the prefix counts for scores and `max_length`.
            banned_words: Words, or several in a row, that no translation has, in this spelling.
                They are looked for in the text, whatever tokens it is made of, between its ends,
                spaces, punctuation and characters of scripts without spaces. A token that would
                complete one is not taken, even where more letters might follow: with "dog",
                "dogs" is possible in one token but not in two.
            return_scores: Whether to return hypotheses with their scores instead of text.
            split_sentences: Whether to translate each sentence of a text by itself. The space and
                line breaks between them are kept.
            markup: Whether the texts are HTML, or XML whose elements are within sentences. Tags go
                around the translations of the words that they are around, and stay as they are.
                What a sentence cannot go beyond ends one, such as a paragraph or `<br>`; line
                breaks do only in `<pre>`. Scripts, code and `translate="no"` are not translated.
                Needs a bundle that was exported with `alignments`.
            overlong: What to do with a line of more tokens than the bundle's limit: "split" it at
                the end of each sentence, within a sentence that is too long between words, and
                translate the parts; or raise an "error".
            batch_size: How many sentences, or parts of them, are decoded side by side, at most
                1,024. Many take less time than one after another, and more memory. With a bundle
                whose decoder is one custom operation, these are of any lengths, otherwise of one,
                so that it takes many sentences to fill a batch.
            progress: Called after each sentence with the number done and the number of all.

        Returns:
            The translations in the order of the sentences. With `n_best` above 1 or
            `return_scores`, a list of hypotheses for each sentence, best first. For a single
            sentence, its translation or its list. Hypotheses of a sentence that was split join
            the parts' first best, second best and so on, as many as the part with the fewest has,
            and say how many `parts` there were.

        Raises:
            InputError: An option is impossible, a sentence is no text or too long, the prefix has
                characters that the tokenizer lacks or a banned word or leaves no room for the end,
                a tag has no end, or the bundle has no tokenizers or, for markup, no alignments.
        """
        options = SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        check_count("batch_size", batch_size, most=MAX_BATCH_SIZE)
        self._check_overlong(overlong)
        self._require_tokenizers()
        if markup:
            self._require_alignments()
        constraints = text_constraints(
            self._target_bundle, self._target, target_prefix, banned_words
        )
        self._check_prefix(constraints)
        jobs = [
            self._source_text(name, row, overlong, split_sentences, markup)
            for name, row in self._named(sentences)
        ]
        wants_hypotheses = return_scores or n_best > 1
        results: Any = self._translate(
            jobs,
            TranslationOptions(
                options,
                constraints,
                wants_hypotheses or markup,
                overlong,
                split_sentences,
                int(batch_size),
            ),
            progress,
        )
        if not wants_hypotheses:
            results = [hypotheses[0].text for hypotheses in results]
        return results[0] if isinstance(sentences, str) else results

    def translate_ids(
        self,
        sentences: Sequence[Sequence[int]],
        *,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        max_length: int | None = None,
        target_prefix: Sequence[int] = (),
        banned_words: Sequence[Sequence[int]] = (),
        return_scores: bool = False,
        batch_size: int = 1,
        progress: Progress | None = None,
    ) -> list[list[int]] | list[list[Hypothesis]]:
        """Translates sentences that are tokenized already.

        Args:
            sentences: Source ids of each sentence. The end id is added; where it stands at the end
                already, and padding after it, they are left out.
            beam_size: As in `translate`.
            length_penalty: As in `translate`.
            n_best: As in `translate`.
            max_length: As in `translate`.
            target_prefix: Ids that every translation begins with.
            banned_words: Sequences of ids that no translation has.
            return_scores: As in `translate`.
            batch_size: As in `translate`.
            progress: As in `translate`.

        Returns:
            The target ids of each sentence, without the end id; with `n_best` above 1 or
            `return_scores`, a list of hypotheses for each sentence. No ids give no ids.

        Raises:
            InputError: An option is impossible, or a sentence has ids outside the vocabulary or
                too many, or the ids of padding, begin or end elsewhere than at its end, or prefix
                or banned words have such ids.
        """
        options = SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        check_count("batch_size", batch_size, most=MAX_BATCH_SIZE)
        constraints = id_constraints(self._target_bundle, target_prefix, banned_words)
        self._check_prefix(constraints)
        jobs = [
            SourceIds(self._checked_ids(name, row))
            for name, row in self._named_list(sentences, "lists of ids")
        ]
        wants_hypotheses = return_scores or n_best > 1
        results: Any = self._translate(
            jobs,
            TranslationOptions(options, constraints, wants_hypotheses, batch_size=int(batch_size)),
            progress,
        )
        if not wants_hypotheses:
            results = [hypotheses[0].ids for hypotheses in results]
        return results

    def source_tokens(
        self,
        sentence: str,
        *,
        split_sentences: bool = False,
        markup: bool = False,
        overlong: str = "split",
    ) -> list[str]:
        """Returns the tokens of a sentence as `Hypothesis.alignment` counts them.

        Args:
            sentence: The sentence.
            split_sentences: As in `translate`.
            markup: As in `translate`.
            overlong: As in `translate`.

        Returns:
            The pieces, with the end mark of each part that the sentence is translated in.

        Raises:
            InputError: The sentence is no text or too long, or the bundle has no tokenizers.

        Example:

        >>> with Translator("en-de") as translator:
        ...     translator.source_tokens("Two dogs play.")[-1]
        '</s>'
        """
        self._check_overlong(overlong)
        self._require_tokenizers()
        end = self.bundle.ids.eos
        text = self._source_text("the text", sentence, overlong, split_sentences, markup)
        return [_piece(self._source, id) for part in text.parts for id in (*part.ids, end)]

    def target_tokens(self, hypothesis: Hypothesis) -> list[str]:
        """Returns the pieces of `Hypothesis.token_ids`.

        Args:
            hypothesis: A translation.

        Raises:
            InputError: The bundle has no tokenizers.

        Example:

        >>> with Translator("en-de") as translator:
        ...     best = translator.translate("Two dogs play.", return_scores=True)[0]
        ...     len(translator.target_tokens(best)) == len(best.token_scores)
        True
        """
        self._require_tokenizers()
        return [_piece(self._target, id) for id in hypothesis.token_ids]

    @property
    def gives_alignments(self) -> bool:
        """Whether translations are aligned with their sources."""
        return self.bundle.gives_alignments

    @property
    def _target_bundle(self) -> TranslationBundle:
        """The bundle whose target vocabulary translations have."""
        return self.bundle

    def _require_tokenizers(self):
        if self._source is None or self._target is None:
            raise self._without_tokenizer("translate_ids")

    def _require_alignments(self):
        if not self.bundle.gives_alignments:
            raise InputError(
                f"Markup needs a bundle with alignments. Received: {self.bundle.path} without. "
                "Export it with `alignments`."
            )

    def _check_prefix(self, constraints: Constraints):
        """Makes sure that it has no banned word, whether or not there is text to translate."""
        if constraints.target_prefix:
            checked_bans(constraints, lambda: self._surfaces)

    @functools.cached_property
    def _surfaces(self) -> Surfaces:
        return Surfaces(self._target, self._target_bundle.target_vocabulary)

    def _source_text(
        self, name: str, sentence: str, overlong: str, by_sentence: bool, markup: bool
    ) -> SourceText:
        check_text(name, sentence)

        code = ""

        def split(text):
            nonlocal code
            parts, code = self._parts(name, text, overlong, by_sentence, code)
            return parts

        if not markup:
            return PlainText(split(sentence))
        try:
            return MarkupText(sentence, split)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None

    def _parts(
        self, name: str, text: str, overlong: str, by_sentence: bool, code: str = ""
    ) -> tuple[list[SourcePart], str]:
        """Returns the parts of a text, none if it is blank, and the code that it leaves."""
        parts, at, skipped = [], 0, ""
        for breaks, line in split_sentences(text) if by_sentence else split_lines(text):
            own_code = self._known_code(line)
            code = own_code or code
            if own_code and is_blank(line.removeprefix(own_code)):
                skipped += breaks
                continue
            breaks, skipped = skipped + breaks if parts else "", ""
            for part in self._line_parts(name, line, overlong, code):
                at = text.index(part.text, at)
                parts.append(replace(part, breaks=breaks, begin=at))
                at += len(part.text)
                breaks = ""
        return parts, code

    def _known_code(self, line: str) -> str:
        """Returns the code that a line begins with, if it is one of the tokenizer's pieces."""
        code = target_code(line)
        pieces = map(self._source.id_to_piece, self._source.encode(code))
        return code if code in [piece.lstrip("\u2581") for piece in pieces] else ""

    def _line_parts(self, name: str, line: str, overlong: str, code: str) -> list[SourcePart]:
        def encode(text):
            return self._source_part(text, code)

        def fits(text):
            return self._fits(self._model_ids(self._source.encode(with_code(code, text))))

        whole = encode(line)
        if self._fits(whole.ids):
            parts = [whole]
        else:
            texts = split_text(line, fits) if overlong == "split" else None
            if texts is None:
                raise self._too_long(name, whole.ids, "Shorten it, or set `overlong` to split")
            parts = map(encode, texts)
        return [part for part in parts if part.ids]

    def _source_part(self, text: str, code: str) -> SourcePart:
        coded = with_code(code, text)
        if not self.bundle.gives_alignments:
            return SourcePart(self._model_ids(self._source.encode(coded)), text=text, code=code)
        encoded = self._source.encode(coded, return_type="offset_mapping")
        # What stands around the text is nowhere in it.
        added, end = len(coded) - len(text), len(text)
        tokens = [
            *[(0, 0)] * len(self._affixes.prefix),
            *((max(begin - added, 0), max(end - added, 0)) for begin, end in encoded["offsets"]),
            *[(end, end)] * len(self._affixes.suffix),
        ]
        return SourcePart(self._model_ids(encoded["ids"]), text=text, code=code, tokens=tokens)

    def _model_ids(self, ids: Sequence[int]) -> list[int]:
        # Pieces beyond the model's vocabulary count as unknown.
        limit, unknown = self.bundle.source_vocabulary, self._source.unk_id()
        return [id if id < limit else unknown for id in self._affixes.around(ids)]

    def _checked_ids(self, name: str, row: Sequence[int]) -> list[SourcePart]:
        ids = source_ids(name, row, self.bundle.ids, self.bundle.source_vocabulary)
        if not self._fits(ids):
            raise self._too_long(name, ids, "Shorten or split it")
        return [SourcePart(ids)] if ids else []

    def _fits(self, ids: Sequence[int]) -> bool:
        return len(ids) < self.bundle.max_source_length

    def _too_long(self, name: str, ids: Sequence[int], remedy: str) -> InputError:
        return InputError(
            f"A text must fit the bundle's limit. Received: {len(ids) + 1} tokens with the end "
            f"mark in {name}, limit={self.bundle.max_source_length}. {remedy}."
        )

    def _translate(
        self, jobs: Sequence[SourceText], options: TranslationOptions, progress: Progress | None
    ) -> list[list[Hypothesis]]:
        """Translates every text."""
        results = [[]] * len(jobs)
        lengths = [sum(len(part.ids) for part in job.parts) for job in jobs]
        # A length that follows another makes LiteRT plan anew, so equal lengths stand together.
        order = sorted(range(len(jobs)), key=lengths.__getitem__)
        size = 1 if options.batch_size == 1 else _FILLED * options.batch_size
        for start in range(0, len(jobs), size):
            numbers = order[start : start + size]
            translated = self._translate_texts([(jobs[number], options) for number in numbers])
            for done, (number, hypotheses) in enumerate(zip(numbers, translated), start=start + 1):
                results[number] = [hypothesis for hypothesis, _ in hypotheses]
                if progress is not None:
                    progress(done, len(jobs))
        return results

    def _translate_texts(
        self, texts: Sequence[tuple[SourceText, TranslationOptions]]
    ) -> list[list[tuple[Hypothesis, list[TranslatedPart]]]]:
        """Returns hypotheses of each text, best first, and what each is made of."""
        jobs = [
            # What a text begins with is in its first part.
            (part, options.without_prefix() if number else options)
            for text, options in texts
            for number, part in enumerate(text.parts)
        ]
        rows = iter(self._translate_parts(jobs))
        return [
            _joined(text, [next(rows) for _ in text.parts], options.search.length_penalty)
            for text, options in texts
        ]

    def _translate_parts(
        self, jobs: Sequence[tuple[SourcePart, TranslationOptions]]
    ) -> list[list[TranslatedPart]]:
        """Returns the translations of each part, best first."""
        found: list[list[Hypothesis]] = [[]] * len(jobs)
        # Those that begin texts may have a prefix.
        groups = {}
        for number, (_, options) in enumerate(jobs):
            groups.setdefault(bool(options.constraints.target_prefix), (options, []))[1].append(
                number
            )
        for options, numbers in groups.values():
            rows = [jobs[number][0].ids for number in numbers]
            for number, hypotheses in zip(numbers, self._searched(rows, options)):
                found[number] = hypotheses
        return [
            [self._decoded(part, hypothesis) for hypothesis in hypotheses]
            for (part, _), hypotheses in zip(jobs, found)
        ]

    def _searched(
        self, rows: Sequence[list[int]], options: TranslationOptions
    ) -> list[list[Hypothesis]]:
        search = options.search
        arguments: Any = {
            "beam_size": search.beam_size,
            "n_best": search.n_best,
            "max_length": search.max_length,
            "length_penalty": search.length_penalty,
            "with_scores": options.with_scores,
            "constraints": options.constraints,
        }
        size = options.batch_size
        if size == 1:
            return [self._run(lambda engine, r=row: engine.search(r, **arguments)) for row in rows]
        return self._run(lambda engine: engine.search_batch(rows, batch_size=size, **arguments))

    def _decoded(self, part: SourcePart, hypothesis: Hypothesis) -> TranslatedPart:
        if self._target is None or not part.text:
            return TranslatedPart(hypothesis)
        ids = hypothesis.ids
        hypothesis = replace(hypothesis, text=self._decode(ids))
        if hypothesis.alignment is None:
            return TranslatedPart(hypothesis)
        target = self._target.decode(self._known(ids), return_type="offset_mapping")
        rows = [row for row, token in enumerate(ids) if token < self._target.get_piece_size()]
        weights = hypothesis.alignment[[*rows, -1]]
        return TranslatedPart(hypothesis, part.tokens, target["offsets"], weights)

    def _decode(self, ids: Sequence[int]) -> str:
        return self._target.decode(self._known(ids)) or ""

    def _known(self, ids: Sequence[int]) -> list[int]:
        # A model's vocabulary may be padded beyond the tokenizer's.
        known = self._target.get_piece_size()
        return [token for token in ids if token < known]


def _joined(text, rows, length_penalty):
    """Joins what the parts of a text have at each rank."""
    if not rows:
        return [(Hypothesis([], 0.0, 0.0, text.join([])), [])]
    joined = [
        (join_parts([one.hypothesis for one in parts], text.join(parts), length_penalty), [*parts])
        for parts in zip(*rows)
    ]
    return sorted(joined, key=lambda one: -one[0].score)


def _piece(tokenizer, id):
    # A model's vocabulary may be padded beyond the tokenizer's.
    return tokenizer.id_to_piece(id if id < tokenizer.get_piece_size() else tokenizer.unk_id())
