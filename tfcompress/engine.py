"""Work on many pieces, in several processes of this machine or on a cluster."""

import atexit
import collections
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import forkserver
from types import TracebackType
from typing import Any, TypeVar

from tfcompress.errors import InputError

# Pieces that wait for each process, so that none is ever idle.
_AHEAD = 4
# Seconds in which a cluster must answer and have a process.
_TIMEOUT = 30.0
Piece = TypeVar("Piece")
Result = TypeVar("Result")


class EngineError(InputError):
    """Raised when processes cannot be had or are lost; what is done so far remains good."""


class Engine:
    """Calls a function on many pieces, in processes of its own unless there is but one.

    The results come in the order of the pieces, each once. A piece whose process ends is given to
    another one. The processes are Dask's.

    Args:
        workers: Processes on this machine; 1 for this one.
        cluster: The address of a Dask scheduler whose workers are taken instead, such as
            "tcp://host:8786". They need this library, and the files under the same paths.

    Raises:
        InputError: If there are fewer processors than `workers`, or both are given.
        EngineError: On entry, if the cluster does not answer.

    Example:

    >>> with Engine(workers=1) as engine:
    ...     [*engine.map(str.upper, ["a", "b"])]
    ['A', 'B']
    """

    def __init__(self, *, workers: int = 1, cluster: str | None = None):
        check_workers(workers)
        if cluster is not None and workers > 1:
            raise InputError(
                "Processes are either this machine's or a cluster's. Received: "
                f"workers={workers} and cluster={cluster}. Leave one of them out."
            )
        self._workers = workers
        self._address = cluster
        self._processes: Any = None
        self._client: Any = None

    @property
    def is_local(self) -> bool:
        """Whether the work is done in this process, a piece when its result is asked for."""
        return self._workers == 1 and self._address is None

    def __enter__(self) -> "Engine":
        if not self.is_local:
            try:
                self._open()
            except (OSError, ValueError, TypeError, RuntimeError) as error:
                self.__exit__(None, None, None)
                raise EngineError(
                    f"The processes cannot be had ({' '.join(str(error).split())}). Received: "
                    f"{self._address or f'{self._workers} workers'}. Give the address of a "
                    "running `dask scheduler` with workers, or use this machine's."
                ) from error
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for part in (self._client, self._processes):
            if part is not None:
                part.close()
        self._client = self._processes = None

    def _open(self):
        if self._address is None:
            _begin_server()
        import distributed

        address = self._address
        if address is None:
            # `silence_logs` silences the handlers of this logger, not those of the root.
            logging.getLogger("distributed").setLevel(logging.CRITICAL)
            self._processes = address = distributed.LocalCluster(
                n_workers=self._workers,
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        self._client = distributed.Client(address, timeout=_TIMEOUT)
        self._client.wait_for_workers(1, timeout=_TIMEOUT)
        self._workers = max(self._workers, sum(self._client.nthreads().values()))

    def map(self, function: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        """Yields the results of a function on pieces, in their order.

        Args:
            function: A function of a module, or `functools.partial` of one, as it is sent.
            pieces: The pieces; they are read as far as they are needed.

        Raises:
            EngineError: If processes end again and again with a piece, or a cluster is lost.
        """
        if self._client is None:
            yield from map(function, pieces)
            return
        if self._address is None:
            function = functools.partial(_call, function)
        waiting: collections.deque = collections.deque()
        for piece in pieces:
            waiting.append(self._client.submit(function, piece, pure=False))
            if len(waiting) >= self._workers * _AHEAD:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, future):
        import distributed

        try:
            while not future.done():
                try:
                    distributed.wait([future], timeout=_TIMEOUT)
                except TimeoutError:
                    # Raises if no process has come back by then.
                    self._client.wait_for_workers(1, timeout=_TIMEOUT)
            return future.result()
        except InputError:
            raise
        except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
            raise EngineError(
                f"A piece of the work cannot be done ({' '.join(str(error).split())[:200]}). "
                f"Received: {self._address or f'{self._workers} workers'}. See that the memory is "
                "enough and the cluster runs, and run the same command again."
            ) from error


@functools.cache
def _begin_server():
    """Begins the process that processes are forked from; neither it nor they see Ctrl-C.

    Ctrl-C goes to every process of a command, and the first of them ends the others.
    """
    import dask.config

    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    if threading.current_thread() is not threading.main_thread():
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Of an interrupted command it would warn of the semaphores that it removes.
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
    try:
        forkserver.ensure_running()
    finally:
        sys.warnoptions.pop()
        signal.signal(signal.SIGINT, former)


def _call(function, piece):
    _end_quietly()
    return function(piece)


@functools.cache
def _end_quietly():
    """LiteRT logs the end of its environment where a process ends in the ordinary way."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


def check_workers(workers: int) -> None:
    """Makes sure that there can be so many processes.

    Args:
        workers: How many.

    Raises:
        InputError: If there are fewer processors.
    """
    processors = len(os.sched_getaffinity(0))
    if not 1 <= workers <= processors:
        raise InputError(
            f"`workers` must be from 1 to the processors of this machine, {processors}. Received: "
            f"{workers}. Give fewer, or a cluster."
        )
