"""Folders of one test run, however many processes it has."""

import contextlib
import fcntl


@contextlib.contextmanager
def shared_folder(tmp_path_factory, worker_id, name):
    """A folder that processes which test side by side share, while no other one uses it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
