"""Several workers that train one model: real processes, found through TF_CONFIG."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tfcompress.errors import InputError
from tfcompress.training.meeting import Workers, meet, workers_from_environment

WORKER = Path(__file__).with_name("worker.py")
SETTINGS = {"updates": 6, "strategy": "multi_worker", "accumulate": 2}


def free_ports(count):
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def configuration(index, ports, host="localhost"):
    workers = [f"{host}:{port}" for port in ports]
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '{"cluster": {}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_workers_that_cannot_be_understood(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r"needs the workers in TF_CONFIG.*Received: .*Set it on"):
        workers_from_environment()


def test_a_chief_is_the_first_worker(monkeypatch):
    cluster = {"worker": ["b:1", "c:1"], "chief": ["a:1"]}
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert workers_from_environment() == Workers(("a:1", "b:1", "c:1"), 2)


def met(greetings, timeout=20.0):
    """What comes of workers that meet, None where all is well."""
    addresses = tuple(f"localhost:{port}" for port in free_ports(len(greetings)))
    outcomes: list = [None] * len(greetings)

    def worker(index):
        try:
            meet(Workers(addresses, index), greetings[index], timeout=timeout)
        except InputError as error:
            outcomes[index] = str(error)

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(len(greetings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for address in addresses:  # TensorFlow can have them.
        socket.create_server(("", int(address.split(":")[1]))).close()
    return outcomes


def test_workers_meet():
    assert met([{"keras": "3"}] * 3) == [None] * 3


def test_workers_of_other_versions_are_refused():
    one, other = met([{"keras": "3"}, {"keras": "2"}])
    assert "differ in keras. Received: keras 2 at worker 1, 3 here" in one
    assert "Received: keras 3 at worker 0, 2 here" in other


def test_a_worker_that_does_not_answer():
    first, second = free_ports(2)
    workers = Workers((f"localhost:{first}", f"localhost:{second}"), 0)
    with pytest.raises(InputError, match=rf"Received: worker 1 at localhost:{second}, for 0\.3 s"):
        meet(workers, {}, timeout=0.3)


def test_another_service_is_no_worker():
    (own,) = free_ports(1)
    with socket.create_server(("localhost", 0)) as other:
        threading.Thread(
            target=lambda: other.accept()[0].sendall(b"220 hello"), daemon=True
        ).start()
        address = f"localhost:{other.getsockname()[1]}"
        with pytest.raises(InputError, match=f"Received: worker 1 at {address}"):
            meet(Workers((f"localhost:{own}", address), 0), {}, timeout=0.5)


def start(folder, index, ports, settings):
    environment = os.environ | {"TF_CONFIG": configuration(index, ports)}
    command = [sys.executable, WORKER, folder / "run", folder / f"result-{index}"]
    with (folder / f"log-{index}").open("a") as log:
        return subprocess.Popen(
            [*command, json.dumps(settings)], env=environment, stdout=log, stderr=log
        )


def results(folder, index):
    with np.load(folder / f"result-{index}") as arrays:
        weights = list(arrays.values())
    return weights, json.loads((folder / f"result-{index}.json").read_text())


@pytest.mark.slow
def test_two_workers_train_as_one(tmp_path):
    ports = free_ports(2)
    (tmp_path / "alone").mkdir()
    alone = start(tmp_path / "alone", 0, ports, SETTINGS | {"strategy": "none"})
    workers = [start(tmp_path, index, ports, SETTINGS) for index in (0, 1)]
    assert [worker.wait() for worker in (alone, *workers)] == [0, 0, 0]
    (weights, history), (others, other_history) = (results(tmp_path, n) for n in (0, 1))
    assert history == other_history
    for one, other in zip(weights, others):
        np.testing.assert_array_equal(one, other)
    _, expected = results(tmp_path / "alone", 0)
    for entry, other in zip(history, expected, strict=True):
        assert entry == pytest.approx(other, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_that_dies_and_comes_back(tmp_path, index):
    """The training goes on from the last evaluation and ends as if nothing had been."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    ports, settings = free_ports(2), SETTINGS | {"die_at": 0}
    workers = [start(whole, n, ports, settings) for n in (0, 1)]
    assert [worker.wait() for worker in workers] == [0, 0]
    # Only the first one says how far it is: it dies, or the other is killed then.
    workers = [start(broken, n, ports, settings | {"die_at": 3 * (n == index)}) for n in (0, 1)]
    if index == 1:
        log = broken / "log-0"
        while "update 3 of 6" not in log.read_text():
            assert [worker.poll() for worker in workers] == [None, None], log.read_text()
        workers[1].kill()
    assert workers[index].wait() == -signal.SIGKILL
    assert workers[1 - index].wait() == 1
    assert "WorkerLostError" in (broken / f"log-{1 - index}").read_text()
    workers = [start(broken, n, ports, settings) for n in (0, 1)]
    assert [worker.wait() for worker in workers] == [0, 0]
    for number in (0, 1):
        weights, history = results(broken, number)
        expected, expected_history = results(whole, number)
        assert history == expected_history
        for one, other in zip(weights, expected):
            np.testing.assert_array_equal(one, other)
