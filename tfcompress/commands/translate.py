"""`tfcompress translate`."""

import contextlib
import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, BinaryIO

from tfcompress.commands.arguments import add_command, add_json, add_search, with_defaults
from tfcompress.commands.printing import print_to_stderr
from tfcompress.commands.standard_input import decoded_lines, standard_input
from tfcompress.errors import InputError
from tfcompress.files import check_writable, replace_file
from tfcompress.search_options import MAX_THREADS, SearchOptions, check_count


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "translate", "translate sentences, one a line", _run)
    parser.add_argument("bundle", help="folder of a bundle")
    parser.add_argument("--input", help="file of sentences; standard input by default")
    parser.add_argument(
        "--output", help="file to write, complete or not at all; standard output by default"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that translate (%(default)s)"
    )
    add_search(parser, beam_size=1)
    parser.add_argument("--n-best", type=int, default=1, help="translations a sentence")
    parser.add_argument(
        "--overlong",
        choices=("split", "error"),
        default="split",
        help="what to do with sentences beyond the model's limit (%(default)s)",
    )
    add_json(parser, "print a JSON object a line, with scores")


def _run(options: Namespace) -> None:
    from tfcompress.pipeline.progress import Progress
    from tfcompress.pipeline.translating import check_workers
    from tfcompress.runtime.manifest import bundle_model_type

    search = with_defaults(options, beam_size=1, length_penalty=1.0) | {"n_best": options.n_best}
    SearchOptions(**search)
    check_count("num_threads", options.threads, most=MAX_THREADS)
    check_workers(options.workers)
    bundle_model_type(options.bundle)
    with contextlib.ExitStack() as stack:
        file, total = standard_input() if options.input is None else None, None
        if file is None:
            file, total = stack.enter_context(_opened(options.input)), _count(options.input)
        if options.output is None:
            for line in _lines(options, file, search):
                print(line, flush=True)
            return
        check_writable(options.output)
        progress = stack.enter_context(Progress(total, "sentences", log=print_to_stderr))

        def write(output: BinaryIO) -> None:
            for line in _lines(options, file, search):
                output.write(f"{line}\n".encode())
                progress.add(1)

        replace_file(options.output, write)


def _lines(options, file, search) -> Iterator[str]:
    """The output of each sentence, of one line or several."""
    from tfcompress.pipeline.translating import translate_sentences

    place = options.input or "standard input"
    translated = translate_sentences(
        options.bundle,
        decoded_lines(file, place),
        workers=options.workers,
        num_threads=options.threads,
        overlong=options.overlong,
        place=place,
        **search,
    )
    for one in translated:
        if one.parts > 1:
            print_to_stderr(
                f"line {one.number}: beyond the limit of {one.limit} tokens; translated in "
                f"{one.parts} parts"
            )
        if options.json:
            pairs = zip(one.texts, one.scores)
            translations = [{"text": text, "score": score} for text, score in pairs]
            content = {"source": one.source, "translations": translations}
            yield json.dumps(content, ensure_ascii=False)
        else:
            # As many lines for each sentence, so that they stay aligned.
            yield "\n".join([*one.texts, *[""] * (options.n_best - len(one.texts))])


def _opened(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise InputError(
            f"The sentences cannot be read. Received: {path} ({error.strerror}). Give another file."
        ) from error


def _count(path):
    with _opened(path) as file:
        return sum(1 for _ in file)
