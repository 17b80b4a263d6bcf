"""What is wrong with a corpus, and its clean copy."""

import dataclasses
import gzip
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.commands import main
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text import (
    CorpusRules,
    check_corpus,
    clean_corpus,
    load_corpus,
    load_labelled_corpus,
)
from tfcompress.text.faults import Sides, example_fault

GOOD = [(f"The dog number {i} runs away .", f"Der Hund Nummer {i} rennt weg .") for i in range(60)]
BAD = {
    "empty": [("", "Ein Hund ."), ("A dog .", " \t"), ("\u3000\u200b", "x"), ("\ufeff", "\u2028")],
    "control": [("A\0dog", "Ein Hund"), ("A dog", "Ein \x1b Hund"), ("A \ufffd dog", "Ein Hund")],
    "too_long": [("word " * 201, "Wort " * 190), ("x" * 2001, "y" * 1990)],
    "ratio": [("Dogs .", "Die Hunde rennen weg und kommen nie wieder zu uns ."),
              ("There are very many dogs on the green grass here .", "Hunde .")],
    "script": [("Добрый день , собака", "Guten Tag , Hund ."), ("Good dog .", "狗在草地上跑步。")],
    "copied": [("The dog runs home .", "The dog runs  home .")],
    "duplicate": [GOOD[3], (GOOD[4][0] + " ", GOOD[4][1])],
}  # fmt: skip


def write(folder, splits, languages=("en", "de")):
    folder.mkdir(exist_ok=True)
    for split, pairs in splits.items():
        for side, language in enumerate(languages):
            lines = [pair[side] for pair in pairs]
            content = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
            (folder / f"{split}.{language}").write_bytes(content)
    return folder


@pytest.fixture
def corpus(tmp_path):
    pairs = GOOD + [pair for pairs in BAD.values() for pair in pairs]
    return write(tmp_path / "corpus", {"train": pairs, "valid": GOOD[:1], "test": GOOD[1:3]})


def test_every_kind_of_fault_is_found(corpus):
    report = check_corpus(corpus, source_language="en", target_language="de")
    expected = {fault: len(pairs) for fault, pairs in BAD.items()} | {"in_test": 3}
    train = report.splits["train"]
    assert train.faults == expected
    assert train.first["in_test"] == [1, 2, 3]
    assert train.first["empty"] == [61, 62, 63, 64]
    assert train.examples == train.good + sum(expected.values())
    assert report.splits["test"].faults == {}
    assert "4 empty: a side is blank (lines 61, 62, 63, 64)" in str(report)


def test_the_clean_copy_loads_and_is_clean(corpus, tmp_path):
    out = tmp_path / "clean"
    report = clean_corpus(corpus, out, source_language="en", target_language="de")
    clean = load_corpus(out, source_language="en", target_language="de")
    assert list(zip(*clean.splits["train"])) == GOOD[3:]
    assert list(zip(*clean.splits["test"])) == GOOD[1:3]
    assert not any(
        split.faults for split in check_corpus(out, source_language="en").splits.values()
    )
    assert json.loads((out / "report.json").read_text()) == report.to_dict()
    removed = (out / "removed.tsv").read_bytes().split(b"\n")[:-1]
    assert len(removed) == sum(report.splits["train"].faults.values())
    assert removed[0].startswith(b"train\t1\tin_test\tThe dog number 0")
    with pytest.raises(InputError, match="exists already"):
        clean_corpus(corpus, out)


class Stopping(Engine):
    """Judges some pieces, and then is interrupted."""

    def __init__(self, pieces=10**9):
        super().__init__()
        self.left, self.judged = pieces, 0

    def map(self, function, pieces):
        for result in super().map(function, pieces):
            if self.judged == self.left:
                raise KeyboardInterrupt
            self.judged += 1
            yield result


@pytest.mark.parametrize("pieces", [0, 1, 3, 4])
def test_an_interrupted_copy_goes_on(tmp_path, pieces):
    pairs = [(f"A dog {i} .", f"Ein Hund {i % 3000} .") for i in range(4500)] * 2
    folder = write(tmp_path / "corpus", {"train": pairs, "valid": GOOD, "test": GOOD[:5]})
    languages = {"source_language": "en", "target_language": "de"}
    expected = clean_corpus(folder, tmp_path / "whole", **languages)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        clean_corpus(folder, out, **languages, engine=Stopping(pieces))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "out.journal", "whole"]
    done, rest = [], Stopping()
    report = clean_corpus(
        folder, out, **languages, engine=rest, progress=lambda *now: done.append(now)
    )
    assert report == expected
    assert rest.judged == 7 - pieces
    assert done[-1] == (9065, 9065)
    for path in (tmp_path / "whole").iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "out", "whole"]


@pytest.mark.parametrize("change", ["a file", "the rules", "the journal"])
def test_a_copy_goes_on_with_the_same_only(tmp_path, change):
    folder = write(tmp_path / "corpus", {"train": GOOD, "valid": GOOD[:9], "test": GOOD[:5]})
    out, options = tmp_path / "out", {"source_language": "en", "target_language": "de"}
    with pytest.raises(KeyboardInterrupt):
        clean_corpus(folder, out, **options, engine=Stopping(2))
    if change == "a file":
        write(folder, {"valid": GOOD[:8]})
    elif change == "the rules":
        options["rules"] = CorpusRules(max_words=3)
    else:
        journal = tmp_path / "out.journal"
        journal.write_bytes(journal.read_bytes()[:-9])
    rest = Stopping()
    if change == "the rules":
        with pytest.raises(InputError, match="No line of train is good"):
            clean_corpus(folder, out, **options, engine=rest)
        assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
    else:
        report = clean_corpus(folder, out, **options, engine=rest)
        assert report == dataclasses.replace(check_corpus(folder, **options), corpus=str(folder))
    assert rest.judged == (2 if change == "the journal" else 3)


def test_test_sets_stay_what_they_are_but_for_broken_lines(tmp_path):
    test = [
        *GOOD[:2],
        GOOD[0],
        ("Yes .", "Ja , das ist wirklich ganz genau so richtig ."),
        ("", "x"),
    ]
    folder = write(tmp_path / "c", {"train": GOOD[5:], "valid": GOOD[:2], "test": test})
    report = check_corpus(folder, source_language="en", target_language="de")
    assert report.splits["test"].faults == {"empty": 1}


def test_other_encodings_and_compression(tmp_path):
    folder = write(tmp_path / "c", {"train": GOOD, "valid": GOOD[:1]})
    lines = (folder / "train.de").read_bytes().replace(b"Nummer 7 ", b"N\xfcmmer 7 ")
    (folder / "train.de").unlink()
    (folder / "train.de.gz").write_bytes(
        gzip.compress(b"\xef\xbb\xbf" + lines.replace(b"\n", b"\r\n"))
    )
    out = tmp_path / "out"
    report = clean_corpus(folder, out, source_language="en", target_language="de")
    assert report.splits["train"].faults == {"encoding": 1, "in_test": 1}
    assert report.splits["train"].first["encoding"] == [8]
    assert len(load_corpus(out, source_language="en").splits["train"][0]) == 58


def test_pairs_in_one_file(tmp_path):
    path = tmp_path / "some.en-de.tsv"
    rows = [*map("\t".join, GOOD), "no tab", "a\tb\tc", "", "\tx", "\t".join(GOOD[0])]
    path.write_text("\n".join(rows))
    report = clean_corpus(path, tmp_path / "out")
    assert report.splits["train"].faults == {"columns": 2, "empty": 2, "duplicate": 1}
    assert sum(len(s[0]) for s in load_corpus(tmp_path / "out" / path.name).splits.values()) == 60


def test_labelled_texts(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    rows = ["text\tlabel", "a good film\t1", "a bad film\t0", "a good film\t1", "a good film\t0",
            "\t1", "no label", "fine\t1", "a test\t1", "плохой фильм\t0"]  # fmt: skip
    (folder / "train.tsv").write_text("\n".join(rows))
    (folder / "dev.tsv").write_text("another\t1\na good film\t1\n")
    (folder / "test.tsv").write_text("a test\t1\na test\t0\n")
    report = clean_corpus(folder, tmp_path / "out")
    expected = {"columns": 1, "empty": 1, "script": 1, "label": 1, "duplicate": 1, "in_test": 2}
    assert report.splits["train"].faults == expected
    assert report.splits["train"].first["columns"] == [7]
    assert report.splits["test"].faults == {}
    assert load_labelled_corpus(tmp_path / "out").splits["train"] == (
        ["a bad film", "fine"],
        [0, 1],
    )


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=20))
def test_what_is_left_is_good(tmp_path_factory, pairs):
    pairs = [tuple(side.replace("\n", " ").replace("\r", " ") for side in pair) for pair in pairs]
    pairs += GOOD[: len(pairs)]
    random.Random(0).shuffle(pairs)
    splits = {"train": pairs, "valid": GOOD[-1:]}
    folder = write(tmp_path_factory.mktemp("c") / "c", splits)
    out = folder.with_name("out")
    languages = {"source_language": "en", "target_language": "de"}
    rules = CorpusRules(max_ratio=1e9, scripts=False)
    report = clean_corpus(folder, out, rules=rules, **languages)
    clean = load_corpus(out, **languages).splits["train"]
    assert len(clean[0]) == report.splits["train"].good
    left = list(zip(*clean))
    assert len(set(left)) == len(left)
    places = [pairs.index(pair) for pair in left]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (("Yes .", "Ja , natürlich ."), None),
        (("OK , yes", "да , ok"), None),
        (("NATO , 2024 !", "NATO , 2024 !"), None),
        (("1 2 3 4 5", "1 2 3 4 5"), None),
        (("\uff26\uff55\uff4c\uff4c width", "Volle Breite"), None),
    ],
)
def test_what_is_no_fault(texts, fault):
    assert example_fault(texts, Sides(("LATIN", "LATIN")), CorpusRules()) == fault


def test_lengths_are_relative_to_the_languages(tmp_path):
    """Chinese has a third of the characters of English."""
    pairs = [
        (f"This is a sentence about a dog and {i} cats .", f"这是关于{i}只猫的句子。")
        for i in range(50)
    ]
    folder = write(tmp_path / "c", {"train": pairs, "valid": pairs[:1]}, ("en", "zh"))
    report = check_corpus(folder, source_language="en", target_language="zh")
    assert report.splits["train"].faults == {"in_test": 1}


def test_bad_input(tmp_path, capsys):
    folder = write(tmp_path / "c", {"train": GOOD, "valid": [("", "")]})
    out = str(tmp_path / "out")
    (tmp_path / "cut.en-de.tsv.gz").write_bytes(gzip.compress(b"a\tb\n" * 1000)[:-10])
    for arguments, message in [
        (["check", str(tmp_path / "none")], "does not exist"),
        (["check", str(tmp_path / "cut.en-de.tsv.gz")], "gzip file is damaged"),
        (["check", str(folder), "--max-ratio", "nan"], "`max_ratio` must be at least 1"),
        (["check", str(folder), "--max-words", "0"], "`max_words` must be at least 1"),
        (["clean", str(folder), out, "--source-language", "en"], "No line of valid is good"),
        (["clean", str(folder), str(folder)], "exists already"),
        (["clean", str(folder), "/proc/out"], "be written"),
    ]:
        assert main(["corpus", *arguments]) == 2
        assert message in capsys.readouterr().err
    (folder / "train.de").write_text("x\n")
    assert main(["corpus", "check", str(folder), "--source-language", "en"]) == 2
    assert "60 lines," in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "cut.en-de.tsv.gz"]


def test_the_command(corpus, tmp_path, capsys):
    languages = ["--source-language", "en", "--target-language", "de"]
    assert main(["corpus", "check", str(corpus), *languages, "--json", "--any-script"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["splits"]["train"]["faults"]["empty"] == 4
    assert "script" not in report["splits"]["train"]["faults"]
    assert main(["corpus", "clean", str(corpus), str(tmp_path / "out"), *languages]) == 0
    assert "test: 2 of 2 lines are good" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rules", "message"),
    [({"max_words": "9"}, "`max_words` must be a whole number"), ({"max_words": 0}, "at least 1")],
)
def test_impossible_rules(rules, message):
    with pytest.raises(InputError, match=message):
        CorpusRules(**rules)
