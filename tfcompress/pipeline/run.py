"""Running a recipe: train, export, evaluate, benchmark, report."""

import dataclasses
from pathlib import Path
from typing import Any

from tfcompress.export.option_files import REPRESENTATIVE_TEXTS
from tfcompress.pipeline.benchmarking import benchmark_in_turns
from tfcompress.pipeline.exporting import check_scheme_names
from tfcompress.pipeline.language_model_recipe import LanguageModelRecipe
from tfcompress.pipeline.language_model_task import LanguageModelTask
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.reports import bundle_row, report_run
from tfcompress.pipeline.task import Log, Task
from tfcompress.pipeline.text_encoder_recipe import TextEncoderRecipe
from tfcompress.pipeline.text_encoder_task import TextEncoderTask
from tfcompress.pipeline.translation_recipe import TranslationRecipe
from tfcompress.pipeline.translation_task import TranslationTask
from tfcompress.pipeline.workspace import (
    CORPUS_INDEX,
    HISTORY,
    TIMING,
    Workspace,
    check_results,
    read_metrics,
    write_metrics,
)
from tfcompress.reporting import Example, RunResults, provenance

_TASKS = {
    TranslationRecipe: TranslationTask,
    TextEncoderRecipe: TextEncoderTask,
    LanguageModelRecipe: LanguageModelTask,
}
_SAMPLES = 20


def run_recipe(
    recipe: Recipe,
    folder: str | Path,
    *,
    corpus: str | Path | None = None,
    verbose: int = 1,
    log: Log = print,
) -> RunResults:
    """Trains, exports, evaluates and benchmarks what a recipe describes.

    Every stage leaves its result in the folder; called again on the same folder, finished stages
    are not repeated and an interrupted training goes on where it was saved last.

    Args:
        recipe: The recipe.
        folder: The run's folder, made if needed.
        corpus: Folder of the corpus, or its file (of a translation model a TSV file), instead of
            the recipe's own path.
        verbose: 1 for progress bars, 2 for a line an evaluation, 0 for neither.
        log: Called with a line about each stage that begins.

    Returns:
        The results, which are also in `results.json`, `report.md` and `report.html`.

    Raises:
        InputError: If corpus, recipe and folder do not fit together.

    Example:

    >>> recipe = tfc.pipeline.load_recipe("examples/recipes/multi30k_tiny.yaml")
    >>> results = tfc.pipeline.run_recipe(recipe, "runs/multi30k", corpus="multi30k/tok")
    """
    for quantization in recipe.quantizations:
        recipe.export_options(quantization).check_runtime()
    task = _TASKS[type(recipe)](recipe, corpus, Path(folder) / CORPUS_INDEX)
    run = _Run(task, Workspace(folder, recipe, task.corpus.digest()), verbose, log)
    run.begin()
    history = run.train()
    for quantization in recipe.quantizations:
        run.export(quantization)
    for quantization in recipe.quantizations:
        run.evaluate(quantization)
    run.benchmark()
    return run.report(history)


@dataclasses.dataclass(frozen=True)
class _Run:
    """The stages."""

    task: Task
    workspace: Workspace
    verbose: int
    log_line: Log

    @property
    def recipe(self) -> Any:
        return self.task.recipe

    def log(self, line):
        self.log_line(f"{self.recipe.name}: {line}")

    def begin(self):
        """Saves the tokenizers, and where there is one the model that training begins with."""
        task, start = self.task, self.workspace.start
        task.tokenizers = task.load_tokenizers(self.workspace.folder)
        if task.tokenizers is not None and (start.exists() or not self.recipe.has_start):
            return
        model = task.begin(self.workspace, self.log)
        if model is not None:
            model = self._operate(model, self.recipe.surgery.before)
            from tfcompress.models.presets import save_preset

            save_preset(model, start)
        task.save_tokenizers(self.workspace.folder)

    def train(self) -> list[dict]:
        path, former = self.workspace.training / "history.json", self.workspace.model
        history = read_metrics(path, HISTORY)
        if former.exists() and history is not None:
            return history
        # Only now, when the corpus and the recipe are known to be good.
        load_tensorflow()
        from tfcompress.models.presets import load_preset, save_preset

        task, recipe = self.task, self.recipe
        start = load_preset(self.workspace.start) if self.workspace.start.exists() else None
        config = task.model_config(None if start is None else start.config)
        check_scheme_names(recipe.quantization_scheme, config)
        teacher = None if recipe.training.distillation is None else task.load_teacher()
        data = task.training_data(config, self.workspace, self.log)
        self.log(f"training for {recipe.training.updates} updates")
        model, history = task.train(
            config,
            *data,
            recipe.training,
            self.workspace.training,
            start=start,
            teacher=teacher,
            verbose=self.verbose,
            log=self.log,
        )
        save_preset(self._operate(model, recipe.surgery.after), self.workspace.model)
        if not history:
            write_metrics(path, [])
        return history

    def export(self, quantization):
        path = self.workspace.bundle(quantization)
        if path.exists():
            return
        load_tensorflow()
        from tfcompress.export import convert
        from tfcompress.models.presets import load_preset

        self.log(f"exporting {quantization}")
        texts = self.task.corpus.splits
        options = self.recipe.export_options(
            quantization,
            representative_data=texts["train"][0][:REPRESENTATIVE_TEXTS],
            samples=texts["valid"][0][:_SAMPLES],
            **self.task.tokenizer_options(),
        )
        convert(load_preset(self.workspace.model), path, options)

    def evaluate(self, quantization):
        path = self.workspace.metrics("evaluation", quantization)
        if path.exists():
            return
        count = len(self.task.corpus.splits["test"][0])
        measured = provenance.measurement()
        self.log(f"evaluating {quantization} on {count} {self.task.examples}")
        metrics = self.task.evaluate(self.workspace.bundle(quantization), self.verbose == 1)
        write_metrics(path, metrics | {"measured": measured})

    def benchmark(self):
        """Times all bundles together, unless all have been."""
        names = self.recipe.quantizations
        paths = [self.workspace.metrics("benchmark", name) for name in names]
        if all(path.exists() for path in paths):
            return
        settings = dataclasses.asdict(self.recipe.benchmark)
        settings["num_threads"] = settings.pop("threads")
        texts = self.task.corpus.splits["test"][0][: settings.pop(self.task.examples)]
        self.log(f"timing {', '.join(names)} on {len(texts)} {self.task.examples}")
        bundles = [self.workspace.bundle(name) for name in names]
        measured = provenance.measurement()
        for path, metrics in zip(paths, benchmark_in_turns(bundles, texts, **settings)):
            write_metrics(path, metrics | {"measured": measured})

    def report(self, history) -> RunResults:
        task, name = self.task, self.recipe.name
        sources, references = task.corpus.splits["test"]
        rows, timings, results = [], [], {}
        for quantization in self.recipe.quantizations:
            path = self.workspace.metrics("evaluation", quantization)
            evaluation = read_metrics(path, task.evaluation)
            timing = read_metrics(self.workspace.metrics("benchmark", quantization), TIMING)
            results[f"{name} {quantization}"] = task.results(evaluation)
            check_results(path, task.results(evaluation), sources)
            bundle = self.workspace.bundle(quantization)
            rows.append(bundle_row(name, bundle, timing, **task.scores(evaluation)))
            timings.append(timing)
        examples = [
            Example(
                source=sources[i],
                reference=task.shown_text(references[i]),
                translations={name: task.shown_text(rows[i]) for name, rows in results.items()},
            )
            for i in range(min(task.shown(), len(sources)))
        ]
        return report_run(
            self.workspace.folder,
            name,
            f"{task.corpus.name}, {self.recipe.corpus.test}",
            rows=rows,
            timings=timings,
            examples=examples,
            history=history,
        )

    def _operate(self, model, steps):
        """Returns the model after surgery; the tokenizers may change with it."""
        if not steps:
            return model
        from tfcompress.pipeline.surgery_steps import perform

        self.log(", ".join(step.name for step in steps))
        context = perform(steps, self.task.surgery(model))
        self.task.tokenizers = context.tokenizers
        return context.model
