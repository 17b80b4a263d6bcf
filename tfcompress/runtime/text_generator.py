"""Scores and continues texts with a bundle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.generation_options import GenerationOptions
from tfcompress.runtime.ids import check_range, refuse_id, whole_numbers
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.model import Model, Progress, check_text
from tfcompress.runtime.search import Hypothesis
from tfcompress.runtime.sentencepiece_file import load_sentencepiece
from tfcompress.text.characters import is_space

# What an incomplete character decodes to.
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Score:
    """How probable a text is.

    Attributes:
        ids: Its ids, the end id included.
        log_probabilities: Of each id after those before it, float32 `[ids]`.
        log_probability: Their sum.
    """

    ids: list[int]
    log_probabilities: np.ndarray
    log_probability: float

    @property
    def perplexity(self) -> float:
        """The power of e of the mean negative log-probability of an id."""
        return float(np.exp(-self.log_probability / len(self.ids)))


class TextGenerator(Model[LanguageModelBundle]):
    """Runs an exported language model; needs LiteRT, numpy and sentencepiece only.

    Arguments, attributes and errors are those of `Model`: `path`, `num_threads`, `native` and
    `verify`.

    Example:

    >>> with TextGenerator("phrases") as model:
    ...     text = model.generate("Where is", max_tokens=8)
    """

    bundle_class = LanguageModelBundle
    unit = "text"
    overlong = ("split", "error")

    def _load_tokenizers(self):
        self._tokenizer: Any = load_sentencepiece(self.bundle.tokenizer)
        # Whose turn it is: a stream ends when something else begins.
        self._uses = 0

    def generate(
        self,
        prompts: str | Sequence[str],
        *,
        max_tokens: int = 64,
        temperature: float = 0.0,
        top_k: int | None = None,
        seed: int | None = None,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        return_scores: bool = False,
        progress: Progress | None = None,
    ) -> str | list[str] | list[Hypothesis] | list[list[Hypothesis]]:
        """Continues texts: with the most probable tokens, drawn ones, or by beam search.

        Args:
            prompts: The texts, or a single one; an empty one begins a text.
            max_tokens: Most tokens to add, the end mark not counted; fewer where the bundle's limit
                leaves room for fewer.
            temperature: What logits are divided by before a token is drawn; 0 takes the most
                probable.
            top_k: With a temperature, of how many of the most probable tokens one is drawn; all by
                default.
            seed: With a temperature, the seed of the draws, for each text anew; by default another
                one each time.
            beam_size: Hypotheses that beam search keeps; 1 for no beam search.
            length_penalty: With beam search, the power of the length that a hypothesis'
                log-probability is divided by to get its score.
            n_best: Hypotheses to return for each text, at most `beam_size`.
            return_scores: Whether to return hypotheses with their scores instead of text.
            progress: Called after each text with the number done and the number of all.

        Returns:
            What follows each text, without the text itself; with `n_best` above 1 or
            `return_scores`, a list of hypotheses for each, best first. For a single text, its
            continuation or its list. Beam search ends what reaches the limit with the end mark.

        Raises:
            InputError: An option is impossible, a text is none or leaves no room, or the bundle has
                no tokenizer.
        """
        options = GenerationOptions(
            max_tokens,
            temperature=temperature,
            top_k=top_k,
            seed=seed,
            beam_size=beam_size,
            length_penalty=length_penalty,
            n_best=n_best,
        )
        rows = [(name, text, self._encode(name, text)) for name, text in self._named(prompts)]
        results: Any = []
        for done, (name, text, ids) in enumerate(rows, start=1):
            hypotheses = self._generate(name, ids, options)
            results.append(
                [replace(one, text=self._continuation(text, ids, one.ids)) for one in hypotheses]
            )
            if progress is not None:
                progress(done, len(rows))
        if not return_scores and n_best == 1:
            results = [hypotheses[0].text for hypotheses in results]
        return results[0] if isinstance(prompts, str) else results

    def generate_ids(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_tokens: int = 64,
        temperature: float = 0.0,
        top_k: int | None = None,
        seed: int | None = None,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        n_best: int = 1,
        return_scores: bool = False,
        progress: Progress | None = None,
    ) -> list[list[int]] | list[list[Hypothesis]]:
        """Continues texts that are tokenized already.

        Args:
            prompts: The ids of each text, without begin and end ids.
            max_tokens: As in `generate`, like all that follows.
            temperature: The temperature.
            top_k: How many tokens there are to draw from.
            seed: The seed of the draws.
            beam_size: Hypotheses that beam search keeps.
            length_penalty: The power of the length.
            n_best: Hypotheses to return.
            return_scores: Whether to return hypotheses.
            progress: What is called after each text.

        Returns:
            The ids that follow each text, without the end id; with `n_best` above 1 or
            `return_scores`, a list of hypotheses for each.

        Raises:
            InputError: An option is impossible, or a text has special ids, ids outside the
                vocabulary, or too many.
        """
        options = GenerationOptions(
            max_tokens,
            temperature=temperature,
            top_k=top_k,
            seed=seed,
            beam_size=beam_size,
            length_penalty=length_penalty,
            n_best=n_best,
        )
        rows = [(n, self._prompt(n, row)) for n, row in self._named_list(prompts, "lists of ids")]
        results: Any = []
        for done, (name, ids) in enumerate(rows, start=1):
            results.append(self._generate(name, ids, options))
            if progress is not None:
                progress(done, len(rows))
        if not return_scores and n_best == 1:
            results = [hypotheses[0].ids for hypotheses in results]
        return results

    def stream(
        self,
        prompt: str,
        *,
        max_tokens: int = 64,
        temperature: float = 0.0,
        top_k: int | None = None,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Continues a text and gives what follows piece by piece, as it is generated.

        The model may be used for other texts only when the stream has ended.

        Args:
            prompt: The text.
            max_tokens: As in `generate`, like all that follows.
            temperature: The temperature.
            top_k: How many tokens there are to draw from.
            seed: The seed of the draws.

        Returns:
            An iterator over pieces, which joined are what `generate` gives.

        Raises:
            InputError: As of `generate`; or the model was used for another text meanwhile.

        Example:

        >>> pieces = [*model.stream("Where is", max_tokens=4)]
        >>> "".join(pieces) == model.generate("Where is", max_tokens=4)
        True
        """
        options = GenerationOptions(max_tokens, temperature=temperature, top_k=top_k, seed=seed)
        ids = self._encode("the text", prompt)
        limit = self._limit("the text", ids, max_tokens)
        turn = self._begin(ids, options, limit)
        return self._pieces(prompt, ids, turn)

    def score(
        self,
        texts: str | Sequence[str],
        *,
        overlong: str = "split",
        progress: Progress | None = None,
    ) -> Score | list[Score]:
        """Says how probable texts are, end marks included.

        Args:
            texts: The texts, or a single one.
            overlong: What to do with a text of more tokens than the bundle's limit: "split" it
                into rows of that many tokens, each of which begins anew, or raise an "error".
            progress: Called after each text with the number done and the number of all.

        Returns:
            The score of each text, or of the single one.

        Raises:
            InputError: A text is none or too long, or the bundle has no tokenizer.

        Example:

        >>> model.score("Where is the station?").perplexity > 1
        True
        """
        self._check_overlong(overlong)
        rows = []
        for name, text in self._named(texts):
            ids = [*self._encode(name, text), self.bundle.ids.eos]
            if overlong == "error" and len(ids) > self.bundle.max_length:
                raise self._too_long(name, len(ids), "Shorten it, or set `overlong` to split")
            rows.append(ids)
        results = self._scores(rows, progress)
        return results[0] if isinstance(texts, str) else results

    def score_ids(self, rows: Sequence[Sequence[int]]) -> list[Score]:
        """Says how probable texts are that are tokenized already.

        Args:
            rows: The ids of each text, with its end id where that counts. A text of more ids than
                the bundle's limit is split into rows of that many.

        Raises:
            InputError: A text has no ids, those of padding or begin, or ids outside the vocabulary.
        """
        checked = []
        for name, row in self._named_list(rows, "lists of ids"):
            ids = self._ids(name, row)
            if not ids:
                raise InputError(f"A text must have ids. Received: {name} with none. Give some.")
            checked.append(ids)
        return self._scores(checked, None)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of texts, however long, without begin and end ids.

        Args:
            texts: The texts.

        Raises:
            InputError: The bundle has no tokenizer, or a text is none.
        """
        return [self._encode(name, text) for name, text in self._named_list(texts)]

    def _run(self, compute):
        def counted(engine):
            self._uses += 1
            return compute(engine)

        return super()._run(counted)

    def _encode(self, name: str, text: str) -> list[int]:
        if self._tokenizer is None:
            raise self._without_tokenizer("generate_ids or score_ids")
        check_text(name, text)
        return self._tokenizer.encode(text)

    def _ids(self, name, row):
        ids = whole_numbers(name, row)
        check_range(name, ids, self.bundle.vocabulary)
        refuse_id(name, ids, self.bundle.ids.pad, "padding")
        refuse_id(name, ids, self.bundle.ids.bos, "the begin id")
        return ids

    def _prompt(self, name, row):
        ids = self._ids(name, row)
        refuse_id(name, ids, self.bundle.ids.eos, "the end id")
        return ids

    def _limit(self, name, ids, max_tokens):
        """The most tokens to add, so that the text with its end mark is within the limit."""
        room = self.bundle.max_length - len(ids) - 1
        if room < 1:
            raise self._too_long(name, len(ids) + 2, "Shorten it")
        return min(max_tokens, room)

    def _too_long(self, name: str, count: int, remedy: str) -> InputError:
        return InputError(
            f"A text must fit the bundle's limit. Received: {count} tokens with what follows and "
            f"the end mark in {name}, limit={self.bundle.max_length}. {remedy}."
        )

    def _generate(self, name, ids, options) -> list[Hypothesis]:
        limit = self._limit(name, ids, options.max_tokens)
        if options.beam_size > 1:
            return self._run(
                lambda engine: engine.search(
                    ids,
                    max_tokens=limit,
                    beam_size=options.beam_size,
                    n_best=options.n_best,
                    length_penalty=options.length_penalty,
                )
            )

        def compute(engine):
            engine.begin(ids, options, limit)
            return [*iter(engine.next, None)]

        tokens, scores = [], []
        for token, log_probability in self._run(compute):
            tokens.append(token)
            scores.append(log_probability)
        total = sum(scores)
        score = total / len(scores) ** options.length_penalty
        ids = tokens[:-1] if tokens[-1] == self.bundle.ids.eos else tokens
        return [Hypothesis(ids, total, score, token_ids=tokens, token_scores=scores)]

    def _begin(self, ids, options, limit):
        self._run(lambda engine: engine.begin(ids, options, limit))
        return self._uses

    def _pieces(self, prompt, ids, turn):
        shown, tokens = "", []
        while (token := self._next(turn)) is not None:
            turn += 1
            tokens.append(token)
            text = self._continuation(prompt, ids, tokens)
            # A character may need several tokens.
            if text.startswith(shown) and not text.endswith(_REPLACEMENT) and text != shown:
                yield text[len(shown) :]
                shown = text
        text = self._continuation(prompt, ids, tokens)
        if text.startswith(shown) and text != shown:
            yield text[len(shown) :]

    def _next(self, turn):
        def compute(engine):
            if self._uses != turn + 1:
                raise InputError(
                    "A stream has the model to itself. Received: another text meanwhile. Make a "
                    "model for each stream, or end it first."
                )
            return engine.next()

        step = self._run(compute)
        return None if step is None or step[0] == self.bundle.ids.eos else step[0]

    def _continuation(self, prompt: str, ids: list[int], added: list[int]) -> str:
        """The text of what follows a prompt."""
        before, text = self._decode(ids), self._decode([*ids, *added])
        text = text[len(before) :] if text.startswith(before) else self._decode(added)
        # The space that the prompt ends with is no token.
        is_spaced = text.startswith(" ") and prompt != "" and is_space(prompt[-1])
        return text[1:] if is_spaced else text

    def _decode(self, ids):
        # A model's vocabulary may be padded beyond the tokenizer's.
        known = self._tokenizer.get_piece_size()
        return self._tokenizer.decode([token for token in ids if token < known]) or ""

    def _scores(self, rows: list[list[int]], progress) -> list[Score]:
        limit = self.bundle.max_length
        results: list[Any] = [None] * len(rows)
        # A length that follows another makes LiteRT plan anew, so equal lengths stand together.
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        for done, number in enumerate(order, start=1):
            ids = rows[number]
            parts = [ids[i : i + limit] for i in range(0, len(ids), limit)]
            scores = [self._run(lambda engine, part=part: engine.score(part)) for part in parts]
            values = np.concatenate(scores)
            results[number] = Score(ids, values, float(values.sum(dtype=np.float64)))
            if progress is not None:
                progress(done, len(rows))
        return results
