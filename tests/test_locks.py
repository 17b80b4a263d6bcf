"""One process a folder, whatever becomes of it."""

import os
import signal
import subprocess
import sys

import pytest

from tfcompress.digests import (
    CorruptFileError,
    check_file,
    describe_file,
    read_checked_json,
    write_checked_json,
)
from tfcompress.errors import InputError
from tfcompress.files import remove_leftovers
from tfcompress.locks import FolderLock, holder

HOLD = """
import sys
from tfcompress.locks import FolderLock
with FolderLock(sys.argv[1], "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def process(tmp_path):
    """A process that holds a lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / ".lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_another_process_is_named(process, tmp_path):
    lock = tmp_path / ".lock"
    assert holder(lock).startswith(f"process {process.pid} on ")
    with pytest.raises(InputError, match=rf"run, with process {process.pid} on "):
        FolderLock(lock, "run").__enter__()


@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "ended"])
def test_a_lock_ends_with_its_process(process, tmp_path, end):
    lock = tmp_path / ".lock"
    if end is None:
        process.stdin.close()
    else:
        process.send_signal(end)
    process.wait()
    assert holder(lock) is None
    assert lock.exists() == (end is not None)
    with FolderLock(lock, "run"):
        assert holder(lock).startswith(f"process {os.getpid()} on ")
    assert not lock.exists()


def test_a_lock_that_cannot_be(tmp_path):
    with pytest.raises(InputError, match=r"There can be no lock\. Received: .*No such file"):
        FolderLock(tmp_path / "none" / ".lock", "run").__enter__()


def test_leftovers(tmp_path):
    names = [".run.json.abc_1234", ".gitignore", "run.json", ".other.abcdefgh", ".lock"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".model.01234567" / "new").mkdir(parents=True)
    assert [path.name for path in remove_leftovers(tmp_path, "run.json")] == [names[0]]
    assert {path.name for path in remove_leftovers(tmp_path)} == {names[3], ".model.01234567"}
    assert {path.name for path in tmp_path.iterdir()} == {".gitignore", "run.json", ".lock"}


def test_a_file_that_is_not_as_it_was(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"0123456789")
    expected = describe_file(path)
    check_file(path, expected)
    for content, message in [(b"01234", "truncated"), (b"0123456780", "corrupt"), (b"", "trunc")]:
        path.write_bytes(content)
        with pytest.raises(CorruptFileError, match=f"weights is {message}"):
            check_file(path, expected)
    path.unlink()
    with pytest.raises(CorruptFileError, match="weights is missing"):
        check_file(path, expected)
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        check_file(path, expected)


def test_json_with_its_digest(tmp_path):
    path = tmp_path / "note.json"
    write_checked_json(path, {"text": "ü\udcff", "rows": (1, 2.5, None)})
    assert read_checked_json(path) == {"text": "ü\udcff", "rows": [1, 2.5, None]}
    path.write_text(path.read_text().replace("2.5", "2.6"))
    with pytest.raises(CorruptFileError, match=r"note\.json is corrupt"):
        read_checked_json(path)
    for content in (b"", b"[]", b"null", b"{", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(CorruptFileError):
            read_checked_json(path)
