"""What a run leaves for its reader: the results and the reports."""

import datetime
import shlex
import sys
from collections.abc import Sequence
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


def bundle_row(system: str, bundle: Path, timing: dict[str, Any], **scores: Any) -> Row:
    """Returns a row of the table of figures.

    Args:
        system: The system's name.
        bundle: The bundle's folder.
        timing: What benchmarking it gave.
        **scores: Figures of its evaluation, by attribute of `Row`.
    """
    manifest = read_figures(bundle / "manifest.json")
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
    history: Sequence[HistoryPoint],
) -> RunResults:
    """Writes `results.json`, `report.md` and `report.html` of a run.

    Args:
        folder: The run's folder.
        name: The run's name.
        corpus: Name of the test set.
        rows: The systems.
        examples: Some test sentences.
        history: The training.

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
        history=[*history],
    )
    save_results(results, folder)
    for report in ("report.md", "report.html"):
        write_report([results], folder / report)
    return results
