import errno
import os

import pytest

from tfcompress.errors import InputError
from tfcompress.files import replace_file


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
