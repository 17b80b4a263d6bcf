"""What a run keeps about its stages: `run.json`, and a copy in case that it is damaged."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfcompress.digests import CorruptFileError, digest, read_checked_json, write_checked_json
from tfcompress.errors import InputError
from tfcompress.pipeline.identity import describe_files, problem

RUN_FILE = "run.json"
COPY = "run.copy.json"
FORMAT = 1


class RunRecord:
    """The stages of a run: what each depended on, and the files that it wrote.

    Args:
        folder: The run's folder.

    Attributes:
        folder: The folder.
        recipe: The recipe as it was last run, a mapping; empty before the first stage.
        stages: What is known of each stage, by name: what it `needs`, and when it is done its
            `files`.

    Raises:
        InputError: If the folder has records and none of them can be used.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.recipe: dict[str, Any] = {}
        self.stages: dict[str, dict[str, Any]] = {}
        faults = []
        for name in (RUN_FILE, COPY):
            try:
                content = read_checked_json(self.folder / name)
            except FileNotFoundError:
                continue
            except CorruptFileError as fault:
                faults.append(str(fault))
                continue
            if content["format"] != FORMAT:
                raise InputError(
                    f"The run is of another version of tfcompress. Received: {self.folder / name} "
                    f"of format {content['format']}, not {FORMAT}. Give another --run."
                )
            self.recipe, self.stages = content["recipe"], content["stages"]
            return
        if faults:
            raise InputError(
                f"The record of a run cannot be used. Received: {self.folder}, where "
                f"{' and '.join(faults)}. Put back a copy of {RUN_FILE}, or give another --run."
            )

    def write(self) -> None:
        """Writes the record.

        Raises:
            InputError: If it cannot be written.
        """
        content = {"format": FORMAT, "recipe": self.recipe, "stages": self.stages}
        for name in (RUN_FILE, COPY):
            write_checked_json(self.folder / name, content)

    def is_finished(
        self, stage: str, needs: Mapping[str, Any], log: Callable[[str], object]
    ) -> bool:
        """Returns whether a stage is done: with these needs, and its files are as it wrote them.

        Args:
            stage: Its name.
            needs: What it depends on.
            log: Called with a line about files that are not what they were.

        Raises:
            InputError: If a file cannot be read.
        """
        known = self.stages.get(stage, {})
        if "files" not in known or known["needs"] != plain(needs):
            return False
        wrong = problem(self.folder, known["files"])
        if wrong is not None:
            log(f"{wrong}: {stage} is made again")
        return wrong is None

    def finish(
        self, stage: str, needs: Mapping[str, Any], *names: str, content: str | None = None
    ) -> None:
        """Notes that a stage is done.

        Args:
            stage: Its name.
            needs: What it depends on.
            *names: The files and folders that it wrote, by their place in the run's folder.
            content: A digest of its result, for those stages that depend on it; that of the files
                by default.

        Raises:
            InputError: If the record cannot be written.
        """
        files = describe_files(self.folder, names)
        content = content or digest(files)
        self.stages[stage] = {"needs": plain(needs), "files": files, "content": content}
        self.write()

    def needs(self, stage: str) -> dict[str, Any] | None:
        """Returns what a stage depended on, or None before it began.

        Args:
            stage: Its name.
        """
        return self.stages.get(stage, {}).get("needs")

    def content(self, stage: str) -> str:
        """Returns the digest of the result of a finished stage.

        Args:
            stage: Its name.
        """
        return self.stages[stage]["content"]


def plain(value: Any) -> Any:
    """Returns a value as JSON gives it back."""
    return json.loads(json.dumps(value))
