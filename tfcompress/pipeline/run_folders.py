"""What can be done with the folders of runs: their state, a list of them, removal, an archive."""

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.files import check_writable, replace_file
from tfcompress.locks import FolderLock, holder
from tfcompress.pipeline.identity import problem
from tfcompress.pipeline.record import COPY, RUN_FILE, RunRecord
from tfcompress.pipeline.workspace import LOCK, Workspace, check_run_folder, is_run, tokenizer_names
from tfcompress.reporting import formats
from tfcompress.training.checkpoint_files import last_update

# The stages that can be removed, with the files and folders of each.
STAGES = {
    "training": ("training", "model"),
    "bundles": ("bundles",),
    "evaluation": ("evaluation",),
    "benchmark": ("benchmark",),
}
_OTHERS = ("start", "teacher.txt", "teacher.txt.journal", "results.json")
_OTHERS += ("report.md", "report.html", COPY, RUN_FILE)


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes:
        folder: Its folder.
        name: Its recipe's name.
        update: The update that its training was saved at last.
        updates: How many its training shall have.
        stages: What there is of each stage: "done", "missing", "outdated", or what is wrong.
        bytes: Size of its files.
        running: The process that works in it, or None.
    """

    folder: str
    name: str
    update: int
    updates: int
    stages: dict[str, str]
    bytes: int
    running: str | None

    def line(self) -> str:
        """Returns the status in a line."""
        states = self.stages.values()
        done = sum(state == "done" for state in states)
        running = f", running, {self.running}" if self.running else ""
        return (
            f"{self.name}, update {self.update:,} of {self.updates:,}, {done} of {len(states)} "
            f"stages done{running}"
        )

    def to_dict(self) -> dict:
        """Returns the status as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        width = max(map(len, self.stages))
        state = f"running, {self.running}" if self.running else "not running"
        return "\n".join(
            [
                f"{self.folder}: {self.name}, {formats.byte_size(self.bytes)}, {state}",
                f"  update {self.update:,} of {self.updates:,}",
                *(f"  {stage:{width}}  {state}" for stage, state in self.stages.items()),
            ]
        )


def run_status(run: str | Path) -> RunStatus:
    """Returns how far a run is, after verifying the files of its finished stages.

    Args:
        run: The run's folder.

    Raises:
        InputError: If there is no run, or its record is corrupt.
    """
    folder = check_run_folder(run, exists=True)
    record = RunRecord(folder)
    upstream = {"model": "training"}
    names = ["tokenizers", *(["start"] if "start" in record.stages else []), "model"]
    for quantization in record.recipe.get("quantizations", []):
        bundle = f"bundles/{quantization}"
        stages = bundle, f"evaluation/{quantization}.json", f"benchmark/{quantization}.json"
        upstream |= dict(zip(stages, ("model", bundle, bundle)))
        names += stages
    return RunStatus(
        folder=str(run),
        name=record.recipe.get("name", ""),
        update=last_update(folder / "training"),
        updates=record.stages.get("training", {}).get("updates", 0),
        stages={name: _state(record, name, upstream.get(name)) for name in names},
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        running=holder(folder / LOCK),
    )


def find_runs(folder: str | Path, *, levels: int = 4) -> Iterator[Path]:
    """Yields the folders of the runs in a folder and the folders in it.

    Args:
        folder: The folder.
        levels: How many levels of folders to look through.

    Raises:
        InputError: If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"The folder of the runs must exist. Received: {folder}.")
    if is_run(folder):
        yield folder
    elif levels:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from find_runs(path, levels=levels - 1)


def remove_run(run: str | Path, *, stage: str | None = None) -> list[str]:
    """Removes a run, or a stage of it, unless a process works in it.

    Args:
        run: The run's folder. What in it is not the run's stays.
        stage: "training", "bundles", "evaluation" or "benchmark"; all by default. What depends on
            it is made again when the recipe is run.

    Returns:
        The names of what stays.

    Raises:
        InputError: If there is no run, another process works in it, or it cannot be removed.
    """
    folder = check_run_folder(run, exists=True)
    with FolderLock(folder / LOCK, folder):
        names = [name for names in STAGES.values() for name in names]
        if stage is None:
            _delete(folder, [*names, *_worker_names(folder), *tokenizer_names(folder), *_OTHERS])
        else:
            record = RunRecord(folder)
            gone = (stage, "history" if stage == "training" else "", *STAGES[stage])
            record.stages = {
                name: known
                for name, known in record.stages.items()
                if name.split("/")[0] not in gone
            }
            record.write()
            workers = _worker_names(folder) if stage == "training" else ()
            _delete(folder, [*STAGES[stage], *workers])
    rest = sorted(path.name for path in folder.iterdir())
    if not rest:
        folder.rmdir()
    return rest


def export_run(run: str | Path, archive: str | Path, *, training: bool = False) -> None:
    """Packs a run into an archive, to go on or to be looked at elsewhere.

    Args:
        run: The run's folder.
        archive: The file, such as "run.tar.gz"; it must not exist.
        training: Whether the state of training goes with it, which is what more updates need.

    Raises:
        InputError: If there is no run, another process works in it, a file of it is damaged, or the
            archive cannot be written.
    """
    folder, archive = check_run_folder(run, exists=True), Path(archive)
    check_writable(archive)
    if archive.exists():
        raise InputError(f"The archive exists already. Received: {archive}. Give another name.")
    with Workspace(folder) as workspace:
        for stage, known in workspace.record.stages.items():
            wrong = problem(folder, known.get("files", {}))
            if wrong is not None:
                raise InputError(
                    f"A file of the run is damaged. Received: {folder}, where {wrong}. Run its "
                    f"recipe again, which repairs {stage}."
                )
        state = ("state", "weights", "tensorboard", "corpus")
        left_out = [] if training else [("training", name) for name in state]
        left_out += [(name,) for name in _worker_names(folder)]
        replace_file(archive, lambda file: _pack(file, folder, left_out))


def _pack(file, folder, left_out):
    def wanted(member):
        place = Path(member.name).parts[1:]
        is_left_out = place[:1] == (LOCK,) or place[:2] in left_out or place[:1] in left_out
        return None if is_left_out else member

    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(folder, arcname=folder.resolve().name, filter=wanted)


def _worker_names(folder):
    return [path.name for path in folder.glob("worker-*")]


def _delete(folder, names):
    try:
        for name in names:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"The run cannot be removed. Received: {error.filename} ({error.strerror}). Check its "
            "permissions."
        ) from error


def _state(record, stage, upstream):
    known = record.stages.get(stage, {})
    if "files" not in known:
        return "missing"
    if upstream in record.stages and upstream != "training":
        depends = known["needs"]["model" if upstream == "model" else "bundle"]
        if depends != record.stages[upstream].get("content"):
            return "outdated"
    return problem(record.folder, known["files"]) or "done"
