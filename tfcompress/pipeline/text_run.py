"""Running a recipe of a text encoder: train, export, evaluate, benchmark, report."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.models.head_config import CLASSIFICATION
from tfcompress.pipeline.benchmarking import benchmark_run
from tfcompress.pipeline.encoder_evaluation import evaluate_classifier
from tfcompress.pipeline.exporting import REPRESENTATIVE_SENTENCES, check_plan_names, text_ids
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.reports import bundle_row, percent, report_run
from tfcompress.pipeline.text_recipe import MINILM, TextRecipe
from tfcompress.pipeline.workspace import (
    HISTORY,
    TIMING,
    TOKENIZER,
    Workspace,
    check_results,
    finished_run,
    read_figures,
    save_text_tokenizer,
    saved_text_tokenizer,
    write_figures,
)
from tfcompress.reporting import Example, RunResults, provenance
from tfcompress.text import LabelledTexts, load_labelled_corpus, load_text_tokenizer

_EXAMPLES = 8
_SAMPLES = 20
_EVALUATION = {"accuracy": float, "interval": (float, float), "examples": int, "labels": [int]}
# Texts that tokenizers are compared on.
_COMPARED = 1000


def run_text_recipe(
    recipe: TextRecipe,
    folder: str | Path,
    *,
    corpus: str | Path | None = None,
    verbose: int = 1,
    say: Callable[[str], object] = print,
) -> RunResults:
    """Trains, exports, evaluates and benchmarks the classifier that a recipe describes.

    Args:
        recipe: The recipe.
        folder: As for `run_recipe`, like all that follows.
        corpus: Folder of the corpus.
        verbose: How much to show.
        say: Called with a line about each stage that begins.

    Returns:
        The results.

    Raises:
        InputError: If corpus, recipe and folder do not fit together.
    """
    path = corpus or recipe.corpus.path
    if path is None:
        raise InputError("the recipe names no corpus: give --corpus, or set `corpus.path`")
    files = recipe.corpus
    data = load_labelled_corpus(
        path, labels=files.labels, train=files.train, valid=files.valid, test=files.test
    )
    if "test" not in data.splits:
        raise InputError(
            f"the corpus {data.name} has no test file {files.test}.tsv; add one, or name it under "
            "`corpus.test`"
        )
    if recipe.teacher is not None:
        finished_run(recipe.teacher.path, "teacher.path")
    if recipe.start_from is not None:
        finished_run(recipe.start_from, "start_from")
    if len(data.labels) < 2:
        raise InputError(
            f"the corpus {data.name} has one class only ({', '.join(data.labels)}); a classifier "
            "needs two or more"
        )
    workspace = Workspace(folder, recipe, data.digest())
    tokenizer = _begin(recipe, data, workspace, say)
    history = _train(recipe, data, tokenizer, workspace, verbose, say)
    for quantization in recipe.quantizations:
        _export(recipe, data, tokenizer, workspace, quantization, say)
    for quantization in recipe.quantizations:
        _evaluate(recipe, data, workspace, quantization, verbose, say)
    settings = recipe.benchmark
    benchmark_run(
        workspace,
        recipe.name,
        recipe.quantizations,
        data.splits["test"][0][: settings.texts],
        say=say,
        threads=settings.threads,
        runs=settings.runs,
    )
    return _report(recipe, data, workspace, history)


def _begin(recipe, data, workspace, say):
    """Saves the model that the run begins with, after surgery, and returns the tokenizer."""
    if (workspace.folder / TOKENIZER / "settings.json").exists():
        return saved_text_tokenizer(workspace.folder)
    model, tokenizer = _given(recipe)
    if model is not None:
        model = _with_classes(recipe, model, data.labels, say)
        if recipe.surgery.before:
            model = _operated(recipe, "before", model, tokenizer, data, say)
        from tfcompress.models.presets import save_preset

        save_preset(model, workspace.start)
    # Last: its settings say that this stage is done.
    save_text_tokenizer(tokenizer, workspace.folder)
    return tokenizer


def _given(recipe):
    """The model and the tokenizer that a recipe names."""
    if recipe.start_from is not None:
        former = finished_run(recipe.start_from, "start_from")
        return _load(former / "model", "start_from"), saved_text_tokenizer(former)
    if recipe.pretrained is None:
        return None, load_text_tokenizer(recipe.tokenizer)
    folder = _pretrained_folder(recipe.pretrained)
    tokenizer = load_text_tokenizer(folder if recipe.tokenizer is None else recipe.tokenizer)
    return _load(folder, "pretrained"), tokenizer


def _with_classes(recipe, model, labels, say):
    """The model with the corpus' classes in their order, where it has them."""
    from tfcompress.models import TextEncoder
    from tfcompress.models.classes import has_names, match_classes
    from tfcompress.surgery import select_classes

    head = model.config.head
    if head is None or head.kind != CLASSIFICATION:
        return model
    wanted = dataclasses.replace(head, num_classes=None, labels=labels)
    match = match_classes(head, wanted)
    if match.message is not None and match.order is not None:
        say(f"{recipe.name}: {match.message}")
    if match.order is not None:
        return model if head.labels == labels else select_classes(model, labels)
    if not has_names(head) and head.classes == len(recipe.corpus.labels):
        say(f"{recipe.name}: the model's classes are called {', '.join(labels)}, in this order")
        return TextEncoder(model.config.replace(head=wanted), model.model)
    return model  # Training says that the head starts anew.


def _pretrained_folder(name):
    if name != MINILM:
        return Path(name)
    load_tensorflow()
    from tfcompress.models import minilm_folder

    return minilm_folder()


def _load(folder, key):
    load_tensorflow()
    from tfcompress.models import TextEncoder, from_safetensors
    from tfcompress.models.preset_folder import WEIGHTS_FILE
    from tfcompress.models.presets import load_preset

    saved = (folder / WEIGHTS_FILE).is_file()
    model = load_preset(folder) if saved else from_safetensors(folder)
    if not isinstance(model, TextEncoder):
        raise InputError(f"`{key}` must be a text encoder (received a translation model)")
    return model


def _operated(recipe, when, model, tokenizer, data, say):
    from tfcompress.pipeline.operating import operate
    from tfcompress.pipeline.text_patient import TextPatient

    steps = getattr(recipe.surgery, when)
    say(f"{recipe.name}: {', '.join(step.name for step in steps)}")
    return operate(TextPatient(model, tokenizer, data), steps).transformer


def _train(recipe, data, tokenizer, workspace, verbose, say) -> list[dict]:
    history = read_figures(workspace.training / "history.json", HISTORY)
    if workspace.model.exists() and history is not None:
        return history
    load_tensorflow()
    from tfcompress.models.presets import load_preset, save_preset
    from tfcompress.training import train_classifier

    start = load_preset(workspace.start) if workspace.start.exists() else None
    config = recipe.model_config(
        None if start is None else start.config,
        vocabulary_size=tokenizer.vocabulary_size,
        pad_id=tokenizer.pad_id,
        labels=data.labels,
    )
    check_plan_names(recipe.plan, config)
    teacher = None
    if recipe.teacher is not None:
        teacher = _teacher(recipe, tokenizer, data)
    say(f"{recipe.name}: training for {recipe.training.updates} updates")
    train, valid = (
        LabelledTexts(
            tokenizer,
            *data.splits[split],
            max_length=config.max_length,
            token_types=config.token_types,
        )
        for split in ("train", "valid")
    )
    encoder, history = train_classifier(
        config,
        train,
        valid,
        recipe.training,
        workspace.training,
        start=start,
        teacher=teacher,
        verbose=verbose,
        say=lambda line: say(f"{recipe.name}: {line}"),
    )
    if recipe.surgery.after:
        encoder = _operated(recipe, "after", encoder, tokenizer, data, say)
    save_preset(encoder, workspace.model)
    if not history:
        write_figures(workspace.training / "history.json", [])
    return history


def _teacher(recipe, tokenizer, data):
    run = finished_run(recipe.teacher.path, "teacher.path")
    texts = data.splits["train"][0][:_COMPARED]
    theirs, ours = (one.encode(texts) for one in (saved_text_tokenizer(run), tokenizer))
    if any([*one] != [*other] for one, other in zip(theirs, ours)):
        raise InputError(
            f"`teacher.path`: {run} has another tokenizer than this run; train a teacher with the "
            "student's"
        )
    return _load(run / "model", "teacher.path")


def _export(recipe, data, tokenizer, workspace, quantization, say):
    path = workspace.bundle(quantization)
    if path.exists():
        return
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import load_preset

    say(f"{recipe.name}: exporting {quantization}")
    encoder = load_preset(workspace.model)
    typical = None
    if quantization in STATIC:
        texts = data.splits["train"][0][:REPRESENTATIVE_SENTENCES]
        typical = text_ids(tokenizer, texts, encoder.config.max_length)
    convert(
        encoder,
        path,
        tokenizer=tokenizer,
        quantization=quantization,
        plan=recipe.plan if quantization == "mixed" else None,
        representative_data=typical,
        samples=text_ids(tokenizer, data.splits["valid"][0][:_SAMPLES], encoder.config.max_length),
    )


def _evaluate(recipe, data, workspace, quantization, verbose, say):
    path = workspace.figures("evaluation", quantization)
    if path.exists():
        return
    bundle = workspace.bundle(quantization)
    texts, labels = data.splits["test"]
    measured = provenance.measurement()
    say(f"{recipe.name}: evaluating {quantization} on {len(texts)} texts")
    figures = evaluate_classifier(bundle, texts, labels, progress=verbose == 1)
    valid = evaluate_classifier(bundle, *data.splits["valid"], progress=verbose == 1)
    figures |= {"valid_accuracy": valid["accuracy"], "measured": measured}
    write_figures(path, figures)


def _report(recipe, data, workspace, history) -> RunResults:
    rows, timings, found = [], [], {}
    for quantization in recipe.quantizations:
        path = workspace.figures("evaluation", quantization)
        evaluation = read_figures(path, _EVALUATION)
        timing = read_figures(workspace.figures("benchmark", quantization), TIMING)
        check_results(path, evaluation["labels"], data.splits["test"][0])
        found[f"{recipe.name} {quantization}"] = evaluation["labels"]
        bundle = workspace.bundle(quantization)
        rows.append(bundle_row(recipe.name, bundle, timing, **_scores(evaluation)))
        timings.append(timing)
    texts, labels = data.splits["test"]
    examples = [
        Example(
            source=texts[i],
            reference=data.labels[labels[i]],
            translations={name: data.labels[numbers[i]] for name, numbers in found.items()},
        )
        for i in range(min(_EXAMPLES, len(texts)))
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
    low, high = map(percent, evaluation["interval"])
    return {
        "accuracy": percent(evaluation["accuracy"]),
        "accuracy_low": low,
        "accuracy_high": high,
        "f1": percent(evaluation.get("f1", evaluation.get("macro_f1"))),
        "sentences": evaluation["examples"],
    }
