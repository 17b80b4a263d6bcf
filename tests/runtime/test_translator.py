import random
import shutil
import threading

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import MAX_SOURCE, sentences

from tfcompress.errors import InputError
from tfcompress.runtime import Hypothesis, Translator, open_engine
from tfcompress.text import Tokenizer

pytestmark = one_flavour


@pytest.fixture(scope="module")
def translator(bundle):
    with Translator(bundle) as with_model:
        yield with_model


@pytest.fixture(scope="module")
def plain(plain_bundle):
    with Translator(plain_bundle) as with_model:
        yield with_model


def long_sentence(words):
    return " ".join(["dogs"] * words) + "."


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_batch_is_its_sentences(bundle, translator, beam_size):
    batch = [*sentences(12, seed=4), "", "two dogs", *sentences(3, seed=5)]
    together = translator.translate(batch, beam_size=beam_size)
    assert together == [translator.translate(one, beam_size=beam_size) for one in batch]
    with Translator(bundle) as fresh:
        assert together[::-1] == fresh.translate(batch[::-1], beam_size=beam_size)
    assert len({*together}) > 4


def test_text_is_tokenized_searched_and_joined(bundle, translator):
    tokenizer = Tokenizer(bundle / "tokenizer.model")
    batch = sentences(6)
    ids = translator.translate_ids(tokenizer.encode(batch))
    assert tokenizer.decode(ids) == translator.translate(batch)


def test_hypotheses(translator):
    batch = sentences(5, seed=1)
    actual = translator.translate(batch, beam_size=4, n_best=3)
    assert [len(hypotheses) for hypotheses in actual] == [3] * 5
    for hypotheses in actual:
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.ids) for hypothesis in hypotheses}) == 3
        for one in hypotheses:
            assert one.score == pytest.approx(one.log_probability / (len(one.ids) + 1))
            assert one.text is not None
            assert one.alignment is None
    best = translator.translate(batch, beam_size=4)
    assert [hypotheses[0].text for hypotheses in actual] == best
    scored = translator.translate(batch, beam_size=4, return_scores=True)
    assert scored == [hypotheses[:1] for hypotheses in actual]
    assert translator.translate(batch[0], beam_size=4, n_best=3) == actual[0]


def test_scores_of_greedy_search(translator):
    batch = sentences(5, seed=2)
    actual = translator.translate(batch, return_scores=True)
    assert [hypotheses[0].text for hypotheses in actual] == translator.translate(batch)
    assert all(hypotheses[0].log_probability < 0 for hypotheses in actual)


def test_ids_without_a_tokenizer(plain):
    rows = [[5, 6, 7], [], [8, 9]]
    actual = plain.translate_ids(rows)
    assert actual == [plain.translate_ids([row])[0] for row in rows]
    assert actual[1] == []
    assert any(actual)
    scored = plain.translate_ids(rows, beam_size=2, n_best=2)
    assert [len(hypotheses) for hypotheses in scored] == [2, 1, 2]
    assert scored[0][0].text is None
    with pytest.raises(InputError, match=r"Texts need a bundle with a tokenizer\. .*Use tra"):
        plain.translate(["two dogs"])


def test_length_penalty_prefers_longer(translator):
    batch = sentences(8, seed=3)
    lengths = [
        sum(
            len(hypotheses[0].ids)
            for hypotheses in translator.translate(
                batch, beam_size=4, length_penalty=penalty, return_scores=True
            )
        )
        for penalty in (0, 1.0, 3.0)
    ]
    # Random weights may never end a sentence; then all have the greatest length.
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("beam_size", [1, 2])
def test_max_length(translator, beam_size):
    batch = sentences(6, seed=6)
    free = translator.translate(batch, beam_size=beam_size, return_scores=True)
    assert max(len(hypotheses[0].ids) for hypotheses in free) > 3
    bound = translator.translate(batch, beam_size=beam_size, return_scores=True, max_length=3)
    assert max(len(hypotheses[0].ids) for hypotheses in bound) == 2
    ids = translator.translate_ids([[5, 6]], beam_size=beam_size, max_length=1)
    assert ids == [[]]


def test_threads_change_nothing(bundle, translator):
    batch = sentences(10, seed=7)
    with Translator(bundle, num_threads=2) as other:
        for beam_size in (1, 4):
            expected = translator.translate(batch, beam_size=beam_size)
            assert other.translate(batch, beam_size=beam_size) == expected


def test_callers_in_several_threads_take_turns(translator):
    batches = [sentences(6, seed=seed) for seed in range(4)]
    expected = [translator.translate(batch, beam_size=2) for batch in batches]
    actual = [None] * 4

    def work(number):
        actual[number] = translator.translate(batches[number], beam_size=2)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert actual == expected


BLANK = ["", " ", "\n\t ", "\u00a0", "\u3000", "\u200b", "\u2028", "\ufeff", "\0\x85\u2060\u200d"]


@pytest.mark.parametrize("blank", BLANK)
def test_blank_sentences(translator, blank):
    assert translator.translate(blank) == ""
    assert translator.translate(["two dogs", blank])[1] == ""
    assert translator.translate([blank], return_scores=True) == [[Hypothesis([], 0.0, 0.0, "")]]


def test_no_sentences(translator):
    assert translator.translate([]) == []
    assert translator.translate_ids([]) == []


def test_overlong_sentences_are_split(translator, bundle):
    tokenizer = Tokenizer(bundle / "tokenizer.model")
    parts = [f"the man sees a red {noun}." for noun in ("ball", "park", "dog") * 13]
    text = " ".join(parts)
    assert max(map(len, tokenizer.encode(parts))) < MAX_SOURCE <= len(tokenizer.encode([text])[0])
    for beam_size in (1, 3):
        expected = " ".join(filter(None, translator.translate(parts, beam_size=beam_size)))
        assert translator.translate(text, beam_size=beam_size) == expected
    actual = translator.translate(text, beam_size=3, n_best=2)
    alone = translator.translate(parts, beam_size=3, n_best=2)
    for joined, *hypotheses in zip(actual, *alone):
        assert joined.ids == [token for one in hypotheses for token in one.ids]
        total = sum(one.log_probability for one in hypotheses)
        assert joined.log_probability == pytest.approx(total)
        assert joined.score == pytest.approx(total / (len(joined.ids) + len(parts)))
        assert joined.parts == len(parts)
    assert {one.parts for hypotheses in alone for one in hypotheses} == {1}


@pytest.mark.parametrize("length", [1, 30])
def test_lines_are_translated_by_themselves(translator, length):
    """Whether they fit together or not."""
    one, other = " ".join(sentences(length, seed=8)), " ".join(sentences(length, seed=9))
    first, second = translator.translate([one, other])
    assert first
    assert second
    for breaks in ("\n", "\n\n", "\r\n"):
        text = f"\ufeff{one}{breaks}\u3000{other}\t{breaks}"
        assert translator.translate(text) == f"{first}{breaks}{second}"
    # Nothing else ends a line.
    assert "\n" not in translator.translate(f"{one}\u2028{other}\x85{one}\x0b{other}\r{one}")


@pytest.mark.parametrize("text", [long_sentence(200), "dogs" * 80, "a b. " * 100])
def test_nothing_overlong_is_cut(translator, text, monkeypatch):
    asked = []
    search = translator._engine.search

    def noted(ids, **options):
        asked.append(ids)
        return search(ids, **options)

    monkeypatch.setattr(translator._engine, "search", noted)
    translator.translate(text)
    assert max(map(len, asked)) < MAX_SOURCE
    pieces = [translator._source.decode(ids).replace(" ", "") for ids in asked]
    assert "".join(pieces) == text.replace(" ", "")


def test_overlong_sentences_may_be_errors(translator):
    text = long_sentence(60)
    count = len(translator._source.encode(text)) + 1
    with pytest.raises(InputError) as error:
        translator.translate(["two dogs", text], overlong="error")
    for part in ("sentence 1", f"{count} tokens", f"limit={MAX_SOURCE}", "`overlong` to split"):
        assert part in str(error.value)
    with pytest.raises(InputError, match=rf"{count} tokens .* in the text,"):
        translator.translate(f"two dogs\n{text}", overlong="error")
    with pytest.raises(InputError, match=f"41 tokens.* in sentence 0, limit={MAX_SOURCE}"):
        translator.translate_ids([[5] * MAX_SOURCE])
    assert len(translator.translate_ids([[5] * (MAX_SOURCE - 1)])) == 1


def test_progress(translator):
    seen = []
    batch = [*sentences(4), "", long_sentence(100)]
    translator.translate(batch, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam_size": 0}, "beam_size=0"),
        ({"beam_size": 1.5}, "beam_size=1.5"),
        ({"beam_size": True}, "beam_size=True"),
        ({"beam_size": 1001}, "must be a whole number from 1 to 1,000. Received: beam_size=1001"),
        ({"beam_size": 10**6}, "beam_size=1000000"),
        ({"beam_size": 2**32 + 1}, "beam_size=4294967297"),
        ({"n_best": 2**32 + 1}, "n_best=4294967297"),
        ({"max_length": -1}, "max_length=-1"),
        ({"max_length": True}, "max_length=True"),
        ({"length_penalty": float("inf")}, "length_penalty=inf"),
        ({"length_penalty": True}, "length_penalty=True"),
        ({"n_best": 0}, "n_best=0"),
        ({"n_best": 3, "beam_size": 2}, "Received: n_best=3, beam_size=2"),
        ({"max_length": 0}, "max_length=0"),
        ({"max_length": "9"}, "max_length='9'"),
        ({"length_penalty": "1"}, "length_penalty='1'"),
        ({"length_penalty": float("nan")}, "length_penalty=nan"),
        ({"length_penalty": 1e6}, "number from -10 to 10. Received: length_penalty=1000000.0"),
        ({"overlong": "cut"}, "`overlong` must be 'split' or 'error'. Received: 'cut'"),
    ],
)
def test_impossible_options_are_named(translator, options, message):
    for translate, batch in (translator.translate, ["two dogs"]), (translator.translate_ids, [[5]]):
        if "overlong" in options and batch == [[5]]:
            continue
        with pytest.raises(InputError) as error:
            translate(batch, **options)
        assert message in str(error.value)
    if "overlong" not in options:
        with pytest.raises(InputError):
            translator._engine.search([5], **options)


def test_the_greatest_options(translator):
    options = {"beam_size": 1000, "n_best": 3, "length_penalty": 10, "return_scores": True}
    (actual,) = translator.translate(["two dogs"], **options, max_length=4)
    assert len(actual) == 3
    for max_length in (2**31, 2**32, 10**30):
        (longest,) = translator.translate_ids([[5, 6]], max_length=max_length)
        assert [longest] == translator.translate_ids([[5, 6]])


@pytest.mark.parametrize("num_threads", [0, -1, 1.5, True, "2", 1025, 2**32 + 1])
def test_impossible_thread_counts(bundle, num_threads):
    with pytest.raises(InputError, match="num_threads="):
        Translator(bundle, num_threads=num_threads)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (["two dogs", 5], "string. Received: int as sentence 1"),
        ([None], "NoneType as sentence 0"),
        ([b"two dogs"], "bytes as sentence 0"),
        (b"two dogs", "`sentences` must be a list of strings. Received: bytes"),
        (5, "`sentences` must be a list of strings. Received: int"),
        (["ok", "half \ud83d"], "lone surrogate. Received: '\\ud83d' in sentence 1"),
    ],
)
def test_what_is_no_text(translator, sentences, message):
    with pytest.raises(InputError) as error:
        translator.translate(sentences)
    assert message in str(error.value)


PAD, BOS, EOS = 0, 1, 2


@pytest.mark.parametrize(
    ("row", "clean"),
    [
        ([5, 6, PAD, PAD], [5, 6]),
        ([5, 6, EOS], [5, 6]),
        ([5, 6, EOS, PAD, PAD, PAD], [5, 6]),
        (np.array([5, 6, EOS, PAD]), [5, 6]),
        (np.array([5, 6], np.uint8), [5, 6]),
        ((5, 6), [5, 6]),
        ([EOS], []),
        ([PAD, PAD], []),
        (np.zeros(0, np.int32), []),
        ([5] * (MAX_SOURCE - 1) + [EOS] + [PAD] * 50, [5] * (MAX_SOURCE - 1)),
    ],
)
def test_the_end_of_a_row_is_not_translated(plain, row, clean):
    assert (plain.bundle.ids.pad, plain.bundle.ids.bos, plain.bundle.ids.eos) == (PAD, BOS, EOS)
    assert plain.translate_ids([row], beam_size=2) == plain.translate_ids([clean], beam_size=2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[5, 113]], "from 0 to 112. Received: 5 to 113 in sentence 0"),
        ([[5], [-1]], "Received: -1 to -1 in sentence 1"),
        ([[5, 2**31]], "Received: 5 to 2147483648 in sentence 0"),
        ([[5, 2**70]], " as sentence 0"),
        ([[5], [1.5]], " as sentence 1"),
        ([[5.0, 6.0]], " as sentence 0"),
        ([[True, False]], " as sentence 0"),
        ([[5, True]], " as sentence 0"),
        ([[5, None]], " as sentence 0"),
        ([None], " as sentence 0"),
        ([""], " as sentence 0"),
        ([[[5], [6, 7]]], " as sentence 0"),
        ([[[]]], " as sentence 0"),
        ([["5"]], " as sentence 0"),
        ([5, 6], " as sentence 0"),
        (5, "must be a list of lists of ids"),
        ([[5], [5, PAD, 6]], "padding (0) at place 1 of sentence 1"),
        ([[PAD, 5]], "padding (0) at place 0 of sentence 0"),
        ([[5, PAD, EOS]], "padding (0) at place 1 of sentence 0"),
        ([[5, EOS, 6]], "the end id (2) at place 1 of sentence 0"),
        ([[5, EOS, EOS]], "the end id (2) at place 1 of sentence 0"),
        ([[BOS, 5]], "the begin id (1) at place 0 of sentence 0"),
    ],
)
def test_what_are_no_ids(plain, rows, message):
    with pytest.raises(InputError) as error:
        plain.translate_ids(rows)
    assert message in str(error.value)


def test_native_where_there_is_none(plain, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    with pytest.raises(InputError, match="native runtime, which is not built"):
        open_engine(plain.bundle, native=True)


def test_closed_translators(bundle):
    translator = Translator(bundle)
    translator.close()
    translator.close()
    with pytest.raises(InputError, match="closed"):
        translator.translate("two dogs")


def test_a_translator_may_move(bundle, tmp_path, translator):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    with Translator(str(copy)) as other:
        shutil.rmtree(copy)
        assert other.translate("two dogs play.") == translator.translate("two dogs play.")


@settings(max_examples=40)
@given(st.text(max_size=60) | st.text("two dogs.", max_size=200), st.integers(1, 3))
def test_any_text(translator, text, beam_size):
    translation = translator.translate(text, beam_size=beam_size)
    assert isinstance(translation, str)
    if not text.strip():
        assert translation == ""


def test_shuffled_sentences_of_all_lengths(translator):
    batch = [long_sentence(words) for words in range(1, 30)]
    expected = dict(zip(batch, translator.translate(batch)))
    random.Random(0).shuffle(batch)
    assert translator.translate(batch) == [expected[sentence] for sentence in batch]
