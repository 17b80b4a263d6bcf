"""The checkpoints of a training as files: what is kept of each, and whether it is still whole."""

import contextlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.digests import (
    CorruptFileError,
    check_file,
    describe_file,
    read_checked_json,
    write_checked_json,
)
from tfcompress.errors import InputError
from tfcompress.files import sync

_NOTE = re.compile(r"ckpt-(\d+)\.json")


@dataclass(frozen=True)
class CheckpointNote:
    """What is known of a checkpoint; written last, so that one without a note is not complete.

    Attributes:
        update: The updates made before.
        keras: The flavour of Keras, 2 or 3.
        versions: Versions of what wrote it, by package.
        history: The metrics of every evaluation so far.
        files: Size and SHA-256 of its files, by name.
    """

    update: int
    keras: int
    versions: dict[str, str]
    history: list[dict]
    files: dict[str, dict]


def checkpoint_prefix(folder: Path, update: int) -> Path:
    """Returns what the names of a checkpoint's files begin with.

    Args:
        folder: The folder of the training.
        update: The updates made before.
    """
    return folder / "state" / f"ckpt-{update}"


def kept_updates(folder: Path) -> list[int]:
    """Returns the updates of the checkpoints with a note, the newest first.

    Args:
        folder: The folder of the training.

    Raises:
        InputError: If the folder cannot be read.
    """
    try:
        names = [path.name for path in (folder / "state").iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"The state of training cannot be read. Received: {folder / 'state'} "
            f"({error.strerror}). Check its permissions and the disk."
        ) from error
    matches = [match for match in map(_NOTE.fullmatch, names) if match]
    return sorted((int(match[1]) for match in matches), reverse=True)


def last_update(folder: Path) -> int:
    """Returns the updates of the newest checkpoint, 0 where there is none.

    Args:
        folder: The folder of the training.
    """
    return max(kept_updates(folder), default=0)


def saved_history(folder: Path) -> list[dict]:
    """Returns the history in the newest note that can be read; empty where there is none.

    Args:
        folder: The folder of the training.
    """
    for update in kept_updates(folder):
        with contextlib.suppress(FileNotFoundError, CorruptFileError):
            return read_checked_json(_note_path(folder, update))["history"]
    return []


def write_note(folder: Path, update: int, **values: Any) -> None:
    """Writes the note of a checkpoint, after its files are on the disk.

    Args:
        folder: The folder of the training.
        update: The updates made before.
        **values: Further attributes of `CheckpointNote`, but `files`.

    Raises:
        InputError: If it cannot be written.
    """
    prefix = checkpoint_prefix(folder, update)
    paths = sorted(prefix.parent.glob(f"{prefix.name}.[id]*"))
    for path in (*paths, prefix.parent):
        sync(path)
    files = {path.name: describe_file(path) for path in paths}
    note = CheckpointNote(update, files=files, **values)
    write_checked_json(_note_path(folder, update), asdict(note))


def read_note(folder: Path, update: int) -> CheckpointNote:
    """Returns the note of a checkpoint whose files are as they were written.

    Args:
        folder: The folder of the training.
        update: The updates made before.

    Raises:
        CorruptFileError: If the note or a file is missing or not as it was written.
        InputError: If one of them is there and cannot be read.
    """
    path = _note_path(folder, update)
    try:
        note = schema.from_mapping(CheckpointNote, read_checked_json(path))
    except FileNotFoundError:
        raise CorruptFileError(f"{path.name} is missing") from None
    for name, expected in note.files.items():
        check_file(path.with_name(name), expected)
    return note


def remove_checkpoints(folder: Path, *, keep: list[int]) -> None:
    """Removes checkpoints, and what there is of those that were not completed.

    Args:
        folder: The folder of the training.
        keep: The updates of those that stay.
    """
    names = {f"ckpt-{update}" for update in keep}
    for path in (folder / "state").glob("ckpt-*"):
        if path.name.split(".")[0] not in names:
            if path.is_dir():
                for part in path.iterdir():
                    part.unlink()
                path.rmdir()
            else:
                path.unlink()


def _note_path(folder, update):
    return checkpoint_prefix(folder, update).with_suffix(".json")
