"""Running a recipe: train, export, evaluate, benchmark, report."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.constants import FORMAT
from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.export.option_files import REPRESENTATIVE_TEXTS
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.pipeline.benchmarking import benchmark_in_turns
from tfcompress.pipeline.exporting import check_scheme_names
from tfcompress.pipeline.identity import content_digest, model_digest
from tfcompress.pipeline.language_model_recipe import LanguageModelRecipe
from tfcompress.pipeline.language_model_task import LanguageModelTask
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.recipe import Recipe, replaced
from tfcompress.pipeline.reports import bundle_row, report_run
from tfcompress.pipeline.task import Log, Task
from tfcompress.pipeline.text_encoder_recipe import TextEncoderRecipe
from tfcompress.pipeline.text_encoder_task import TextEncoderTask
from tfcompress.pipeline.translation_recipe import TranslationRecipe
from tfcompress.pipeline.translation_task import TranslationTask
from tfcompress.pipeline.workers import (
    join_workers,
    receive_beginning,
    receive_stages,
    send_beginning,
    worker_folder,
)
from tfcompress.pipeline.workspace import (
    CORPUS_INDEX,
    HISTORY,
    TIMING,
    Workspace,
    read_metrics,
    write_metrics,
)
from tfcompress.reporting import Example, RunResults, provenance
from tfcompress.runtime.quiet import quiet_stderr
from tfcompress.training.checkpoint_files import last_update, saved_history

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
) -> RunResults | None:
    """Trains, exports, evaluates and benchmarks what a recipe describes.

    Every stage leaves its result in the folder, with what it depended on. Called again on the same
    folder, also after a kill at any time or with a recipe that changed, only those stages are done
    whose result is missing, damaged or depends on something that changed; an interrupted training
    goes on where it was saved last, and one of more `updates` is extended. A training that would
    have to begin anew is refused instead.

    With `training.strategy` multi_worker, every worker calls this with the same recipe. The first
    one does all of it; the others train with it, and keep what they need for that in a folder
    `worker-N` in theirs.

    Args:
        recipe: The recipe.
        folder: The run's folder, made if needed.
        corpus: Folder of the corpus, or its file (of a translation model a TSV file), instead of
            the recipe's own path.
        verbose: 1 for progress bars on a terminal, else a line an evaluation; 2 for lines, 0 for
            neither.
        log: Called with a line about each stage that begins.

    Returns:
        The results, which are also in `results.json`, `report.md` and `report.html`; None in
        workers that only train.

    Raises:
        InputError: If corpus, recipe and folder do not fit together, another process works in
            the folder, or a worker does not answer.
        WorkerLostError: If another worker ends; called again in new processes, it goes on.

    Example:

    >>> recipe = tfc.pipeline.load_recipe("tiny.yaml")
    >>> results = tfc.pipeline.run_recipe(recipe, "new-run", corpus="corpus", log=lambda line: None)
    >>> [row.quantization for row in results.rows]
    ['float32']
    """
    for quantization in recipe.quantizations:
        recipe.export_options(quantization).check_runtime()
    workers = join_workers(recipe, folder, log)
    if workers is not None and not workers.is_first:
        _train_along(recipe, worker_folder(folder, workers.index), corpus, workers, verbose, log)
        return None
    log(f"{recipe.name}: reading the corpus")
    task = _TASKS[type(recipe)](recipe, corpus, Path(folder) / CORPUS_INDEX)
    with Workspace(folder) as workspace:
        run = _Run(task, workspace, verbose, log)
        run.begin()
        if workers is not None:
            send_beginning(workers, workspace)
        history = run.train()
        for quantization in recipe.quantizations:
            run.export(quantization)
        for quantization in recipe.quantizations:
            run.evaluate(quantization)
        run.benchmark()
        return run.report(history)


def _train_along(recipe, folder, corpus, workers, verbose, log):
    """What workers do that are not the first."""
    log(f"{recipe.name}: reading the corpus")
    task = _TASKS[type(recipe)](recipe, corpus, folder / CORPUS_INDEX)
    stages = receive_stages(workers, task.training_needs())
    # The first one has its folder by now, in which this one may lie.
    with Workspace(folder) as workspace:
        receive_beginning(workers, workspace, stages)
        task.tokenizers = task.load_tokenizers(folder)
        _Run(task, workspace, verbose, log).fit()


@dataclasses.dataclass(frozen=True)
class _Run:
    """The stages, each of which is left out where its result is there and still holds."""

    task: Task
    workspace: Workspace
    verbose: int
    log_line: Log

    @property
    def recipe(self) -> Any:
        return self.task.recipe

    def log(self, line):
        self.log_line(f"{self.recipe.name}: {line}")

    def is_finished(self, stage, needs):
        return self.workspace.record.is_finished(stage, needs, self.log)

    def finish(self, stage, needs, *names):
        self.workspace.record.finish(stage, needs, *names)

    def bundle_content(self, quantization):
        return self.workspace.record.content(f"bundles/{quantization}")

    def begin(self):
        """Saves the tokenizers, and where there is one the model that training begins with."""
        task, workspace, recipe = self.task, self.workspace, self.recipe
        needs = workspace.check_training(task.training_needs(), recipe.training.updates)
        # What training begins with is needed no more after it.
        is_trained = workspace.record.needs("model") == self._model_needs(needs)
        if self.is_finished("tokenizers", needs) and (
            is_trained or not recipe.has_start or self.is_finished("start", needs)
        ):
            task.tokenizers = task.load_tokenizers(workspace.folder)
            workspace.begin(recipe, needs, task.validation_settings())
            if not is_trained and workspace.validation_settings != task.validation_settings():
                judged = ", ".join(f"{k} {v}" for k, v in workspace.validation_settings.items())
                self.log(f"the training is judged as when it began: {judged}")
            return
        with tempfile.TemporaryDirectory() as folder:
            start = task.begin(Path(folder), self.log)
        if start is not None:
            start = self._operate(start, recipe.surgery.before)
        # Nothing is written before all of the recipe is known to be possible.
        self._check(start)
        workspace.begin(recipe, needs, task.validation_settings())
        workspace.remove_beginning()
        task.save_tokenizers(workspace.folder)
        if start is not None:
            from tfcompress.models.presets import save_preset

            save_preset(start, workspace.start)
        workspace.finish_beginning(needs)

    def train(self) -> list[dict]:
        recipe, workspace = self.recipe, self.workspace
        needs = self._model_needs(workspace.record.needs("training"))
        if self.is_finished("model", needs):
            return self._history(needs)
        model, history = self.fit()
        from tfcompress.models.presets import save_preset

        if not history:
            write_metrics(workspace.training / "history.json", [])
        save_preset(self._operate(model, recipe.surgery.after), workspace.model)
        workspace.record.finish("model", needs, "model", content=model_digest(workspace.model))
        self.finish("history", needs, "training/history.json")
        return history

    def fit(self) -> tuple[Any, list[dict]]:
        """Trains, and returns the model and the history."""
        task, recipe, workspace = self.task, self.recipe, self.workspace
        # Only now, when the corpus and the recipe are known to be good.
        load_tensorflow()
        from tfcompress.models.presets import load_preset

        start = load_preset(workspace.start) if workspace.start.exists() else None
        config = task.model_config(None if start is None else start.config)
        check_scheme_names(recipe.quantization_scheme, config)
        teacher = None if recipe.training.distillation is None else task.load_teacher()
        data = task.training_data(config, workspace, self.log)
        done, updates = last_update(workspace.training), recipe.training.updates
        logs = workspace.training / "tensorboard"
        self.log(f"training from update {done} of {updates}; TensorBoard reads {logs}")
        return task.train(
            config,
            *data,
            recipe.training,
            workspace.training,
            start=start,
            teacher=teacher,
            verbose=self.verbose,
            log=self.log,
        )

    def export(self, quantization):
        stage = f"bundles/{quantization}"
        task, workspace, record = self.task, self.workspace, self.workspace.record
        texts = task.corpus.splits
        data = {
            "representative_data": [*texts["train"][0][:REPRESENTATIVE_TEXTS]],
            "samples": [*texts["valid"][0][:_SAMPLES]],
        }
        mapping = schema.to_mapping(self.recipe)
        needs = {
            "format": FORMAT,
            "model": record.content("model"),
            "tokenizers": record.content("tokenizers"),
            "scheme": mapping["quantization_scheme"] if quantization == "mixed" else None,
            "texts": digest(data if quantization in STATIC else data["samples"]),
            **replaced({"export": mapping["export"]}, self.recipe.paths, content_digest),
        }
        if self.is_finished(stage, needs):
            return
        load_tensorflow()
        from tfcompress.export import convert
        from tfcompress.models.presets import load_preset

        self.log(f"exporting {quantization}")
        options = self.recipe.export_options(
            quantization, **data, **task.tokenizer_options(), force=True
        )
        with quiet_stderr():
            convert(load_preset(workspace.model), workspace.bundle(quantization), options)
        self.finish(stage, needs, stage)

    def evaluate(self, quantization):
        name = f"evaluation/{quantization}.json"
        needs = {"bundle": self.bundle_content(quantization), **self.task.evaluation_needs()}
        if self.is_finished(name, needs):
            return
        count = len(self.task.corpus.splits["test"][0])
        measured = provenance.measurement()
        self.log(f"evaluating {quantization} on {count} {self.task.examples}")
        metrics = self.task.evaluate(self.workspace.bundle(quantization), self.verbose == 1)
        write_metrics(self.workspace.folder / name, metrics | {"measured": measured})
        self.finish(name, needs, name)

    def benchmark(self):
        """Times all bundles together, unless all have been."""
        quantizations = self.recipe.quantizations
        settings = dataclasses.asdict(self.recipe.benchmark)
        settings["num_threads"] = settings.pop("threads")
        texts = self.task.corpus.splits["test"][0][: settings.pop(self.task.examples)]
        stages = {
            f"benchmark/{name}.json": {
                "bundle": self.bundle_content(name),
                "texts": digest(texts),
                **settings,
            }
            for name in quantizations
        }
        if all(self.is_finished(*stage) for stage in stages.items()):
            return
        self.log(f"timing {', '.join(quantizations)} on {len(texts)} {self.task.examples}")
        bundles = [self.workspace.bundle(name) for name in quantizations]
        measured = provenance.measurement()
        timings = benchmark_in_turns(bundles, texts, **settings)
        for (name, needs), metrics in zip(stages.items(), timings):
            write_metrics(self.workspace.folder / name, metrics | {"measured": measured})
            self.finish(name, needs, name)

    def report(self, history) -> RunResults:
        task, name = self.task, self.recipe.name
        sources, references = task.corpus.splits["test"]
        rows, timings, results = [], [], {}
        for quantization in self.recipe.quantizations:
            evaluation, timing = (
                read_metrics(self.workspace.metrics(stage, quantization), shape)
                for stage, shape in (("evaluation", task.evaluation), ("benchmark", TIMING))
            )
            results[f"{name} {quantization}"] = task.results(evaluation)
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

    def _model_needs(self, training):
        after = schema.to_mapping(self.recipe)["surgery"]["after"]
        updates = self.recipe.training.updates
        return {"training": digest(training), "updates": updates, "surgery": {"after": after}}

    def _history(self, needs):
        """The history of a finished training, if need be from its last checkpoint."""
        path = self.workspace.training / "history.json"
        if not self.is_finished("history", needs):
            history = saved_history(self.workspace.training)
            if not history and self.recipe.training.updates:
                raise InputError(
                    f"The history of a training is lost. Received: {path}. Put it back, or give "
                    "another --run."
                )
            write_metrics(path, history)
            self.finish("history", needs, "training/history.json")
        return read_metrics(path, HISTORY)

    def _check(self, start):
        """Finds, before anything is written, what would stop a later stage."""
        task, recipe = self.task, self.recipe
        config = task.model_config(None if start is None else start.config)
        if recipe.quantization_scheme is not None:
            load_tensorflow()
            check_scheme_names(recipe.quantization_scheme, config)
        if recipe.training.distillation is not None:
            load_tensorflow()
            task.check_teacher(config)

    def _operate(self, model, steps):
        """Returns the model after surgery; the tokenizers may change with it."""
        if not steps:
            return model
        from tfcompress.pipeline.surgery_steps import perform

        self.log(", ".join(step.name for step in steps))
        context = perform(steps, self.task.surgery(model))
        self.task.tokenizers = context.tokenizers
        return context.model
