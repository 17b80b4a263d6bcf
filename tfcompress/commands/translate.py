"""`tfcompress translate`."""

import json
from argparse import Namespace
from typing import Any, cast

from tfcompress.commands.arguments import add_command, add_json, add_search, with_defaults
from tfcompress.commands.printing import print_to_stderr
from tfcompress.commands.standard_input import input_lines
from tfcompress.errors import InputError
from tfcompress.search_options import SearchOptions


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "translate", "translate standard input, one sentence a line", _run
    )
    parser.add_argument("bundle", help="folder of a bundle")
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
    from tfcompress.runtime import Hypothesis, Translator

    search = with_defaults(options, beam_size=1, length_penalty=1.0) | {"n_best": options.n_best}
    SearchOptions(**search)
    with Translator(options.bundle, num_threads=options.threads) as translator:
        for number, source in enumerate(input_lines(), start=1):
            try:
                result = translator.translate(
                    source, **search, overlong=options.overlong, return_scores=True
                )
            except InputError as error:
                raise InputError(f"standard input, line {number}: {error}") from None
            hypotheses = cast(list[Hypothesis], result)
            if hypotheses[0].parts > 1:
                print_to_stderr(
                    f"line {number}: beyond the limit of {translator.bundle.max_source_length} "
                    f"tokens; translated in {hypotheses[0].parts} parts"
                )
            if options.json:
                translations = [{"text": h.text, "score": h.score} for h in hypotheses]
                line = {"source": source, "translations": translations}
                print(json.dumps(line, ensure_ascii=False), flush=True)
                continue
            texts = [hypothesis.text for hypothesis in hypotheses]
            # As many lines for each sentence, so that they stay aligned.
            texts += [""] * (options.n_best - len(texts))
            print("\n".join(texts), flush=True)
