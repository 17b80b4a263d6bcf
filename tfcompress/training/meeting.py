"""Workers that train together find each other, before TensorFlow, which would wait for an hour."""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfcompress.errors import InputError

_VARIABLE = "TF_CONFIG"
_EXAMPLE = (
    'Set it on every machine as in {"cluster": {"worker": ["one:2222", "two:2222"]}, "task": '
    '{"type": "worker", "index": 0}}.'
)
_MOST_BYTES = 1 << 16
# A connection, and between two tries.
_PATIENCE, _PAUSE = 2.0, 0.1


class _WrongError(Exception):
    """What is wrong with the variable."""


@dataclass(frozen=True)
class Workers:
    """Who trains together.

    Attributes:
        addresses: The workers' addresses, the first one's first: the worker that writes.
        index: Which of them this process is.
    """

    addresses: tuple[str, ...]
    index: int


def workers_from_environment() -> Workers:
    """Returns the workers that TF_CONFIG names.

    Raises:
        InputError: If it is not set, or cannot be understood.
    """
    text = os.environ.get(_VARIABLE, "")
    try:
        content = json.loads(text)
        cluster = content["cluster"]
        unknown = set(cluster) - {"chief", "worker"}
        if unknown:
            raise _WrongError(f"{', '.join(sorted(unknown))} beside chief and worker")
        members = [
            (job, n) for job in ("chief", "worker") for n, _ in enumerate(cluster.get(job, ()))
        ]
        addresses = tuple(cluster[job][n] for job, n in members)
        for address in addresses:
            _split(address)
        if len(set(addresses)) < len(addresses):
            raise _WrongError("an address twice")
        task = content["task"]
        index = members.index((task["type"], int(task["index"])))
    except (_WrongError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"`strategy` multi_worker needs the workers in {_VARIABLE} ({error}). Received: "
            f"{text or 'nothing'}. {_EXAMPLE}"
        ) from None
    return Workers(addresses, index)


def meet(workers: Workers, greeting: Mapping[str, Any], *, timeout: float) -> None:
    """Waits until all workers are there, and makes sure that their greetings are alike.

    Args:
        workers: The workers.
        greeting: What all must have alike, by name, as JSON can hold it.
        timeout: Seconds to wait.

    Raises:
        InputError: If one does not answer in time or differs, or this one's address is taken.
    """
    deadline = time.monotonic() + timeout
    others = {n: address for n, address in enumerate(workers.addresses) if n != workers.index}
    answers: dict[int, dict] = {}
    with _listening(workers.addresses[workers.index], deadline) as listener:
        asked: set[int] = set()
        server = threading.Thread(target=_serve, args=(listener, greeting, asked), daemon=True)
        server.start()
        try:
            while len(answers) < len(others) or not asked >= set(others):
                for number, address in others.items():
                    if (
                        number not in answers
                        and (answer := _ask(address, workers.index)) is not None
                    ):
                        answers[number] = answer
                if time.monotonic() > deadline:
                    missing = [n for n in others if n not in answers or n not in asked]
                    names = ", ".join(f"worker {n} at {others[n]}" for n in missing)
                    raise InputError(
                        f"A worker does not answer. Received: {names}, for {timeout:g} seconds. "
                        "Start the same command there, or see that its address can be reached."
                    )
                time.sleep(_PAUSE)
        finally:  # TensorFlow's server needs the port.
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
    for number, answer in answers.items():
        differing = [name for name, value in greeting.items() if answer.get(name) != value]
        if differing:
            name = differing[0]
            raise InputError(
                f"The workers differ in {', '.join(differing)}. Received: {name} "
                f"{answer.get(name)} at worker {number}, {greeting[name]} here. Make them alike."
            )


def _split(address) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise _WrongError(f"{address} is no address, as in one:2222")
    return host.strip("[]"), int(port)


def _listening(address, deadline) -> socket.socket:
    """A socket at the worker's own port; another process may be about to leave it."""
    port = _split(address)[1]
    while True:
        try:
            return socket.create_server(("", port), backlog=64)
        except OSError as error:
            if time.monotonic() > deadline:
                raise InputError(
                    f"A worker's own address cannot be used ({error.strerror}). Received: "
                    f"{address}. Give another port in {_VARIABLE}, on every machine."
                ) from error
        time.sleep(_PAUSE)


def _serve(listener, greeting, asked):
    content = json.dumps(greeting).encode()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # Everybody has met.
            return
        try:
            with connection:
                connection.settimeout(_PATIENCE)
                number = int(connection.recv(16))
                connection.sendall(content)
            asked.add(number)
        except (OSError, ValueError):
            continue


def _ask(address, index) -> dict | None:
    """The greeting of a worker, or None where there is none yet."""
    try:
        with socket.create_connection(_split(address), timeout=_PATIENCE) as connection:
            connection.sendall(str(index).encode())
            parts: Sequence[bytes] = [*iter(lambda: connection.recv(_MOST_BYTES), b"")]
        answer = json.loads(b"".join(parts))
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
