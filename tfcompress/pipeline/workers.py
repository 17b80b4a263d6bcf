"""A run that several workers train: the first one has the run, the others what training needs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcompress.pipeline.identity import differences, problem
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.record import RunRecord, plain
from tfcompress.pipeline.workspace import Workspace, tokenizer_names

if TYPE_CHECKING:
    from tfcompress.training.cluster import Cluster

_REMEDY = "Give every worker the same recipe and corpus."


def join_workers(
    recipe: Recipe, folder: str | Path, log: Callable[[str], object]
) -> "Cluster | None":
    """Joins the workers that train a run, before anything else uses TensorFlow.

    Args:
        recipe: The recipe.
        folder: The run's folder.
        log: Called with a line about what is waited for.

    Returns:
        The workers, or None where there is but one process or the model is trained already.

    Raises:
        InputError: If a worker does not answer.
    """
    training = recipe.training
    if training.strategy != "multi_worker" or not training.updates or _is_trained(folder, training):
        return None
    load_tensorflow()
    from tfcompress.training import join_cluster

    log(f"{recipe.name}: waiting for the workers that TF_CONFIG names")
    return join_cluster(timeout=training.worker_timeout)


def worker_folder(folder: str | Path, index: int) -> Path:
    """Returns where another worker than the first keeps what it needs.

    Args:
        folder: The run's folder.
        index: The worker's number.
    """
    return Path(folder) / f"worker-{index}"


def send_beginning(cluster: "Cluster", workspace: Workspace) -> None:
    """Gives the other workers what training begins with; called by the first one.

    Args:
        cluster: The workers.
        workspace: The run.

    Raises:
        InputError: If one of them has another recipe or corpus.
    """
    folder = workspace.folder
    cluster.share(lambda: workspace.record.stages)
    cluster.agree(None, _REMEDY)
    paths = [folder / name for name in (*tokenizer_names(folder), "start")]
    files = [file for path in paths for file in (sorted(path.rglob("*")) or [path])]
    names = [file.relative_to(folder).as_posix() for file in files if file.is_file()]
    cluster.share_files(folder, names)


def receive_stages(cluster: "Cluster", needs: Any) -> dict[str, Any]:
    """Returns the stages of the run, as another worker than the first needs them.

    Args:
        cluster: The workers.
        needs: What training depends on, in this worker.

    Raises:
        InputError: If a worker has another recipe or corpus.
    """
    stages = cluster.share(lambda: None)
    keys = differences(stages["training"]["needs"], plain(needs))
    wrong = f"This worker has another training. Received: another {', '.join(keys)}."
    cluster.agree(wrong if keys else None, _REMEDY)
    return stages


def receive_beginning(cluster: "Cluster", workspace: Workspace, stages: dict[str, Any]) -> None:
    """Puts what training begins with into the folder of another worker than the first.

    Args:
        cluster: The workers.
        workspace: The worker's folder.
        stages: What `receive_stages` returned.

    Raises:
        InputError: If it cannot be written.
    """
    record = workspace.record
    if record.needs("training") != stages["training"]["needs"]:
        shutil.rmtree(workspace.training, ignore_errors=True)
    record.stages = {"training": stages["training"]}
    record.write()
    workspace.remove_beginning()
    cluster.share_files(workspace.folder)


def _is_trained(folder, training):
    known = RunRecord(folder).stages.get("model", {})
    is_long = known.get("needs", {}).get("updates") == training.updates
    return is_long and "files" in known and problem(Path(folder), known["files"]) is None
