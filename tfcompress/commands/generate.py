"""`tfcompress generate`."""

import json
from argparse import Namespace
from typing import Any, cast

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.standard_input import input_lines
from tfcompress.errors import InputError
from tfcompress.generation_options import GenerationOptions


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "generate", "continue texts with a language model's bundle", _run
    )
    parser.add_argument("bundle", help="folder of a bundle")
    parser.add_argument(
        "--prompt", help="what to continue, shown as it grows; else standard input, a text a line"
    )
    parser.add_argument("--max-tokens", type=int, default=64, help="tokens to add (%(default)s)")
    parser.add_argument(
        "--temperature",
        type=float,
        default=0.0,
        help="what logits are divided by before a token is drawn; 0 takes the most probable "
        "(%(default)s)",
    )
    parser.add_argument("--top-k", type=int, help="draw of so many most probable tokens (all)")
    parser.add_argument("--seed", type=int, help="of the draws (another one each time)")
    parser.add_argument("--beam-size", type=int, default=1, help="1: no beam search (%(default)s)")
    parser.add_argument(
        "--length-penalty",
        type=float,
        default=1.0,
        help="exponent of the length that beam scores are divided by (%(default)s)",
    )
    parser.add_argument("--n-best", type=int, default=1, help="continuations a text (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads to run on (%(default)s)")
    add_json(parser, "print a JSON object a line, with scores")


def _run(options: Namespace) -> None:
    from tfcompress.runtime import TextGenerator

    names = ("max_tokens", "temperature", "top_k", "seed", "beam_size", "length_penalty", "n_best")
    settings = {name: getattr(options, name) for name in names}
    GenerationOptions(**settings)
    with TextGenerator(options.bundle, num_threads=options.threads) as model:
        if options.prompt is not None:
            if options.json or options.beam_size > 1:
                return _print(model, options.prompt, settings, options.json)
            print(options.prompt, end="", flush=True)
            drawn = {name: settings[name] for name in names[:4]}
            for piece in model.stream(options.prompt, **drawn):
                print(piece, end="", flush=True)
            return print()
        for number, prompt in enumerate(input_lines(), start=1):
            place = f"standard input, line {number}"
            try:
                _print(model, prompt, settings, options.json)
            except InputError as error:
                raise InputError(f"{place}: {error}") from None
    return None


def _print(model, prompt, settings, as_json):
    from tfcompress.runtime import Hypothesis

    result = cast(list[Hypothesis], model.generate(prompt, **settings, return_scores=True))
    if as_json:
        rows = [{"text": one.text, "score": one.score} for one in result]
        print(json.dumps({"prompt": prompt, "continuations": rows}, ensure_ascii=False), flush=True)
    else:
        print("\n".join(prompt + (one.text or "") for one in result), flush=True)
