"""Running a recipe: train, export, evaluate, benchmark, report."""

import json
from collections.abc import Callable
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.files import replace_file
from tfcompress.pipeline.benchmarking import benchmark_run
from tfcompress.pipeline.evaluation import evaluate
from tfcompress.pipeline.exporting import REPRESENTATIVE_SENTENCES, check_plan_names, source_ids
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.reports import bundle_row, report_run
from tfcompress.pipeline.text_recipe import TextRecipe
from tfcompress.pipeline.text_run import run_text_recipe
from tfcompress.pipeline.workspace import (
    HISTORY,
    TIMING,
    Workspace,
    check_results,
    finished_run,
    read_figures,
    saved_tokenizers,
    write_figures,
)
from tfcompress.reporting import Example, RunResults, provenance
from tfcompress.text import TokenizedPairs, Tokenizer, load_corpus, train_tokenizer
from tfcompress.text.bleu import check_tokenization
from tfcompress.text.corpora import Corpus

_EVALUATION = {
    "bleu": float,
    "interval": (float, float),
    "signature": str,
    "sentences": int,
    "beam_size": int,
    "translations": [str],
}


def run_recipe(
    recipe: Recipe | TextRecipe,
    folder: str | Path,
    *,
    corpus: str | Path | None = None,
    verbose: int = 1,
    say: Callable[[str], object] = print,
) -> RunResults:
    """Trains, exports, evaluates and benchmarks what a recipe describes.

    Every stage leaves its result in the folder; called again on the same folder, finished stages
    are not repeated and an interrupted training goes on where it was saved last.

    Args:
        recipe: The recipe.
        folder: The run's folder, made if needed.
        corpus: Folder of the corpus, or TSV file of translations, instead of the recipe's own
            path.
        verbose: 1 for progress bars, 2 for a line an evaluation, 0 for neither.
        say: Called with a line about each stage that begins.

    Returns:
        The results, which are also in `results.json`, `report.md` and `report.html`.

    Raises:
        InputError: If corpus, recipe and folder do not fit together.

    Example:

    >>> recipe = tfc.pipeline.load_recipe("examples/recipes/multi30k_tiny.yaml")
    >>> results = tfc.pipeline.run_recipe(recipe, "runs/multi30k", corpus="multi30k/tok")
    """
    if isinstance(recipe, TextRecipe):
        return run_text_recipe(recipe, folder, corpus=corpus, verbose=verbose, say=say)
    data = _corpus(recipe, corpus)
    if "test" not in data.splits:
        raise InputError(
            f"the corpus {data.name} has no test split `{recipe.corpus.test}`; add one, or name "
            "it under `corpus.test`"
        )
    _check_early(recipe)
    workspace = Workspace(folder, recipe, data.digest())
    start = None
    if recipe.start_from is None:
        tokenizers = _tokenizers(recipe, data, workspace)
    else:
        start, tokenizers = _begin(recipe, data, workspace, say)
    history = _train(recipe, data, tokenizers, start, workspace, verbose, say)
    for quantization in recipe.quantizations:
        _export(recipe, data, tokenizers, workspace, quantization, say)
    for quantization in recipe.quantizations:
        _evaluate(recipe, data, workspace, quantization, verbose, say)
    settings = recipe.benchmark
    benchmark_run(
        workspace,
        recipe.name,
        recipe.quantizations,
        data.splits["test"][0][: settings.sentences],
        say=say,
        threads=settings.threads,
        beam_size=settings.beam_size,
        runs=settings.runs,
    )
    return _report(recipe, data, workspace, history)


def _check_early(recipe):
    """Finds, before anything is written, what would stop a later stage."""
    check_tokenization(recipe.evaluation.tokenize)
    named = {"start_from": recipe.start_from, "tokenizer.like": recipe.tokenizer.like}
    if recipe.teacher is not None:
        named["teacher.path"] = recipe.teacher.path
    for key, run in named.items():
        if run is not None:
            finished_run(run, key)
    if recipe.teacher is not None and recipe.teacher.sequences:
        bundle = Path(recipe.teacher.path) / "bundles" / recipe.teacher.quantization
        if not bundle.is_dir():
            raise InputError(
                f"{bundle}: no such bundle; name one of the teacher's under `teacher.quantization`"
            )


def _corpus(recipe: Recipe, path: str | Path | None) -> Corpus:
    source = recipe.corpus
    if source.kind == "phrases":
        if path is not None:
            raise InputError(
                "this recipe uses the corpus that ships with the library; leave --corpus out, or "
                "set `corpus.kind` to files"
            )
        from tfcompress.text.phrases import phrase_corpus

        return phrase_corpus(pairs=source.pairs, seed=source.seed)
    path = path or source.path
    if path is None:
        raise InputError("the recipe names no corpus: give --corpus, or set `corpus.path`")
    return load_corpus(
        path,
        source_language=source.source_language,
        target_language=source.target_language,
        train=source.train,
        valid=source.valid,
        test=source.test,
    )


def _begin(recipe, data, workspace, say):
    """Returns where the model lies that training begins with, after surgery, and its tokenizers."""
    if not workspace.start.exists():
        former = finished_run(recipe.start_from, "start_from")
        model, tokenizers = former / "model", saved_tokenizers(former)
        load_tensorflow()
        from tfcompress.models.presets import load_preset, save_preset

        transformer = load_preset(model)
        if recipe.surgery.before:
            patient = _operated(recipe, "before", transformer, tokenizers, data, say)
            transformer, tokenizers = patient.transformer, patient.tokenizers
        _save_tokenizers(tokenizers, workspace)
        save_preset(transformer, workspace.start)
    return workspace.start, saved_tokenizers(workspace.folder)


def _save_tokenizers(tokenizers, workspace):
    sides = ("joint",) if tokenizers[0] is tokenizers[1] else ("source", "target")
    for side, tokenizer in zip(sides, tokenizers):
        replace_file(workspace.tokenizer(side), tokenizer.proto)


def _operated(recipe, when, transformer, tokenizers, data, say):
    from tfcompress.pipeline.operating import operate
    from tfcompress.pipeline.translation_patient import TranslationPatient

    steps = getattr(recipe.surgery, when)
    say(f"{recipe.name}: {', '.join(step.name for step in steps)}")
    return operate(TranslationPatient(transformer, tokenizers, data), steps)


def _tokenizers(recipe, data, workspace) -> tuple[Tokenizer, Tokenizer]:
    if recipe.tokenizer.like is not None:
        tokenizers = saved_tokenizers(finished_run(recipe.tokenizer.like, "tokenizer.like"))
        _save_tokenizers(tokenizers, workspace)
        return tokenizers
    sources, targets = data.splits["train"]
    if recipe.tokenizer.joint:
        joint = _tokenizer(recipe, [*sources, *targets], workspace.tokenizer("joint"))
        return joint, joint
    return (
        _tokenizer(recipe, sources, workspace.tokenizer("source")),
        _tokenizer(recipe, targets, workspace.tokenizer("target")),
    )


def _tokenizer(recipe, sentences, path) -> Tokenizer:
    if path.exists():
        return Tokenizer(path)
    settings = recipe.tokenizer
    return train_tokenizer(
        sentences,
        vocabulary_size=settings.vocabulary_size,
        path=path,
        model_type=settings.model_type,
        normalization=settings.normalization,
    )


def _train(recipe, data, tokenizers, start, workspace, verbose, say) -> list[dict]:
    history = read_figures(workspace.training / "history.json", HISTORY)
    if workspace.model.exists() and history is not None:
        return history
    # Only now, when the corpus and the recipe are known to be good.
    load_tensorflow()
    from tfcompress.models.presets import load_preset, save_preset
    from tfcompress.training import Validation, train

    source_tokenizer, target_tokenizer = tokenizers
    start = None if start is None else load_preset(start)
    teacher = None
    if recipe.training.distillation is not None:
        teacher = load_preset(finished_run(recipe.teacher.path, "teacher.path") / "model")
    sources, targets = data.splits["train"]
    if recipe.teacher is not None and recipe.teacher.sequences:
        targets = _teacher_targets(recipe, sources, targets, workspace, say)
    say(f"{recipe.name}: training for {recipe.training.updates} updates")
    pairs = TokenizedPairs.from_corpus(
        source_tokenizer, sources, targets, target_tokenizer=target_tokenizer
    )
    validation = Validation(
        *data.splits["valid"],
        source_tokenizer,
        target_tokenizer,
        tokenize=recipe.evaluation.tokenize,
        lowercase=recipe.evaluation.lowercase,
    )
    sizes = (tokenizer.vocabulary_size for tokenizer in tokenizers)
    config = recipe.model_config(*sizes, start=None if start is None else start.config)
    check_plan_names(recipe.plan, config)
    transformer, history = train(
        config,
        pairs,
        validation,
        recipe.training,
        workspace.training,
        start=start,
        teacher=teacher,
        verbose=verbose,
        say=lambda line: say(f"{recipe.name}: {line}"),
    )
    if recipe.surgery.after:
        transformer = _operated(recipe, "after", transformer, tokenizers, data, say).transformer
    save_preset(transformer, workspace.model)
    if not history:
        write_figures(workspace.training / "history.json", [])
    return history


def _teacher_targets(recipe, sources, targets, workspace, say):
    """Returns the teacher's translations of the training sentences."""
    from tfcompress.runtime import Translator
    from tfcompress.training import distill_corpus

    teacher = recipe.teacher
    bundle = finished_run(teacher.path, "teacher.path") / "bundles" / teacher.quantization
    settings = {"beam_size": teacher.beam_size, "n_best": teacher.n_best, "return_scores": True}
    say(f"{recipe.name}: {teacher.path} translates {len(sources)} sentences")
    translator = Translator(bundle)
    return distill_corpus(
        lambda batch: [[h.text for h in row] for row in translator.translate(batch, **settings)],
        sources,
        workspace.folder / "teacher.txt",
        references=targets if teacher.n_best > 1 else None,
        name=f"{json.dumps(settings)} {(bundle / 'manifest.json').read_text(encoding='utf-8')}",
    )


def _export(recipe, data, tokenizers, workspace, quantization, say):
    path = workspace.bundle(quantization)
    if path.exists():
        return
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import load_preset

    say(f"{recipe.name}: exporting {quantization}")
    transformer = load_preset(workspace.model)
    typical = None
    if quantization in STATIC:
        sentences = data.splits["train"][0][:REPRESENTATIVE_SENTENCES]
        typical = source_ids(tokenizers[0], sentences, transformer.config)
    convert(
        transformer,
        path,
        source_tokenizer=tokenizers[0],
        target_tokenizer=tokenizers[1],
        quantization=quantization,
        plan=recipe.plan if quantization == "mixed" else None,
        representative_data=typical,
        samples=source_ids(tokenizers[0], data.splits["valid"][0][:20], transformer.config),
    )


def _evaluate(recipe, data, workspace, quantization, verbose, say):
    path = workspace.figures("evaluation", quantization)
    if path.exists():
        return
    settings = recipe.evaluation
    measured = provenance.measurement()
    say(f"{recipe.name}: evaluating {quantization} on {len(data.splits['test'][0])} sentences")
    figures = evaluate(
        workspace.bundle(quantization),
        *data.splits["test"],
        beam_size=settings.beam_size,
        length_penalty=settings.length_penalty,
        tokenize=settings.tokenize,
        lowercase=settings.lowercase,
        progress=verbose == 1,
    )
    write_figures(path, figures | {"measured": measured})


def _report(recipe, data, workspace, history) -> RunResults:
    rows, timings, translations = [], [], {}
    for quantization in recipe.quantizations:
        path = workspace.figures("evaluation", quantization)
        evaluation = read_figures(path, _EVALUATION)
        timing = read_figures(workspace.figures("benchmark", quantization), TIMING)
        lines = evaluation["translations"]
        check_results(path, lines, data.splits["test"][0])
        translations[f"{recipe.name} {quantization}"] = lines
        bundle = workspace.bundle(quantization)
        rows.append(bundle_row(recipe.name, bundle, timing, **_scores(evaluation)))
        timings.append(timing)
    sources, references = data.splits["test"]
    examples = [
        Example(
            source=sources[i],
            reference=references[i],
            translations={name: lines[i] for name, lines in translations.items()},
        )
        for i in range(min(recipe.evaluation.examples, len(sources)))
    ]
    return report_run(
        workspace.folder,
        recipe.name,
        f"{data.name}, {recipe.corpus.test}",
        rows=rows,
        timings=timings,
        examples=examples,
        history=history,
    )


def _scores(evaluation):
    low, high = evaluation["interval"]
    names = ("bleu", "signature", "sentences", "beam_size")
    return {name: evaluation[name] for name in names} | {"bleu_low": low, "bleu_high": high}
