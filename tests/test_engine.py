"""Work in several processes."""

import functools
import os
import signal
from pathlib import Path

import pytest
from flavours import one_flavour

from tfcompress.engine import Engine, EngineError
from tfcompress.errors import InputError
from tfcompress.journal import Journal

pytestmark = one_flavour


def square(number):
    return number * number


def killed_once(mark, number):
    if number == 7 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def always_killed(number):
    os.kill(os.getpid(), signal.SIGKILL)


def refused(number):
    raise InputError(f"Too large. Received: {number}. Give less.")


@pytest.fixture
def processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})


def test_in_this_process_pieces_are_read_as_results_are_asked_for():
    read = []
    with Engine() as engine:
        results = engine.map(square, (read.append(n) or n for n in range(9)))
        assert next(results) == 0
    assert read == [0]


@pytest.mark.slow
def test_a_dead_worker_s_piece_is_done_again(processors, tmp_path):
    with Engine(workers=2) as engine:
        work = functools.partial(killed_once, str(tmp_path / "mark"))
        assert [*engine.map(work, range(100))] == [n * n for n in range(100)]
        assert (tmp_path / "mark").exists()
        with pytest.raises(InputError, match="Received: 3"):
            [*engine.map(refused, [3])]
        with pytest.raises(EngineError, match="A piece of the work cannot be done"):
            [*engine.map(always_killed, [1])]


def test_a_cluster_that_does_not_answer(monkeypatch):
    monkeypatch.setattr("tfcompress.engine._TIMEOUT", 0.5)
    with pytest.raises(EngineError, match=r"Received: tcp://127\.0\.0\.1:9\. Give the address"):
        Engine(cluster="tcp://127.0.0.1:9").__enter__()
    with pytest.raises(EngineError, match="Received: nowhere"):
        Engine(cluster="nowhere://x").__enter__()


def test_processes_are_here_or_there(processors):
    with pytest.raises(InputError, match="Received: workers=2 and cluster="):
        Engine(workers=2, cluster="tcp://127.0.0.1:9")
    with pytest.raises(InputError, match=r"from 1 to the processors.*Received: 3"):
        Engine(workers=3)


def test_a_journal_has_what_is_whole(tmp_path):
    path = tmp_path / "j"
    texts = ["one", "", 'a\n"b"\tc', "d"]
    with Journal(path, "job") as journal:
        journal.append(texts)
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    with Journal(path, "job") as journal:
        assert [*journal] == texts[:3]
        journal.append(["e"])
        assert [*journal] == [*texts[:3], "e"]
    other = Journal(path, "another job")
    assert (other.is_other, other.count) == (True, 0)
    assert path.stat().st_size > len(content) - 10
    other.restart()
    assert (other.is_other, other.count) == (False, 0)
