"""`tfcompress evaluate`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_json,
    add_search,
    refuse,
    with_defaults,
)
from tfcompress.commands.printing import print_json, print_metrics
from tfcompress.errors import InputError

_SCORING = {"beam_size": 5, "length_penalty": 1.0, "tokenize": "13a", "lowercase": False}


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "evaluate", "score a bundle on a test set", _run)
    parser.add_argument("bundle", help="folder of a bundle")
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
    from tfcompress.runtime.manifest import bundle_model_type

    evaluations = {"text_encoder": _evaluate_encoder, "language_model": _evaluate_language_model}
    evaluations.get(bundle_model_type(options.bundle), _evaluate_translator)(options)


def _evaluate_translator(options):
    from tfcompress.pipeline import evaluate_translation
    from tfcompress.text import read_lines

    if options.data is not None or options.source is None or options.reference is None:
        raise InputError("a translation model needs --source and --reference, and no --data")
    refuse(options, "a translation model", "join")
    metrics = evaluate_translation(
        options.bundle,
        read_lines(options.source),
        read_lines(options.reference),
        **with_defaults(options, **_SCORING),
        num_threads=options.threads,
        progress=not options.json,
    )
    if options.json:
        del metrics["translations"]
        return _print_json(metrics)
    low, high = metrics["interval"]
    return print(f"BLEU {metrics['bleu']:.2f} [{low:.2f}, {high:.2f}] {metrics['signature']}")


def _evaluate_encoder(options):
    from tfcompress.pipeline import evaluate_text_encoder

    if options.data is None or options.source is not None or options.reference is not None:
        raise InputError("a text encoder needs --data, and no --source and --reference")
    refuse(options, "a text encoder", "join", *_SCORING)
    metrics = evaluate_text_encoder(
        options.bundle, options.data, num_threads=options.threads, progress=not options.json
    )
    metrics.pop("labels", None)
    return _print_json(metrics) if options.json else print_metrics(metrics)


def _evaluate_language_model(options):
    from tfcompress.pipeline import evaluate_language_model
    from tfcompress.text import is_blank, read_lines

    if options.data is None:
        raise InputError("A language model needs texts. Received: none. Give --data.")
    refuse(options, "a language model", "source", "reference", *_SCORING)
    metrics = evaluate_language_model(
        options.bundle,
        [line for line in read_lines(options.data) if not is_blank(line)],
        join=bool(options.join),
        num_threads=options.threads,
        progress=not options.json,
    )
    del metrics["log_probabilities"]
    return _print_json(metrics) if options.json else print_metrics(metrics)


def _print_json(metrics):
    from tfcompress.reporting.provenance import measurement

    print_json(metrics | measurement())
