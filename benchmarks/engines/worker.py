"""One engine in a process of its own, which `engine_process.EngineProcess` asks.

Engines may need another Python than this project: this program and their modules beside it run
under 3.8 and need nothing else.
"""

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path


def main(name: str, settings: str) -> None:
    """Answers questions, one a line, each with one line of JSON.

    Args:
        name: Of the module beside this one, which has `PACKAGE` and `open_engine`.
        settings: JSON of the arguments of `open_engine` and `num_sentences`.
    """
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return answer({"missing": str(error)})
    answer({"version": version(module.PACKAGE)})
    settings = json.loads(settings)
    folder, size = Path(settings.pop("folder")), settings["batch_size"]
    lines = (folder / "sentences.txt").read_text().splitlines()[: settings.pop("num_sentences")]
    batches = [lines[start : start + size] for start in range(0, len(lines), size)]
    translate = None
    for question in map(str.strip, sys.stdin):
        if question == "open":
            translate, backend = module.open_engine(folder, **settings)
            answer({"backend": backend})
        if question == "translate":
            texts = [text for batch in batches for text in translate(batch)]
            answer(sum(len(text.split()) for text in texts))
        if question == "texts":
            answer([text for batch in batches for text in translate(batch)])


def answer(what) -> None:
    """Prints what a question is answered with."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
