import gzip
from collections import Counter

import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text.characters import is_blank
from tfcompress.text.corpora import Corpus, load_corpus
from tfcompress.text.lines import read_lines

pytestmark = one_flavour

SOURCES = ["a dog", "two dogs", "a cat"]
TARGETS = ["ein hund", "zwei hunde", "eine katze"]

lines = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t\ufeff"), min_size=1).filter(
    lambda line: not is_blank(line)
)
pairs = st.lists(st.tuples(lines, lines), min_size=3, unique_by=lambda pair: pair[0])


def write(path, sentences, end="\n"):
    data = "".join(sentence + end for sentence in sentences).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_corpus(folder, stems=("train", "valid", "test"), ending=""):
    folder.mkdir(exist_ok=True)
    for stem in stems:
        write(folder / f"{stem}.en{ending}", SOURCES)
        write(folder / f"{stem}.de{ending}", TARGETS)
    return folder


def write_tsv(path, rows):
    return write(path, ["\t".join(row) for row in rows])


@pytest.mark.parametrize("name", ["plain.en", "compressed.en.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@given(sentences=st.lists(lines))
def test_lines_end_at_newlines_and_nowhere_else(tmp_path_factory, name, end, sentences):
    path = tmp_path_factory.getbasetemp() / name
    assert read_lines(write(path, sentences, end)) == sentences


def test_other_separators_stay_in_the_line(tmp_path):
    path = tmp_path / "a.en"
    path.write_bytes("\ufeffone\u2028line\x0b\x0c\x85\rhere\nlast".encode())
    assert read_lines(path) == ["one\u2028line\x0b\x0c\x85\rhere", "last"]


def test_invalid_utf8_names_file_and_line(tmp_path):
    path = tmp_path / "a.en"
    path.write_bytes(b"good\ngood\nbad \xff\n")
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 0xff\). Received: .*a\.en, line 3"):
        read_lines(path)


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b"two dogs\n" * 99, mtime=0)[:-12]])
def test_damaged_gzip_is_reported(tmp_path, data):
    path = tmp_path / "a.en.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match="gzip file is damaged"):
        read_lines(path)


def test_missing_file_and_folder_in_its_place_are_reported(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_lines(tmp_path / "a.en")
    with pytest.raises(InputError, match="cannot be read"):
        read_lines(tmp_path)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_folder(tmp_path, ending):
    folder = write_corpus(tmp_path / "dogs", ending=ending)
    corpus = load_corpus(folder, source_language="en")
    assert corpus == Corpus(
        "dogs", "en", "de", dict.fromkeys(("train", "valid", "test"), (SOURCES, TARGETS))
    )
    reverse = load_corpus(folder, target_language="en")
    assert reverse.source_language == "de"
    assert reverse.splits["valid"] == (TARGETS, SOURCES)


def test_folder_with_other_stems(tmp_path):
    stems = {"train": "train.lc.tok", "valid": "dev.lc.tok", "test": "test_2016.lc.tok"}
    folder = write_corpus(tmp_path, stems.values(), ending=".gz")
    assert set(load_corpus(folder, source_language="de", **stems).splits) == set(stems)


def test_val_stands_for_valid_and_test_is_optional(tmp_path):
    folder = write_corpus(tmp_path, ["train", "val"])
    corpus = load_corpus(folder, source_language="en", target_language="de")
    assert set(corpus.splits) == {"train", "valid"}


def test_direction_from_the_folder_name(tmp_path):
    corpus = load_corpus(write_corpus(tmp_path / "dogs.de-en"))
    assert (corpus.source_language, corpus.target_language) == ("de", "en")


def test_unclear_languages_are_reported_with_what_was_found(tmp_path):
    folder = write_corpus(tmp_path / "dogs")
    with pytest.raises(InputError, match=r"files present: de, en;.*Give both languages"):
        load_corpus(folder)
    write(folder / "train.fr", ["un chien"] * 3)
    with pytest.raises(InputError, match="files present: de, en, fr;"):
        load_corpus(folder, source_language="en")
    with pytest.raises(InputError, match="en for both"):
        load_corpus(folder, source_language="en", target_language="en")


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        (["train.de"], r"no train file train\.de"),
        (["valid.en"], r"no valid file valid\.en"),
        (["valid.en", "valid.de"], r"no valid file valid\.en"),
        (["test.de"], r"no test file test\.de"),
    ],
)
def test_missing_files_are_reported(tmp_path, removed, message):
    folder = write_corpus(tmp_path)
    for name in removed:
        (folder / name).unlink()
    with pytest.raises(InputError, match=message):
        load_corpus(folder, source_language="en", target_language="de")


def test_folder_without_training_files_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"no training files named train\.LANGUAGE"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ein hund\n", r"train\.en with 3 lines, .*train\.de with 1"),
        (
            "ein hund\n \u2003\nx\n",
            r"train\.de, of whose lines 1 is blank.*lines 2\).*corpus clean",
        ),
        ("", r"The file is empty.*train\.de"),
    ],
)
def test_sides_that_do_not_match_are_reported(tmp_path, content, message):
    folder = write_corpus(tmp_path)
    (folder / "train.de").write_text(content)
    with pytest.raises(InputError, match=message):
        load_corpus(folder, source_language="en", target_language="de")


def test_path_that_is_no_corpus_is_reported(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_corpus(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"neither a folder nor a \.tsv"):
        load_corpus(write(tmp_path / "a.csv", SOURCES))


@given(rows=pairs, repeated=st.integers(0, 5), data=st.data())
def test_tsv_splits_keep_every_pair_and_share_no_source(tmp_path_factory, rows, repeated, data):
    rows = rows + [(source, target + "!") for source, target in rows[:repeated]]
    path = tmp_path_factory.getbasetemp() / "corpus.en-de.tsv"
    corpus = load_corpus(write_tsv(path, rows))
    splits = {split: list(zip(*sides)) for split, sides in corpus.splits.items()}
    assert Counter(pair for split in splits.values() for pair in split) == Counter(rows)
    sources = {split: {source for source, _ in pairs} for split, pairs in splits.items()}
    assert all(sources.values())
    assert sum(map(len, sources.values())) == len({source for source, _ in rows})
    shuffled = load_corpus(write_tsv(path, data.draw(st.permutations(rows))))
    assert {split: set(sides[0]) for split, sides in shuffled.splits.items()} == sources


def test_tsv_gives_a_hundredth_to_validation_and_test(tmp_path):
    rows = [(f"source {number}", f"target {number}") for number in range(1000)]
    corpus = load_corpus(write_tsv(tmp_path / "numbers.en-de.tsv.gz", rows))
    sizes = {split: len(sides[0]) for split, sides in corpus.splits.items()}
    assert sizes == {"train": 980, "valid": 10, "test": 10}
    assert (corpus.name, corpus.source_language) == ("numbers.en-de", "en")
    # Fixed for ever, so that splits are the same on every machine.
    assert corpus.splits["valid"][0][:3] == ["source 30", "source 64", "source 146"]
    assert corpus.digest() == "86ced3286aab8c57"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\nc d\n", r"of whose lines 1 is no pair.*lines 2\)"),
        ("a\tb\nc\td\te\n", r"of whose lines 1 is no pair.*lines 2\)"),
        ("a\tb\n\nc\td\n", r"of whose lines 1 is no pair.*lines 2\)"),
        ("a\tb\nc\t \n", r"blank on one side.*lines 2\)"),
        ("\tb\n", r"blank on one side.*lines 1\)"),
        ("", "file is empty"),
        ("a\tb\na\tc\nb\td\n", "at least 3 distinct source sentences. Received: 2"),
    ],
)
def test_bad_tsv_is_reported(tmp_path, content, message):
    path = tmp_path / "pairs.tsv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        load_corpus(path, source_language="en", target_language="de")


def test_tsv_without_languages_is_reported(tmp_path):
    path = write_tsv(tmp_path / "pairs.tsv", zip(SOURCES, TARGETS))
    with pytest.raises(InputError, match="target language is not given"):
        load_corpus(path, source_language="en")


def test_digest_follows_content_and_direction():
    def digest(source="en", target="de", train=(["a b"], ["c"])):
        return Corpus("name", source, target, {"train": train}).digest()

    assert digest() == digest()
    assert len(digest()) == 16
    others = [
        digest("de", "en"),
        digest(train=(["a  b"], ["c"])),
        digest(train=(["a", "b"], ["c", "c"])),
        digest(train=(["c"], ["a b"])),
    ]
    assert len({digest(), *others}) == 5
