import gzip

import numpy as np
import pytest
from text.text_corpus import PIECES, write_text_corpus

from tfcompress.errors import InputError
from tfcompress.text import LabelledTexts, WordPieceTokenizer, load_labelled_corpus

TOKENIZER = WordPieceTokenizer(PIECES)
TEXTS = ["the film is great .", "dull", "a very moving story and music", "weak plot"]


def test_a_folder_is_read(tmp_path):
    corpus = load_labelled_corpus(write_text_corpus(tmp_path))
    assert corpus.labels == ("0", "1")
    assert [len(corpus.splits[split][0]) for split in ("train", "valid", "test")] == [200, 40, 24]
    text, label = corpus.splits["train"][0][0], corpus.splits["train"][1][0]
    assert label == int(any(word in text for word in ("great", "fine", "moving")))


def test_the_digest_is_of_texts_and_labels(tmp_path):
    write_text_corpus(tmp_path)
    before = load_labelled_corpus(tmp_path).digest()
    assert load_labelled_corpus(tmp_path).digest() == before
    lines = (tmp_path / "dev.tsv").read_text().splitlines()
    lines[3] = lines[3][:-1] + "10"[int(lines[3][-1])]
    (tmp_path / "dev.tsv").write_text("\n".join(lines))
    assert load_labelled_corpus(tmp_path).digest() != before


def test_names_of_classes(tmp_path):
    for name in ("train", "valid"):
        content = gzip.compress(b"good one\tpraise\nbad one\tblame\n")
        (tmp_path / f"{name}.tsv.gz").write_bytes(content)
    assert load_labelled_corpus(tmp_path).labels == ("blame", "praise")
    corpus = load_labelled_corpus(tmp_path, labels=["praise", "blame"])
    assert corpus.splits == {split: (["good one", "bad one"], [0, 1]) for split in corpus.splits}
    assert set(corpus.splits) == {"train", "valid"}


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (("1", " 0", "1 "), ("0", "1")),
        (("2", "0"), ("0", "1", "2")),
        (("00", "01"), ("00", "01")),
        (("1", "\u0661"), ("1", "\u0661")),
        (("9" * 5000, "1"), ("1", "9" * 5000)),
    ],
)
def test_labels_as_they_are_found(labels, found, tmp_path):
    for name in ("train", "valid"):
        (tmp_path / f"{name}.tsv").write_text("".join(f"a text\t{one}\n" for one in labels))
    corpus = load_labelled_corpus(tmp_path)
    assert corpus.labels == found
    assert corpus.splits["train"][1] == [found.index(one.strip()) for one in labels]


def test_numbers_that_are_no_classes(tmp_path):
    for name in ("train", "valid"):
        (tmp_path / f"{name}.tsv").write_text("a text\t999999999\nanother\t7\n")
    with pytest.raises(InputError, match=r"at most 9,999 \(received 999999999\); name the labels"):
        load_labelled_corpus(tmp_path)
    assert load_labelled_corpus(tmp_path, labels=["7", "999999999"]).splits["train"][1] == [1, 0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a text\t \u00a0", r"dev\.tsv, of whose lines 1 is without label.*lines 2\)"),
        ("a text\t2", r"dev\.tsv, line 2, label '2'. Give one of 0, 1"),
        ("a text", r"dev\.tsv, line 2 with 1. Give text<TAB>label"),
        (" \t1", r"dev\.tsv, of whose lines 1 is without text.*lines 2\)"),
    ],
)
def test_wrong_lines(tmp_path, line, message):
    write_text_corpus(tmp_path)
    (tmp_path / "dev.tsv").write_text(f"fine\t1\n{line}\n")
    with pytest.raises(InputError, match=message):
        load_labelled_corpus(tmp_path)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="No such folder"):
        load_labelled_corpus(tmp_path / "none")
    write_text_corpus(tmp_path)
    (tmp_path / "dev.tsv").unlink()
    with pytest.raises(InputError, match=r"no valid file valid\.tsv"):
        load_labelled_corpus(tmp_path)
    (tmp_path / "valid.tsv").write_text("")
    with pytest.raises(InputError, match="has no examples"):
        load_labelled_corpus(tmp_path)


def test_batches():
    texts = LabelledTexts(TOKENIZER, TEXTS, [1, 0, 1, 0], max_length=6)
    assert texts.lengths.tolist() == [6, 3, 6, 4]
    assert texts.cut == 2
    inputs, labels = texts.batch(np.array([1, 2]))
    start, end, pad = TOKENIZER.start_id, TOKENIZER.end_id, TOKENIZER.pad_id
    expected = [start, *TOKENIZER.encode(["dull"])[0], end]
    # No text is padded beyond what the model takes.
    assert inputs["token_ids"][0].tolist() == expected + [pad] * 3
    assert inputs["token_ids"][1, 5] == end
    assert labels.tolist() == [0, 1]
    with pytest.raises(InputError, match="4 texts but 1 labels"):
        LabelledTexts(TOKENIZER, TEXTS, [1], max_length=6)
    with pytest.raises(InputError, match="no room for begin and end"):
        LabelledTexts(TOKENIZER, TEXTS, [1, 0, 1, 0], max_length=1)
    exact = LabelledTexts(TOKENIZER, TEXTS, [1, 0, 1, 0], max_length=int(texts.lengths.max()) + 90)
    again = LabelledTexts(TOKENIZER, TEXTS, [1, 0, 1, 0], max_length=int(exact.lengths.max()))
    assert exact.cut == again.cut == 0
    np.testing.assert_array_equal(again.lengths, exact.lengths)


def test_training_goes_on_where_it_was():
    texts = LabelledTexts(TOKENIZER, TEXTS * 5, [1, 0, 1, 0] * 5, max_length=16)

    def first(count, start):
        dataset = texts.training_dataset(batch_tokens=32, seed=1, start_step=start)
        return [labels.numpy().tolist() for _, labels in dataset.take(count)]

    assert first(20, 0)[7:] == first(13, 7)


def test_an_epoch_has_every_text_once():
    texts = LabelledTexts(TOKENIZER, TEXTS * 5, range(20), max_length=16)
    found = [labels.numpy() for _, labels in texts.evaluation_dataset(batch_tokens=32)]
    assert sorted(np.concatenate(found)) == [*range(20)]
    for inputs, _ in texts.evaluation_dataset(batch_tokens=32):
        assert inputs["token_ids"].shape[0] * inputs["token_ids"].shape[1] <= 32
    with pytest.raises(InputError, match="does not hold the longest"):
        texts.evaluation_dataset(batch_tokens=4)
