"""Quantization and sparsity of one trained model, side by side.

    python benchmarks/optimization.py --run runs/multi30k_tiny --runs runs/optimization \
        --corpus CORPUS --output benchmarks/results/optimization.json

Every row begins with the weights of the finished run and trains --updates more, but for the first
three, which train none, and the sparse ones, which train four times as long: two fifths of it
while weights go, the rest to recover. Rows resume; a finished row is not repeated. Beside the JSON
file a Markdown table of the same name is written. `compressed_bytes` says what an app store
delivers of a model file: zip's deflate as zlib and, at its best, as libdeflate writes it, and zstd.
"""

import argparse
import os
import zlib
from pathlib import Path

import deflate
import zstandard

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from results_file import write_results
from rows import run_rows

from tfcompress import schema
from tfcompress.pipeline import TranslationRecipe


def rows(runs: Path) -> dict[str, dict]:
    """Changes by name."""
    both = ["float32", "dynamic_int8"]
    sparse = {f"sparse_{percent}": sparser({"sparsity": percent / 100}) for percent in (50, 70, 80)}
    return {
        "after_training": {
            "training": {"updates": 0},
            "quantizations": ["float32", "dynamic_int8", "int4", "int4_per_channel"],
        },
        "static": {
            "training": {"updates": 0},
            "quantizations": ["static_int8", "static_int8x16"],
        },
        "mixed": {
            "training": {"updates": 0},
            "quantizations": ["mixed"],
            # What `tfcompress sensitivity` plans for a loss of 0.3 on 200 validation sentences.
            "quantization_scheme": {"^embedding/": "int8", ".": "int4"},
        },
        "trained_int4": {
            "training": {"quantize_aware": {"bits": 4, "block_size": 32}},
            "quantizations": ["int4"],
        },
        "sparse_70": sparse["sparse_70"],
        "sparse_70_trained_int8": {
            "start_from": str(runs / "sparse_70"),
            "training": {"quantize_aware": {"preserve_sparsity": True}},
            "quantizations": ["dynamic_int8"],
        },
        "trained_int8": {
            "training": {"quantize_aware": {"bits": 8}},
            "quantizations": ["dynamic_int8"],
        },
        "sparse_50": sparse["sparse_50"],
        "sparse_80": sparse["sparse_80"],
        "clustered_16": {
            "training": {"clustering": {"number_of_clusters": 16}},
            "quantizations": both,
        },
        "clustered_16_trained_int8": {
            "start_from": str(runs / "clustered_16"),
            "training": {"quantize_aware": {"preserve_clusters": True}},
            "quantizations": ["dynamic_int8"],
        },
        "two_of_four": sparser({"pattern": "2:4"}),
    }


def sparser(pruning: dict) -> dict:
    """Changes that make a model sparse; a sparse model needs less dropout."""
    return {
        "model": {"dropout": 0.2},
        "training": {"pruning": pruning | {"frequency": 25}, "learning_rate": 0.002},
        "quantizations": ["float32", "dynamic_int8"],
    }


def recipe(name: str, changes: dict, options: argparse.Namespace) -> TranslationRecipe:
    """The recipe of one row."""
    is_sparse = "pruning" in changes["training"]
    updates = 4 * options.updates if is_sparse else options.updates
    training = {
        "updates": updates,
        "batch_tokens": 4096,
        "learning_rate": options.learning_rate,
        "schedule": "cosine",
        "warmup": max(1, options.updates // 10),
        "evaluate_every": max(1, updates // 3),
        "evaluate_sentences": 200,
        "seed": 1,
    }
    if changes["training"].get("updates") == 0:
        training = {}
    mapping = {
        "name": name,
        "start_from": str(options.run),
        "corpus": {
            "source_language": "en",
            "target_language": "de",
            "train": options.train,
            "valid": options.valid,
            "test": options.split,
        },
        "evaluation": {"beam_size": 5, "tokenize": "none"},
        "benchmark": {"sentences": 100},
        **changes,
        "training": training | changes["training"],
    }
    if is_sparse:
        pruning = changes["training"]["pruning"] | {"end": updates * 2 // 5}
        mapping["training"] = mapping["training"] | {"pruning": pruning}
    return schema.from_mapping(TranslationRecipe, mapping)


def compressed(runs: Path, system: str, quantization: str) -> dict[str, int]:
    """Bytes of a model file as it may be delivered."""
    model = (runs / system / "bundles" / quantization / "model.tflite").read_bytes()
    return {
        "zip": len(zlib.compress(model, 9)),
        "zip_at_best": len(deflate.deflate_compress(model, 12)),
        "zstd": len(zstandard.ZstdCompressor(19).compress(model)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of the finished run")
    parser.add_argument("--runs", type=Path, required=True, help="folder of all rows' runs")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--train", default="train.lc.norm.tok")
    parser.add_argument("--valid", default="val.lc.norm.tok")
    parser.add_argument("--split", default="test_2016_flickr.lc.norm.tok")
    parser.add_argument("--updates", type=int, default=600)
    parser.add_argument("--learning-rate", type=float, default=0.0005)
    parser.add_argument("--only", nargs="*", help="rows to run; all by default")
    options = parser.parse_args()
    recipes = [recipe(name, changes, options) for name, changes in rows(options.runs).items()]
    finished = run_rows(
        recipes,
        options.runs,
        options.output.with_suffix(".md"),
        corpus=options.corpus,
        only=options.only,
    )
    metrics = [
        vars(row) | {"compressed_bytes": compressed(options.runs, row.system, row.quantization)}
        for run in finished
        for row in run.rows
    ]
    write_results(options.output, {"rows": metrics})


if __name__ == "__main__":
    main()
