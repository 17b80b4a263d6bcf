"""What a run leaves for its reader: the results and the reports."""

import datetime
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcompress.pipeline.workspace import read_figures
from tfcompress.reporting import (
    Example,
    HistoryPoint,
    Row,
    RunResults,
    describe_machine,
    save_results,
    versions,
    write_report,
)

_MANIFEST = {"quantization": str, "parameters": int, "files": {"model.tflite": {"bytes": int}}}


def bundle_row(system: str, bundle: Path, timing: dict[str, Any], **scores: Any) -> Row:
    """Returns a row of the table of figures.

    Args:
        system: The system's name.
        bundle: The bundle's folder.
        timing: What benchmarking it gave.
        **scores: Figures of its evaluation, by attribute of `Row`.
    """
    manifest = read_figures(bundle / "manifest.json", _MANIFEST)
    return Row(
        system=system,
        quantization=manifest["quantization"],
        parameters=manifest["parameters"],
        model_bytes=manifest["files"]["model.tflite"]["bytes"],
        bundle_bytes=timing["bundle_bytes"],
        latency_ms=timing["latency_ms"]["mean"],
        target_tokens_per_s=timing.get("target_tokens_per_s"),
        peak_rss_bytes=timing["peak_rss_bytes"],
        device=timing["device"],
        threads=timing["threads"],
        **scores,
    )


def report_run(
    folder: Path,
    name: str,
    corpus: str,
    *,
    rows: Sequence[Row],
    examples: Sequence[Example],
    history: Sequence[Mapping[str, float]],
) -> RunResults:
    """Writes `results.json`, `report.md` and `report.html` of a run.

    Args:
        folder: The run's folder.
        name: The run's name.
        corpus: Name of the test set.
        rows: The systems.
        examples: Some test sentences.
        history: The figures of every evaluation in training.

    Returns:
        The results, with the time, the command, the machine and the versions.

    Raises:
        InputError: If a file cannot be written.
    """
    results = RunResults(
        name=name,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        machine=describe_machine(),
        versions=versions(),
        corpus=corpus,
        rows=[*rows],
        examples=[*examples],
        history=[_point(entry) for entry in history],
    )
    save_results(results, folder)
    for report in ("report.md", "report.html"):
        write_report([results], folder / report)
    return results


def percent(share: float | None) -> float | None:
    """Returns a share in percent, or None for None.

    Args:
        share: From 0 to 1.
    """
    return None if share is None else 100.0 * share


def _point(entry):
    return HistoryPoint(
        step=entry["update"],
        loss=entry.get("loss"),
        validation_loss=entry.get("val_loss"),
        validation_bleu=entry.get("val_bleu"),
        validation_accuracy=percent(entry.get("val_accuracy")),
    )
