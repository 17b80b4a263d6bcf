import pytest

from tfcompress.errors import InputError
from tfcompress.training import distill_corpus

SOURCES = [f"sentence number {i}" for i in range(150)]


def teacher(batch):
    """Three translations of each sentence; the second is the longest."""
    return [[line.upper(), f"{line} or so", line] for line in batch]


def test_the_best_translation_is_taken_and_written(tmp_path):
    path = tmp_path / "made" / "teacher.de"
    lines = distill_corpus(teacher, SOURCES, path)
    assert lines == [line.upper() for line in SOURCES]
    assert path.read_text().splitlines() == lines


def test_the_translation_most_like_the_reference_is_taken(tmp_path):
    references = [f"{line} or so" if i % 2 else line for i, line in enumerate(SOURCES)]
    assert distill_corpus(teacher, SOURCES, tmp_path / "t", references=references) == references


class Killed(BaseException):
    pass


def test_goes_on_after_an_interruption(tmp_path):
    seen = []

    def interrupted(batch):
        if len(seen) == 1:
            raise Killed
        seen.append(len(batch))
        return teacher(batch)

    path = tmp_path / "teacher.de"
    with pytest.raises(Killed):
        distill_corpus(interrupted, SOURCES, path)
    assert not path.exists()
    journal = tmp_path / "teacher.de.journal"
    journal.write_text(journal.read_text() + "half of a li")
    counted = []
    again = distill_corpus(
        lambda batch: counted.append(len(batch)) or teacher(batch), SOURCES, path
    )
    assert again == [line.upper() for line in SOURCES]
    assert sum(counted) == len(SOURCES) - seen[0]
    assert distill_corpus(None, SOURCES, path) == again  # finished: nothing to translate


DAMAGES = {
    "another header": lambda data: b"x" + data[1:],
    "emptied": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "flipped": lambda data: data[:999] + bytes([data[999] ^ 1]) + data[1000:],
    "without a line": lambda data: b"".join(
        data.splitlines(True)[:40] + data.splitlines(True)[41:]
    ),
    "twice a line": lambda data: b"".join(data.splitlines(True)[:40] + data.splitlines(True)[39:]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["teacher.de", "teacher.de.journal"])
def test_what_is_damaged_is_made_again(tmp_path, name, damage):
    lines = distill_corpus(teacher, SOURCES, tmp_path / "teacher.de")
    path = tmp_path / name
    content = damage(path.read_bytes())
    path.write_bytes(content)
    if not content and path.suffix == ".journal":
        (tmp_path / "teacher.de").unlink()
    assert distill_corpus(teacher, SOURCES, tmp_path / "teacher.de") == lines
    assert (tmp_path / "teacher.de").read_text().splitlines() == lines


def test_a_finished_file_without_its_journal_is_left_alone(tmp_path):
    (tmp_path / "teacher.de").write_text("precious\n")
    with pytest.raises(InputError, match="its journal is not"):
        distill_corpus(teacher, SOURCES, tmp_path / "teacher.de")
    assert [path.name for path in tmp_path.iterdir()] == ["teacher.de"]


def test_a_file_is_for_one_process(tmp_path):
    def nested(batch):
        with pytest.raises(
            InputError, match=r"Another process works here\. Received: .*teacher.de"
        ):
            distill_corpus(teacher, SOURCES, tmp_path / "teacher.de")
        return teacher(batch)

    assert len(distill_corpus(nested, SOURCES, tmp_path / "teacher.de")) == len(SOURCES)


def test_a_teacher_that_loses_sentences(tmp_path):
    with pytest.raises(InputError, match="127 translations of 128 sentences"):
        distill_corpus(lambda batch: teacher(batch)[1:], SOURCES, tmp_path / "teacher.de")


@pytest.mark.parametrize(
    "changed", [{"sources": SOURCES[:-1]}, {"name": "another"}, {"references": SOURCES}]
)
def test_jobs_are_not_mixed(tmp_path, changed):
    path = tmp_path / "teacher.de"
    distill_corpus(teacher, SOURCES, path)
    settings = {"sources": SOURCES} | changed
    with pytest.raises(InputError, match="other sentences or another teacher"):
        distill_corpus(teacher, settings.pop("sources"), path, **settings)


def test_impossible(tmp_path):
    with pytest.raises(InputError, match="no sentences"):
        distill_corpus(teacher, [], tmp_path / "t")
    with pytest.raises(InputError, match="150 sentences and 3 references"):
        distill_corpus(teacher, SOURCES, tmp_path / "t", references=SOURCES[:3])
