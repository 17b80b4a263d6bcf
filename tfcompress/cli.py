"""The command line: each command reads its arguments and calls one public function."""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from tfcompress import __version__
from tfcompress.errors import InputError, InputWarning
from tfcompress.interrupts import Interrupts

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: The command line without the program's name; that of the process by default.

    Returns:
        The exit code: 0, 2 for what the user can mend (input, a full disk, too little memory), 130
        after Ctrl-C.
    """
    if sys.stdout is None:
        return _fail("standard output is closed; send it to a file, or to /dev/null")
    interrupts = Interrupts(defer=False)
    try:
        options = _parser().parse_args(arguments)
        _prepare_environment()
        with interrupts, warnings.catch_warnings():
            warnings.showwarning = _show_warning
            options.command(options)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # The reader of our output has seen enough.
        return 0
    except Exception as error:
        if interrupts.noted:
            # TensorFlow may turn an interrupt into an error of its own.
            return _interrupted()
        cause = _cause(error)
        if cause is None or os.environ.get("TFCOMPRESS_TRACEBACK"):
            raise
        return _fail(cause)
    return 0


def _show_warning(message, category, filename, lineno, file=None, line=None):
    if issubclass(category, InputWarning):
        text = f"warning: {message}"
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line).rstrip("\n")
    print(text, file=file or sys.stderr)


def _cause(error: Exception) -> str | None:
    """Returns what the user can mend, or None for a fault of ours."""
    if isinstance(error, InputError | OSError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); give smaller batches, or less input at once"
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
        return None
    errors = tensorflow.errors
    message = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, errors.ResourceExhaustedError) and "No space left" not in message:
        return f"out of memory ({message}); give a smaller `training.batch_tokens`"
    # What the file system refuses.
    refusals = (
        errors.ResourceExhaustedError,
        errors.PermissionDeniedError,
        errors.FailedPreconditionError,
        errors.NotFoundError,
        errors.OutOfRangeError,
        errors.DataLossError,
    )
    return f"{message}; check the disk" if isinstance(error, refusals) else None


def _fail(cause):
    print(f"error: {' '.join(cause.split())}", file=sys.stderr)
    return EXIT_BAD_INPUT


def _interrupted():
    print("interrupted; run the same command to go on", file=sys.stderr)
    return EXIT_INTERRUPTED


def _prepare_environment():
    """Chooses Keras 2, which trains faster on CPUs and which tfmot needs; quiets TensorFlow."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line."""

    def error(self, message):
        self.exit(EXIT_BAD_INPUT, f"error: {message}; see `{self.prog} --help`\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tfcompress", description="Keras Transformers made small and fast enough for a phone."
    )
    parser.add_argument("--version", action="version", version=f"tfcompress {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for add in (
        _add_quickstart,
        _add_describe,
        _add_train,
        _add_export,
        _add_sensitivity,
        _add_translate,
        _add_evaluate,
        _add_benchmark,
        _add_report,
        _add_build_native,
        _add_corpus,
    ):
        add(commands)
    return parser


def _command(commands, name, run, help_text):
    parser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(command=run)
    return parser


def _add_json(parser):
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def _add_search(parser, beam_size):
    parser.add_argument("--beam-size", type=int, help=f"1 is greedy search ({beam_size})")
    parser.add_argument(
        "--length-penalty",
        type=float,
        help="exponent of the length that beam scores are divided by (1.0)",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads to run on (%(default)s)")


def _given(options, **defaults):
    """What was given on the command line, or else the default."""
    values = {name: getattr(options, name) for name in defaults}
    return {name: defaults[name] if value is None else value for name, value in values.items()}


def _add_quickstart(commands):
    parser = _command(
        commands,
        "quickstart",
        _quickstart,
        "train a baseline and a compressed translator on the corpus that ships with the library, "
        "export both, and compare them",
    )
    parser.add_argument("--run", default="runs/quickstart", help="folder of the run (%(default)s)")
    _add_json(parser)


def _quickstart(options):
    from tfcompress.pipeline.quickstart import quickstart

    log = _to_stderr if options.json else print
    runs = quickstart(options.run, log=log, verbose=0 if options.json else 1)
    if options.json:
        _print_json([_as_mapping(run) for run in runs])


def _add_describe(commands):
    parser = _command(
        commands, "describe", _describe, "count parameters, multiply-adds and bytes of a model"
    )
    parser.add_argument(
        "name",
        nargs="?",
        help="preset, or folder of a run or of a trained model; without it, list presets",
    )
    parser.add_argument("--source-length", type=int, default=30, help="tokens (%(default)s)")
    parser.add_argument(
        "--target-length", type=int, help="tokens of a translation model's target (30)"
    )
    _add_json(parser)


def _describe(options):
    from tfcompress.analysis import describe
    from tfcompress.models.presets import list_presets

    if options.name is None:
        presets = list_presets()
        if options.json:
            return _print_json(presets)
        width = max(map(len, presets))
        return print("\n".join(f"{name:{width}}  {text}" for name, text in presets.items()))
    trained = Path(options.name) / "model"
    description = describe(
        trained if trained.is_dir() else options.name,
        source_length=options.source_length,
        target_length=options.target_length,
    )
    return _print_json(description.to_dict()) if options.json else print(description)


def _add_train(commands):
    parser = _command(
        commands, "train", _train, "train, export, evaluate and benchmark what a recipe describes"
    )
    parser.add_argument("recipe", help="YAML file")
    parser.add_argument("--run", required=True, help="folder of the run; an existing one goes on")
    parser.add_argument("--corpus", help="folder of the corpus, or TSV file of translations")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    _add_json(parser)


def _train(options):
    from tfcompress.pipeline import load_recipe, run_recipe
    from tfcompress.reporting import terminal_table

    results = run_recipe(
        load_recipe(options.recipe),
        options.run,
        corpus=options.corpus,
        verbose=0 if options.quiet or options.json else 1,
        log=_to_stderr,
    )
    if options.json:
        return _print_json(_as_mapping(results))
    print(terminal_table([results]))
    return print(f"report: {Path(options.run) / 'report.html'}")


def _add_export(commands):
    parser = _command(commands, "export", _export, "export a trained model as a LiteRT bundle")
    parser.add_argument("model", help="folder of a run or of a saved model, or a preset's name")
    parser.add_argument("bundle", help="folder to write")
    parser.add_argument(
        "--quantization",
        default="dynamic_int8",
        help="float32, float16, dynamic_int8, int4, int4_per_channel, mixed, static_int8 or "
        "static_int8x16 (%(default)s)",
    )
    parser.add_argument(
        "--plan", help="with mixed: YAML or JSON file, regular expressions of weights to kinds"
    )
    parser.add_argument(
        "--representative", help="with static_int8: text file with typical sentences, one a line"
    )
    parser.add_argument(
        "--custom-ops",
        action="store_true",
        help="use custom operations, which need the native runtime (see build-native)",
    )
    parser.add_argument(
        "--shortlist",
        nargs=2,
        metavar=("SOURCE", "TARGET"),
        help="with custom operations: text files of parallel sentences, from which is learnt what "
        "tokens the output layer chooses from",
    )
    parser.add_argument(
        "--tokenizer", help="of a text encoder that has none with it: folder of its tokenizer"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing bundle")
    _add_json(parser)


def _export(options):
    from tfcompress.pipeline.exporting import export_model

    manifest = export_model(
        options.model,
        options.bundle,
        quantization=options.quantization,
        plan=options.plan,
        representative=options.representative,
        custom_ops=options.custom_ops,
        shortlist=options.shortlist,
        tokenizer=options.tokenizer,
        force=options.force,
    )
    if options.json:
        return _print_json(manifest)
    size = sum(file["bytes"] for file in manifest["files"].values())
    return print(f"{options.bundle}: {size:,} bytes, {manifest['quantization']}")


def _add_sensitivity(commands):
    parser = _command(
        commands,
        "sensitivity",
        _sensitivity,
        "measure what each layer loses to quantization, and plan the smallest file",
    )
    parser.add_argument("run", help="folder of a run")
    parser.add_argument("--source", required=True, help="file with sentences to measure on")
    parser.add_argument("--reference", required=True, help="file with their translations")
    parser.add_argument(
        "--max-loss", type=float, default=0.5, help="BLEU that the plan may lose (%(default)s)"
    )
    parser.add_argument("--sentences", type=int, default=200, help="how many to use (%(default)s)")
    parser.add_argument("--beam-size", type=int, default=1, help="1 is greedy search (%(default)s)")
    parser.add_argument("--tokenize", default="13a", help="sacrebleu's tokenization (%(default)s)")
    parser.add_argument("--lowercase", action="store_true", help="ignore case")
    parser.add_argument("--output", help="file to write the plan to, for `export --plan`")
    _add_json(parser)


def _sensitivity(options):
    from tfcompress.files import check_writable, replace_file
    from tfcompress.pipeline import sensitivity
    from tfcompress.text import read_lines

    if options.sentences < 1:
        raise InputError(f"--sentences must be at least 1 (received {options.sentences})")
    if options.output is not None:
        check_writable(options.output)
    lines = read_lines(options.source), read_lines(options.reference)
    if len(lines[0]) != len(lines[1]):
        raise InputError(
            f"{options.source} has {len(lines[0])} lines but {options.reference} has "
            f"{len(lines[1])}; line N of one must translate line N of the other"
        )
    report = sensitivity(
        options.run,
        *(side[: options.sentences] for side in lines),
        max_loss=options.max_loss,
        beam_size=options.beam_size,
        tokenize=options.tokenize,
        lowercase=options.lowercase,
        log=_to_stderr,
    )
    if options.output is not None:
        replace_file(options.output, (json.dumps(report.plan, indent=2) + "\n").encode())
    return _print_json(report.to_dict()) if options.json else print(report)


def _add_translate(commands):
    parser = _command(
        commands, "translate", _translate, "translate standard input, one sentence a line"
    )
    parser.add_argument("bundle", help="folder of a bundle")
    _add_search(parser, beam_size=1)
    parser.add_argument("--n-best", type=int, default=1, help="translations a sentence")
    parser.add_argument(
        "--overlong",
        choices=("split", "error"),
        default="split",
        help="what to do with sentences beyond the model's limit (%(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object a line, with scores"
    )


def _translate(options):
    from tfcompress.runtime import Translator
    from tfcompress.search_options import SearchOptions

    search = _given(options, beam_size=1, length_penalty=1.0) | {"n_best": options.n_best}
    SearchOptions(**search)
    with Translator(options.bundle, num_threads=options.threads) as translator:
        for number, raw in enumerate(_standard_input(), start=1):
            try:
                # A byte order mark is no text.
                source = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                source = source.removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError:
                raise InputError(
                    f"standard input, line {number}: not valid UTF-8; convert the text to UTF-8"
                ) from None
            try:
                hypotheses = translator.translate(
                    source, **search, overlong=options.overlong, return_scores=True
                )
            except InputError as error:
                raise InputError(f"standard input, line {number}: {error}") from None
            if hypotheses[0].parts > 1:
                _to_stderr(
                    f"line {number}: beyond the limit of {translator.bundle.max_source_length} "
                    f"tokens; translated in {hypotheses[0].parts} parts"
                )
            if options.json:
                found = [{"text": h.text, "score": h.score} for h in hypotheses]
                line = json.dumps({"source": source, "translations": found}, ensure_ascii=False)
                print(line, flush=True)
                continue
            texts = [hypothesis.text for hypothesis in hypotheses]
            # As many lines for each sentence, so that they stay aligned.
            texts += [""] * (options.n_best - len(texts))
            print("\n".join(texts), flush=True)


def _standard_input():
    if sys.stdin is None:
        raise InputError("standard input is closed; send text to it, one sentence a line")
    return sys.stdin.buffer


def _add_evaluate(commands):
    parser = _command(commands, "evaluate", _evaluate, "score a bundle on a test set")
    parser.add_argument("bundle", help="folder of a bundle")
    parser.add_argument("--source", help="of a translation model: sentences, one a line")
    parser.add_argument("--reference", help="of a translation model: their translations")
    parser.add_argument(
        "--data",
        help="of a text encoder: a .tsv or .tsv.gz file of text<TAB>label lines, or for vectors of "
        "text<TAB>text<TAB>score lines",
    )
    _add_search(parser, beam_size=5)
    parser.add_argument("--tokenize", help="sacrebleu's tokenization (13a)")
    parser.add_argument("--lowercase", action="store_true", default=None, help="ignore case")
    _add_json(parser)


_SCORING = {"beam_size": 5, "length_penalty": 1.0, "tokenize": "13a", "lowercase": False}


def _evaluate(options):
    from tfcompress.pipeline import evaluate_translation
    from tfcompress.runtime.encoder_bundle import KIND
    from tfcompress.runtime.manifest import bundle_kind
    from tfcompress.text import read_lines

    if bundle_kind(options.bundle) == KIND:
        return _evaluate_encoder(options)
    if options.data is not None or options.source is None or options.reference is None:
        raise InputError("a translation model needs --source and --reference, and no --data")
    figures = evaluate_translation(
        options.bundle,
        read_lines(options.source),
        read_lines(options.reference),
        **_given(options, **_SCORING),
        threads=options.threads,
        progress=not options.json,
    )
    if options.json:
        names = ("bleu", "interval", "signature", "sentences", "beam_size", "split")
        return _print_json({name: figures[name] for name in names})
    low, high = figures["interval"]
    return print(f"BLEU {figures['bleu']:.2f} [{low:.2f}, {high:.2f}] {figures['signature']}")


def _evaluate_encoder(options):
    from tfcompress.pipeline import evaluate_text_encoder

    if options.data is None or options.source is not None or options.reference is not None:
        raise InputError("a text encoder needs --data, and no --source and --reference")
    for name in _SCORING:
        if getattr(options, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} is for translation models; leave it out for a text encoder")
    figures = evaluate_text_encoder(
        options.bundle, options.data, threads=options.threads, progress=not options.json
    )
    figures.pop("labels", None)
    if options.json:
        return _print_json(figures)
    return _print_figures(figures)


def _add_benchmark(commands):
    parser = _command(commands, "benchmark", _benchmark, "time a bundle")
    parser.add_argument("bundle", help="folder of a bundle")
    parser.add_argument("--input", help="sentences, one a line; standard input by default")
    parser.add_argument(
        "--device",
        default="local",
        help="where to run: local, emulator, ssh:HOST or adb[:SERIAL] (%(default)s)",
    )
    parser.add_argument("--library", help="LiteRT's library for a device (that of its wheel)")
    parser.add_argument("--beam-size", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="repetitions (%(default)s)")
    _add_json(parser)


def _benchmark(options):
    from tfcompress.text import read_lines

    if options.device == "local" and options.library is not None:
        raise InputError("--library is for a --device; here LiteRT is that of its wheel")
    if options.input is None:
        _standard_input()
    sentences = read_lines(options.input or "/dev/stdin")
    settings = {"beam_size": options.beam_size, "runs": options.runs}
    if options.device == "local":
        from tfcompress.pipeline.benchmarking import benchmark_in_turns

        (figures,) = benchmark_in_turns(
            [options.bundle], sentences, threads=options.threads, **settings
        )
    else:
        from tfcompress.export.devices.benchmarking import benchmark_on

        settings |= {"num_threads": options.threads, "library": options.library}
        figures = benchmark_on(
            options.device, options.bundle, sentences, say=_to_stderr, **settings
        )
    if options.json:
        return _print_json(figures)
    return _print_figures(figures)


def _print_figures(figures):
    for name, value in figures.items():
        if isinstance(value, dict):
            value = "  ".join(f"{key} {_figure(number)}" for key, number in value.items())
        elif isinstance(value, list):
            value = "  ".join(map(_figure, value))
        print(f"{name:20} {_figure(value)}")


def _figure(value):
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _add_report(commands):
    parser = _command(commands, "report", _report, "compare runs in one page")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run")
    parser.add_argument("--output", default="report.html", help="a .html or .md file (%(default)s)")


def _report(options):
    from tfcompress.reporting import load_results, terminal_table, write_report

    runs = [load_results(run) for run in options.runs]
    write_report(runs, options.output)
    print(terminal_table(runs))
    print(f"report: {options.output}")


def _add_build_native(commands):
    parser = _command(
        commands,
        "build-native",
        _build_native,
        "build the native runtime and the program tfcompress-benchmark with CMake",
    )
    parser.add_argument(
        "--target",
        help="x86_64-linux, aarch64-linux or aarch64-android (this machine)",
    )
    parser.add_argument("--output", help="folder of the results (one of the user's cache)")


def _build_native(options):
    from tfcompress.export.devices.building import build_native

    build_native(options.target, options.output, say=_to_stderr)


def _add_corpus(commands):
    parser = _command(
        commands, "corpus", None, "find what is wrong with a corpus, or write a clean copy of it"
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION", parser_class=_Parser)
    check = _command(actions, "check", _check_corpus, "say which lines are better left out")
    clean = _command(actions, "clean", _clean_corpus, "write a copy without those lines")
    for action in (check, clean):
        action.add_argument("corpus", help="folder of a corpus, or TSV file of translations")
        if action is clean:
            action.add_argument("output", help="folder to write")
        action.add_argument("--source-language", help="ending of the source files")
        action.add_argument("--target-language", help="ending of the target files")
        for split in ("train", "valid", "test"):
            action.add_argument(
                f"--{split}", default=split, help=f"stem of the {split} files (%(default)s)"
            )
        action.add_argument(
            "--max-words", type=int, default=200, help="words of a side (%(default)s)"
        )
        action.add_argument(
            "--max-characters", type=int, default=2000, help="characters of a side (%(default)s)"
        )
        action.add_argument(
            "--max-ratio",
            type=float,
            default=3.0,
            help="length of one side by the other, next to the corpus' median (%(default)s)",
        )
        action.add_argument(
            "--any-script", action="store_true", help="take lines in the script of other languages"
        )
        _add_json(action)


def _check_corpus(options):
    from tfcompress.text import check_corpus

    _print_corpus_report(check_corpus(options.corpus, **_corpus_settings(options)), options)


def _clean_corpus(options):
    from tfcompress.text import clean_corpus

    report = clean_corpus(options.corpus, options.output, **_corpus_settings(options))
    _print_corpus_report(report, options)


def _corpus_settings(options):
    from tfcompress.text import CorpusRules

    names = ("source_language", "target_language", "train", "valid", "test")
    rules = CorpusRules(
        max_words=options.max_words,
        max_characters=options.max_characters,
        max_ratio=options.max_ratio,
        scripts=not options.any_script,
    )
    return {name: getattr(options, name) for name in names} | {"rules": rules}


def _print_corpus_report(report, options):
    return _print_json(report.to_dict()) if options.json else print(report)


def _as_mapping(results):
    from tfcompress import schema

    return schema.to_mapping(results)


def _print_json(figures):
    print(json.dumps(figures, indent=2, ensure_ascii=False))


def _to_stderr(line):
    print(line, file=sys.stderr)
