"""`tfcompress evaluate`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_json,
    add_search,
    add_target,
    refuse,
    with_defaults,
)
from tfcompress.commands.printing import print_json, print_metrics
from tfcompress.errors import InputError

_SCORING = {"beam_size": 5, "length_penalty": 1.0, "tokenize": "13a", "lowercase": False}


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "evaluate", "score a bundle, or those of a run, on a test set", _run
    )
    add_target(parser)
    parser.add_argument("--source", help="of a translation model: sentences, one a line")
    parser.add_argument("--reference", help="of a translation model: their translations")
    parser.add_argument(
        "--data",
        help="of a text encoder: a .tsv or .tsv.gz file of text<TAB>label lines, or for vectors of "
        "text<TAB>text<TAB>score lines; of a language model: texts, one a line",
    )
    parser.add_argument(
        "--join",
        action="store_true",
        default=None,
        help="of a language model: let it see what stands before a text",
    )
    add_search(parser, beam_size=_SCORING["beam_size"])
    parser.add_argument("--tokenize", help="sacrebleu's tokenization (13a)")
    parser.add_argument("--lowercase", action="store_true", default=None, help="ignore case")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline.targets import check_target, open_bundles
    from tfcompress.runtime.manifest import bundle_model_type

    check_target(options.target)
    with open_bundles(options.target, quantization=options.quantization) as bundles:
        model_type = bundle_model_type(next(iter(bundles.values())))
        evaluate, show = _EVALUATIONS.get(model_type, _EVALUATIONS["translation"])
        metrics = {name: evaluate(options, path) for name, path in bundles.items()}
    if options.json:
        from tfcompress.reporting.provenance import measurement

        first = next(iter(metrics.values()))
        return print_json((first if len(metrics) == 1 else metrics) | measurement())
    for name, result in metrics.items():
        if len(metrics) > 1:
            print(name, end="  ")
        show(result)
    return None


def _evaluate_translator(options, bundle):
    from tfcompress.pipeline import evaluate_translation
    from tfcompress.text import read_lines

    if options.data is not None or options.source is None or options.reference is None:
        raise InputError(
            "A translation model needs --source and --reference, and no --data. Received: "
            f"{_flags(options)}."
        )
    refuse(options, "a translation model", "join")
    metrics = evaluate_translation(
        bundle,
        read_lines(options.source),
        read_lines(options.reference),
        **with_defaults(options, **_SCORING),
        num_threads=options.threads,
        progress=not options.json,
    )
    del metrics["translations"]
    return metrics


def _show_translator(metrics):
    low, high = metrics["interval"]
    print(f"BLEU {metrics['bleu']:.2f} [{low:.2f}, {high:.2f}] {metrics['signature']}")


def _evaluate_encoder(options, bundle):
    from tfcompress.pipeline import evaluate_text_encoder

    if options.data is None or options.source is not None or options.reference is not None:
        raise InputError(
            "A text encoder needs --data, and no --source and --reference. Received: "
            f"{_flags(options)}."
        )
    refuse(options, "a text encoder", "join", *_SCORING)
    metrics = evaluate_text_encoder(
        bundle, options.data, num_threads=options.threads, progress=not options.json
    )
    metrics.pop("labels", None)
    return metrics


def _evaluate_language_model(options, bundle):
    from tfcompress.pipeline import evaluate_language_model
    from tfcompress.text import is_blank, read_lines

    if options.data is None:
        raise InputError("A language model needs texts. Received: none. Give --data.")
    refuse(options, "a language model", "source", "reference", *_SCORING)
    metrics = evaluate_language_model(
        bundle,
        [line for line in read_lines(options.data) if not is_blank(line)],
        join=bool(options.join),
        num_threads=options.threads,
        progress=not options.json,
    )
    del metrics["log_probabilities"]
    return metrics


def _flags(options):
    names = ("source", "reference", "data")
    flags = [f"--{name}" for name in names if getattr(options, name) is not None]
    return " and ".join(flags) or "none of them"


# How each type of model is evaluated, and how its metrics are shown.
_EVALUATIONS = {
    "translation": (_evaluate_translator, _show_translator),
    "text_encoder": (_evaluate_encoder, print_metrics),
    "language_model": (_evaluate_language_model, print_metrics),
}
