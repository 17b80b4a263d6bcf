"""Every method on one text encoder: the table of SST-2.

    python benchmarks/sst2.py RUNS --corpus sst2 --output benchmarks/results/sst2.json

RUNS holds a run for each recipe `examples/recipes/sst2_NAME.yaml`, under NAME. Accuracies are those
of the runs; times are taken anew, all bundles in turn, one text at a time, 1 thread, medians over
the rounds of the mean over the first test texts.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from results_file import write_results

from tfcompress.runtime import TextModel
from tfcompress.text import load_labelled_corpus

SYSTEMS = (
    "fine_tuned",
    "theseus_tuned",
    "layer_drop_every_other",
    "heads",
    "factorized_128",
    "factorized_64",
    "distilled",
    "best",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    texts = load_labelled_corpus(options.corpus).splits["test"][0][: options.texts]
    bundles = {
        (system, bundle.name): bundle
        for system in SYSTEMS
        for bundle in sorted((options.runs / system / "bundles").iterdir())
    }
    models = {key: TextModel(bundle) for key, bundle in bundles.items()}
    times = {key: [] for key in bundles}
    for _ in range(options.rounds):
        for key, model in models.items():
            times[key].append(_milliseconds(model, texts))
    rows = [_row(*key, bundle, times[key], options.runs) for key, bundle in bundles.items()]
    write_results(options.output, {"rows": rows})
    for row in rows:
        print(
            f"| {row['system']} | {row['quantization']} | {row['parameters'] / 1e6:.1f}M | "
            f"{row['model_bytes'] / 1e6:.1f} MB | {100 * row['valid_accuracy']:.1f} | "
            f"{100 * row['test_accuracy']:.1f} | {100 * row['kept']:.1f}% | "
            f"{row['milliseconds']:.2f} |"
        )


def _milliseconds(model, texts):
    begin = time.perf_counter()
    for text in texts:
        model.classify(text, overlong="cut")
    return 1000 * (time.perf_counter() - begin) / len(texts)


def _row(system, quantization, bundle, times, runs):
    manifest = json.loads((bundle / "manifest.json").read_text())
    evaluation, first = (
        json.loads((runs / name / "evaluation" / f"{quantized}.json").read_text())
        for name, quantized in ((system, quantization), (SYSTEMS[0], "float32"))
    )
    return {
        "system": system,
        "quantization": quantization,
        "parameters": manifest["parameters"],
        "model_bytes": manifest["files"]["model.tflite"]["bytes"],
        "bundle_bytes": sum(path.stat().st_size for path in bundle.iterdir()),
        "valid_accuracy": evaluation["valid_accuracy"],
        "test_accuracy": evaluation["accuracy"],
        "test_interval": evaluation["interval"],
        "f1": evaluation["f1"],
        "kept": evaluation["accuracy"] / first["accuracy"],
        "milliseconds": round(statistics.median(times), 3),
    }


if __name__ == "__main__":
    main()
