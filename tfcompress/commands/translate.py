"""`tfcompress translate`."""

import contextlib
import itertools
import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_engine,
    add_json,
    add_search,
    engine,
    with_defaults,
)
from tfcompress.commands.printing import print_to_stderr
from tfcompress.commands.standard_input import (
    decoded_document,
    decoded_lines,
    standard_input,
)
from tfcompress.digests import describe_file, digest
from tfcompress.engine import EngineError
from tfcompress.errors import InputError
from tfcompress.files import check_writable, remove_leftovers, replace_file
from tfcompress.journal import Journal
from tfcompress.locks import FolderLock
from tfcompress.search_options import MAX_BATCH_SIZE, MAX_THREADS, SearchOptions, check_count

# Sentences that are kept together.
_TOGETHER = 128


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "translate", "translate sentences, one a line", _run)
    parser.add_argument(
        "bundle",
        nargs="+",
        help="folder of a bundle; with several, each translates what the one before gave",
    )
    parser.add_argument("--input", help="file of sentences; standard input by default")
    parser.add_argument(
        "--output", help="file to write, complete or not at all; standard output by default"
    )
    add_engine(parser, "translate")
    add_search(parser, beam_size=1)
    parser.add_argument(
        "--batch-size",
        type=int,
        default=1,
        help="sentences that are decoded side by side, which takes less time and gives the same "
        "(%(default)s)",
    )
    parser.add_argument("--n-best", type=int, default=1, help="translations a sentence")
    parser.add_argument(
        "--overlong",
        choices=("split", "error"),
        default="split",
        help="what to do with sentences beyond the model's limit (%(default)s)",
    )
    parser.add_argument(
        "--split-sentences",
        action="store_true",
        help="translate each sentence of a line by itself",
    )
    parser.add_argument(
        "--markup",
        action="store_true",
        help="the text is HTML or XML, whose tags go around the translated words; needs a bundle "
        "that was exported with alignments",
    )
    parser.add_argument(
        "--document",
        action="store_true",
        help="the input is one text of many lines, not a sentence a line",
    )
    parser.add_argument("--target-prefix", default="", help="what every translation begins with")
    parser.add_argument(
        "--banned-words",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD",
        help="words that no translation has, in this spelling",
    )
    add_json(
        parser,
        "print a JSON object a line: translations with scores, a quality from 0 to 1, tokens and "
        "their log-probabilities and, where the bundle has them, alignments of pairs source-target",
    )


def _run(options: Namespace) -> None:
    from tfcompress.runtime.manifest import bundle_model_type

    search = with_defaults(options, beam_size=1, length_penalty=1.0) | {"n_best": options.n_best}
    SearchOptions(**search)
    others = ("target_prefix", "banned_words", "split_sentences", "markup")
    search |= {name: getattr(options, name) for name in others}
    check_count("num_threads", options.threads, most=MAX_THREADS)
    check_count("batch_size", options.batch_size, most=MAX_BATCH_SIZE)
    processes = engine(options)
    for bundle in options.bundle:
        bundle_model_type(bundle)
    if options.output is not None:
        check_writable(options.output)
    with contextlib.ExitStack() as stack:
        if options.input is None:
            file = standard_input()
        else:
            file = stack.enter_context(_opened(options.input))
        stack.enter_context(processes)
        if options.output is None:
            for line in _lines(options, file, search, processes):
                print(line, flush=True)
        else:
            _write(options, file, search, processes)


def _write(options, file, search, processes):
    """Writes the output, going on where an earlier process was ended with the same input."""
    from tfcompress.pipeline.progress import Progress
    from tfcompress.pipeline.translating import translation_job

    former = None if options.input is None else describe_file(options.input)
    settings = {name: getattr(options, name) for name in ("overlong", "json", "document")}
    settings["input"] = former
    job = digest(translation_job(options.bundle, **search, **settings))
    output = Path(options.output)
    path = output.with_name(f"{output.name}.journal")
    with FolderLock(output.with_name(f"{output.name}.lock"), output):
        remove_leftovers(output.parent, output.name)
        journal = Journal(path, job)
        if journal.is_other or former is None:
            journal.restart()
        total = 1 if options.document else None if former is None else _count(options.input)
        try:
            with journal, Progress(total, "sentences", log=print_to_stderr) as progress:
                if journal.count:
                    progress.set(journal.count)
                lines = _lines(options, file, search, processes, journal.count)
                while batch := [*itertools.islice(lines, _TOGETHER)]:
                    journal.append(batch)
                    progress.add(len(batch))
                if former not in (None, options.input and describe_file(options.input)):
                    raise InputError(
                        f"The file changed while it was translated. Received: {options.input}. "
                        "Start again when nothing writes to it."
                    )
                replace_file(output, lambda file: _copy(journal, file))
        except EngineError:
            raise
        except InputError:
            path.unlink()
            raise
        path.unlink()


def _copy(journal, file):
    for line in journal:
        file.write(f"{line}\n".encode())


def _lines(options, file, search, processes, done=0) -> Iterator[str]:
    """The output of each sentence, of one line or several."""
    from tfcompress.pipeline.translating import translate_sentences

    place = options.input or "standard input"
    translated = translate_sentences(
        options.bundle,
        itertools.islice(_texts(options, file, place), done, None),
        engine=processes,
        num_threads=options.threads,
        batch_size=options.batch_size,
        overlong=options.overlong,
        place=place,
        first=done + 1,
        with_tokens=options.json,
        **search,
    )
    for one in translated:
        parts, texts = one.hypotheses[0].parts, [each.text or "" for each in one.hypotheses]
        if parts > 1 and not (options.split_sentences or options.markup or options.document):
            print_to_stderr(
                f"line {one.number}: beyond the limit of {one.limit} tokens; translated in "
                f"{parts} parts"
            )
        if options.json:
            yield json.dumps(_content(one), ensure_ascii=False)
        else:
            # As many lines for each sentence, so that they stay aligned.
            yield "\n".join([*texts, *[""] * (options.n_best - len(texts))])


def _texts(options, file, place):
    return [decoded_document(file, place)] if options.document else decoded_lines(file, place)


def _content(one):
    translations = [
        {
            "text": hypothesis.text,
            "score": hypothesis.score,
            "quality": hypothesis.quality,
            "tokens": tokens,
            "token_scores": hypothesis.token_scores,
        }
        for hypothesis, tokens in zip(one.hypotheses, one.tokens)
    ]
    if one.source_tokens is None:
        return {"source": one.source, "translations": translations}
    for hypothesis, translation in zip(one.hypotheses, translations):
        # Pharaoh's form.
        pairs = hypothesis.hard_alignment or ()
        translation["alignment"] = " ".join(f"{source}-{target}" for source, target in pairs)
    return {
        "source": one.source,
        "source_tokens": one.source_tokens,
        "translations": translations,
    }


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
