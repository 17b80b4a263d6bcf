"""`tfcompress corpus check` and `tfcompress corpus clean`."""

import contextlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_commands,
    add_engine,
    add_json,
    engine,
)
from tfcompress.commands.printing import print_json, print_to_stderr


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "corpus", "find what is wrong with a corpus, or write a clean copy of it"
    )
    actions = add_commands(parser, "ACTION")
    check = add_command(actions, "check", "say which lines are better left out", _check)
    clean = add_command(actions, "clean", "write a copy without those lines", _clean)
    _add_arguments(check)
    _add_arguments(clean, "output")


def _add_arguments(parser: ArgumentParser, *folders: str) -> None:
    parser.add_argument("corpus", help="folder of a corpus, or TSV file of translations")
    for folder in folders:
        parser.add_argument(folder, help="folder to write")
    parser.add_argument("--source-language", help="ending of the source files")
    parser.add_argument("--target-language", help="ending of the target files")
    for split in ("train", "valid", "test"):
        parser.add_argument(
            f"--{split}", default=split, help=f"stem of the {split} files (%(default)s)"
        )
    parser.add_argument("--max-words", type=int, default=200, help="words of a side (%(default)s)")
    parser.add_argument(
        "--max-characters", type=int, default=2000, help="characters of a side (%(default)s)"
    )
    parser.add_argument(
        "--max-ratio",
        type=float,
        default=3.0,
        help="length of one side by the other, next to the corpus' median (%(default)s)",
    )
    parser.add_argument(
        "--any-script", action="store_true", help="take lines in the script of other languages"
    )
    add_engine(parser, "judge lines")
    add_json(parser)


def _check(options: Namespace) -> None:
    from tfcompress.text import check_corpus

    with engine(options) as processes, _progress() as progress:
        report = check_corpus(
            options.corpus, **_settings(options), engine=processes, progress=progress
        )
    _print_report(report, options)


def _clean(options: Namespace) -> None:
    from tfcompress.text import clean_corpus

    with engine(options) as processes, _progress() as progress:
        report = clean_corpus(
            options.corpus,
            options.output,
            **_settings(options),
            engine=processes,
            progress=progress,
        )
    _print_report(report, options)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    from tfcompress.pipeline.progress import Progress

    with contextlib.ExitStack() as stack:
        begun: list[Progress] = []

        def show(done, total):
            if not begun:
                begun.append(stack.enter_context(Progress(total, "lines", log=print_to_stderr)))
            begun[0].set(done)

        yield show


def _settings(options) -> dict[str, Any]:
    from tfcompress.text import CorpusRules

    names = ("source_language", "target_language", "train", "valid", "test")
    rules = CorpusRules(
        max_words=options.max_words,
        max_characters=options.max_characters,
        max_ratio=options.max_ratio,
        scripts=not options.any_script,
    )
    return {name: getattr(options, name) for name in names} | {"rules": rules}


def _print_report(report, options):
    return print_json(report.to_dict()) if options.json else print(report)
