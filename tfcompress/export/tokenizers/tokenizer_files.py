"""Puts tokenizers into a bundle, as SentencePiece models and as LiteRT graphs."""

from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.export.tokenizers.tokenizer_graph import make_tokenizer_graph
from tfcompress.models import Seq2SeqConfig
from tfcompress.text import Tokenizer

_SIDES = ("source", "target")


def check_tokenizers(tokenizers: dict[str, Tokenizer | None], config: Seq2SeqConfig) -> None:
    """Makes sure that tokenizers and model agree on every id.

    Args:
        tokenizers: By side, "source" and "target".
        config: The model's.

    Raises:
        InputError: If they do not, or an object is no tokenizer.
    """
    sizes = {"source": config.source_vocabulary_size, "target": config.target_vocabulary_size}
    special = {name: getattr(config, name) for name in ("pad_id", "bos_id", "eos_id")}
    for side, tokenizer in tokenizers.items():
        if tokenizer is None:
            continue
        if not isinstance(tokenizer, Tokenizer):
            raise InputError(
                f"`{side}_tokenizer` must be a tfcompress.text.Tokenizer. Received: "
                f"{type(tokenizer).__name__}."
            )
        if tokenizer.vocabulary_size != sizes[side]:
            raise InputError(
                f"`{side}_tokenizer` must be that of the model. Received: "
                f"{tokenizer.vocabulary_size} pieces for a vocabulary of {sizes[side]}. Give the "
                "one that it was trained with."
            )
        actual = {name: getattr(tokenizer, name) for name in special}
        if actual != special:
            raise InputError(
                f"`{side}_tokenizer` must be that of the model. Received: {actual} instead of "
                f"{special}. Give the one that it was trained with."
            )


def write_tokenizers(tokenizers: dict[str, Tokenizer | None], folder: Path) -> dict[str, Any]:
    """Writes the tokenizers into a bundle's folder.

    Args:
        tokenizers: By side, "source" and "target".
        folder: The folder.

    Returns:
        The manifest's entries `tokenizers` and `tokenizer_graphs`: file names by side, or None
        where there is no file, and in the latter the `reason` for that.
    """
    source, target = (one and one.proto for one in map(tokenizers.get, _SIDES))
    is_joint = source == target
    files: dict[str, str | None] = dict.fromkeys(_SIDES)
    graphs: dict[str, str | None] = dict.fromkeys((*_SIDES, "reason"))
    for side, tokenizer in tokenizers.items():
        if tokenizer is None:
            graphs["reason"] = f"the bundle has no {side} tokenizer"
            continue
        name = files[side] = "tokenizer.model" if is_joint else f"{side}.model"
        graph_name = "tokenizer.tflite" if is_joint else f"{side}_tokenizer.tflite"
        if not (folder / name).exists():
            (folder / name).write_bytes(tokenizer.proto)
            graph, reason = make_tokenizer_graph(tokenizer)
            if graph is None:
                graphs["reason"] = reason
            else:
                (folder / graph_name).write_bytes(graph)
        if (folder / graph_name).exists():
            graphs[side] = graph_name
    return {"tokenizers": files, "tokenizer_graphs": graphs}
