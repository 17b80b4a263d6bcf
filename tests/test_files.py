import errno
import os

import pytest

from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file
from tfcompress.models.marian_files.bergamot import read_bergamot
from tfcompress.models.marian_files.npz import read_npz
from tfcompress.text import Shortlist, Tokenizer, read_bergamot_shortlist


def test_replaces_whole_files(tmp_path):
    replace_file(tmp_path / "new" / "a", b"old")
    replace_file(tmp_path / "new" / "a", lambda file: file.write(b"new"))
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "new").iterdir()] == [("a", b"new")]


def test_a_folder_in_its_place(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"be written .*folder"):
        replace_file(tmp_path / "folder", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()], ids=repr
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    replace_file(tmp_path / "a", b"old")

    def fail(file):
        file.write(b"half")
        raise failure

    expected = InputError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as error:
        replace_file(tmp_path / "a", fail)
    if isinstance(failure, OSError):
        assert "No space left" in str(error.value)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_files_of_others_have_an_end_and_a_limit(tmp_path):
    good = tmp_path / "good.json"
    good.write_text('{"a": 1}')
    link, pipe, huge = tmp_path / "link.json", tmp_path / "pipe", tmp_path / "huge"
    link.symlink_to(good)
    assert read_json(link) == {"a": 1}
    os.mkfifo(pipe)
    huge.write_bytes(b"")
    os.truncate(huge, 2**34 + 1)
    link.unlink()
    link.symlink_to("/dev/zero")
    readers = (
        read_json,
        Tokenizer,
        Shortlist.read,
        lambda path: read_bergamot_shortlist(path, None, None),
        read_npz,
        read_bergamot,
    )
    for path, message in (
        (link, "Not a regular file"),
        (pipe, "Not a regular file"),
        (huge, "More than"),
    ):
        for read in readers:
            with pytest.raises(InputError, match=message) as error:
                read(path)
            assert path.name in str(error.value)
