"""From a MarianMT model to one for phones: distilled into a student, and by surgery; one table.

    python benchmarks/marian_to_phone.py RUNS --pretrained marian_en_de --corpus multi30k/raw \
        --output benchmarks/results/marian_to_phone.json

Runs examples/recipes/marian_to_phone.yaml and marian_to_phone_surgery.yaml, and between them the
student with self-attention in place of its recurrent decoder, on the same translations. RUNS holds
a run for each. All of it resumes, and what is finished is not repeated. BLEU is sacrebleu's (13a,
cased) on the test split; times are taken at the end, all bundles in turn. Beside the JSON file the
table is written as markdown.
"""

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from results_file import write_results
from rows import run_rows

from tfcompress import schema
from tfcompress.pipeline import TranslationRecipe, export_model, import_model, load_recipe
from tfcompress.pipeline.benchmarking import benchmark_in_turns
from tfcompress.pipeline.recipe import Recipe, merged
from tfcompress.pipeline.recipe_files import recipe_from_mapping

RECIPES = Path(__file__).parents[1] / "examples" / "recipes"
TEACHER, CONTROL = "teacher", "self-attention student"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--pretrained", type=Path, required=True, help="MarianMT folder")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--updates", type=int, help="fewer, to try whether all of it runs")
    parser.add_argument("--vocabulary-size", type=int, help="fewer, for a small corpus")
    options = parser.parse_args()
    teacher = imported(options.pretrained, options.runs / "imported")
    student, surgery = (
        changed(load_recipe(RECIPES / f"{name}.yaml"), teacher, options)
        for name in ("marian_to_phone", "marian_to_phone_surgery")
    )
    table = options.output.with_suffix(".md")
    recipes = ordered(options.runs, teacher, student, surgery)
    finished = run_rows(recipes, options.runs, table, corpus=options.corpus)
    rows = [row for run in finished for row in run.rows]
    seconds = {run.name: training_seconds(options.runs / run.name) for run in finished}
    bundles = [options.runs / row.system / "bundles" / row.quantization for row in rows]
    times = benchmark_in_turns(bundles, timed_sentences(student, options.corpus), **timing(student))
    for row, measured in zip(rows, times):
        print(
            f"| {row.system} | {row.quantization} | {row.parameters / 1e6:.2f}M | "
            f"{row.bundle_bytes / 1e6:.2f} MB | {row.bleu:.2f} | "
            f"{measured['latency_ms']['mean']:.2f} ms |"
        )
    write_results(
        options.output,
        {"rows": rows, "times": times, "training_seconds": seconds, "goals": goals(rows)},
    )


def training_seconds(run: Path) -> float:
    """What the updates of a run took, by the clock."""
    history = run / "training" / "history.json"
    points = json.loads(history.read_text()) if history.exists() else []
    return sum(point["seconds"] for point in points)


def imported(pretrained: Path, folder: Path) -> Path:
    """The teacher as a run, with the bundle that translates."""
    if not folder.exists():
        import_model(pretrained, folder, max_length=128)
    bundle = folder / "bundles" / "dynamic_int8"
    if not bundle.exists():
        export_model(folder, bundle, quantization="dynamic_int8")
    return folder


def changed(recipe: Recipe, teacher: Path, options: argparse.Namespace) -> TranslationRecipe:
    """The recipe with the teacher of this benchmark, and where said a smaller one."""
    mapping = schema.to_mapping(recipe)
    if recipe.start_from is not None:
        mapping["start_from"] = str(teacher.absolute())
    if recipe.teacher is not None:
        mapping["teacher"]["path"] = str(teacher.absolute())
    if options.vocabulary_size is not None:
        mapping["tokenizer"]["vocabulary_size"] = options.vocabulary_size
    if (updates := options.updates) is not None:
        shorter = {"updates": updates, "evaluate_every": max(1, updates // 2), "warmup": 1}
        mapping["training"] |= shorter | {"evaluate_sentences": 4}
    return recipe_from_mapping(mapping)


def ordered(
    runs: Path, teacher: Path, student: TranslationRecipe, surgery: TranslationRecipe
) -> Iterator[Recipe]:
    """The recipes, each when it can be run."""
    yield recipe_from_mapping(
        {
            "name": TEACHER,
            "start_from": str(teacher.absolute()),
            "training": {"updates": 0},
            **{
                name: schema.to_mapping(getattr(student, name))
                for name in ("evaluation", "benchmark")
            },
            "corpus": schema.to_mapping(dataclasses.replace(student.corpus, noise=None)),
        }
    )
    yield student
    heads = student.model["decoder"]["attention"]["num_heads"]
    mapping = schema.to_mapping(student)
    mapping["model"]["decoder"]["attention"] = {"num_heads": heads}
    mapping["teacher"]["translations"] = str((runs / student.name).absolute())
    yield recipe_from_mapping(merged(mapping, {"name": CONTROL}))
    yield surgery


def timed_sentences(recipe: TranslationRecipe, corpus: Path) -> list[str]:
    """The sentences that are timed."""
    from tfcompress.text import load_corpus

    names = ("source_language", "target_language", "train", "valid", "test")
    loaded = load_corpus(corpus, **{name: getattr(recipe.corpus, name) for name in names})
    return list(loaded.splits["test"][0][: recipe.benchmark.sentences])


def timing(recipe: TranslationRecipe) -> dict:
    """How bundles are timed."""
    settings = recipe.benchmark
    return {
        "num_threads": settings.threads,
        "runs": settings.runs,
        "beam_size": settings.beam_size,
    }


def goals(rows) -> dict:
    """Bytes, BLEU against the teacher's, and that of the recurrent decoder against attention's."""
    bleu = {(row.system, row.quantization): row.bleu for row in rows}
    teacher = bleu[TEACHER, "float32"]
    smaller = [row for row in rows if row.system not in (TEACHER, CONTROL)]
    return {
        "megabytes": {f"{row.system} {row.quantization}": row.bundle_bytes / 1e6 for row in rows},
        "bleu_minus_teacher": {
            f"{row.system} {row.quantization}": row.bleu - teacher for row in smaller
        },
        "recurrent_minus_self_attention": {
            row.quantization: row.bleu - bleu[CONTROL, row.quantization]
            for row in smaller
            if (CONTROL, row.quantization) in bleu
        },
    }


if __name__ == "__main__":
    main()
