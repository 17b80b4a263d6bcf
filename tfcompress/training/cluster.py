"""Processes, on one machine or several, that train a model together."""

import functools
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.python.eager import context

from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.training.meeting import Workers, meet, workers_from_environment

_PACKAGES = ("tfcompress", "tensorflow", "keras", "tf_keras")
# Numbers of 8 bytes that are sent at a time.
_FEW, _PIECE = 1 << 9, 1 << 20
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)


class WorkerLostError(InputError):
    """Raised when a worker ends while others train; training goes on when all are started again."""


class Cluster:
    """The workers that train together, of which this process is one.

    Args:
        workers: The workers.
        strategy: What adds up their gradients.

    Attributes:
        index: This process' number; that of the one that writes the run is 0.
        strategy: What adds up the gradients.
    """

    def __init__(self, workers: Workers, strategy: tf.distribute.MultiWorkerMirroredStrategy):
        self.index = workers.index
        self.strategy = strategy
        self._addresses = workers.addresses

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes the run."""
        return self.index == 0

    def share(self, compute: Callable[[], Any]) -> Any:
        """Returns, in every process, what the first one computes.

        Args:
            compute: Called in the first process only; gives what JSON can hold.

        Raises:
            WorkerLostError: If a worker ends.
        """
        content = json.dumps(compute()).encode() if self.is_first else None
        return json.loads(self.share_bytes(content))

    def share_files(self, folder: str | Path, names: Sequence[str] = ()) -> None:
        """Copies files of the first process to the folders of the others.

        Args:
            folder: Where the files lie, or will lie.
            names: The files' names within it; only the first process need know them.

        Raises:
            WorkerLostError: If a worker ends.
            InputError: If a file cannot be written.
        """
        for name in self.share(lambda: [*names]):
            path = Path(folder) / name
            content = self.share_bytes(path.read_bytes() if self.is_first else None)
            if not self.is_first:
                replace_file(path, content)

    def agree(self, problem: str | None, remedy: str) -> None:
        """Makes sure that no worker has found a problem.

        Args:
            problem: What this worker has found, or None.
            remedy: What to do about it.

        Raises:
            InputError: If this worker or another has found one.
            WorkerLostError: If a worker ends.
        """
        found = np.zeros(len(self._addresses), np.int64)
        found[self.index] = problem is not None
        numbers = np.flatnonzero(self._sum(found))
        if problem is not None:
            message = f"{problem} {remedy}"
            raise InputError(message)
        if len(numbers):
            names = ", ".join(f"worker {n} at {self._addresses[n]}" for n in numbers)
            raise InputError(
                f"A worker does not go with this one. Received: {names}, which says why. {remedy}"
            )

    def share_bytes(self, content: bytes | None) -> bytes:
        """Returns, in every process, the bytes of the first one.

        Args:
            content: The bytes; what the other processes give does not count.

        Raises:
            WorkerLostError: If a worker ends.
        """
        size = int(self._sum(np.array([len(content or b"") * self.is_first], np.int64))[0])
        words = np.zeros(-(-size // 8), np.int64)
        if content and self.is_first:
            words = np.frombuffer(content.ljust(8 * len(words), b"\0"), np.int64)
        pieces = [self._sum(words[at : at + _PIECE]) for at in range(0, len(words), _PIECE)]
        return b"".join(piece.tobytes() for piece in pieces)[:size]

    def _sum(self, values: np.ndarray) -> np.ndarray:
        # Two sizes, as each is compiled.
        size = _FEW if len(values) <= _FEW else _PIECE
        padded = np.pad(values, (0, size - len(values)))
        with self.watch():
            return self._add(tf.constant(padded)).numpy()[: len(values)]

    @functools.cached_property
    def _add(self) -> Callable[[tf.Tensor], tf.Tensor]:
        strategy = self.strategy

        def of_replica(values):
            replica: Any = tf.distribute.get_replica_context()
            # The replicas of a process have its values once.
            local = len(strategy.extended.worker_devices)
            mine = tf.cast(replica.replica_id_in_sync_group % local == 0, tf.int64)
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, values * mine)

        @tf.function
        def add(values):
            return strategy.experimental_local_results(strategy.run(of_replica, (values,)))[0]

        return add

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Turns what TensorFlow makes of a worker's end into an error of its own.

        Raises:
            WorkerLostError: If a worker ends in the block.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if not isinstance(error, _LOST) and "Collective ops is aborted" not in str(error):
                raise
            raise WorkerLostError(
                "Another worker has ended or cannot be reached. Received: "
                f"{', '.join(self._addresses)} as {type(error).__name__} has it. Start it again: "
                "training goes on from the last evaluation."
            ) from error


_joined: dict[str, Cluster] = {}


def joined_cluster() -> Cluster | None:
    """Returns the cluster that this process has joined, or None."""
    return _joined.get("cluster")


def join_cluster(*, timeout: float = 60.0) -> Cluster:
    """Waits for the workers that TF_CONFIG names, and joins them.

    TensorFlow can do so only before anything else uses it: call this first in a program that
    trains with the strategy "multi_worker". Called again it returns the same cluster.

    Args:
        timeout: Seconds to wait for the other workers.

    Raises:
        InputError: If TF_CONFIG cannot be used, a worker does not answer in time or has other
            versions, or TensorFlow is in use already.

    Example:

    ```python
    cluster = tfc.training.join_cluster()
    model, history = tfc.training.train(..., TrainingConfig(strategy="multi_worker"), "run")
    ```
    """
    if "cluster" not in _joined:
        workers = workers_from_environment()
        greeting: dict[str, Any] = {name: version(name) for name in _PACKAGES}
        greeting["flavour of Keras"] = 3 if hasattr(keras, "ops") else 2
        greeting["addresses"] = [*workers.addresses]
        meet(workers, greeting, timeout=timeout)
        _joined["cluster"] = Cluster(workers, _strategy(timeout))
    return _joined["cluster"]


def _strategy(timeout):
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    jobs = resolver.cluster_spec().as_dict()
    settings: Any = context.context()
    # TensorFlow has no other way to say how long workers are waited for than its own defaults.
    coordinated = [_coordinated_job(name, len(addresses)) for name, addresses in jobs.items()]
    first = "chief" if "chief" in jobs else "worker"
    settings.configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{first}/replica:0/task:0",
        coordinated_jobs=coordinated,
        cluster_register_timeout_in_ms=int(1000 * timeout),
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        raise InputError(
            f"Workers can be joined only before TensorFlow is in use. Received: {error}. Call "
            "`tfc.training.join_cluster()` first in the program."
        ) from error
    except _LOST as error:
        raise WorkerLostError(
            f"A worker ended while the workers met. Received: {type(error).__name__}. Start it "
            "again."
        ) from error


def _coordinated_job(name, count):
    protobuf = "tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2"
    messages: Any = importlib.import_module(protobuf)
    return messages.CoordinatedJob(name=name, num_tasks=count)
