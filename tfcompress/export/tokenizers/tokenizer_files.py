"""Puts tokenizers into a bundle, as SentencePiece models and as LiteRT graphs."""

from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.export.tokenizers.tokenizer_graph import make_tokenizer_graph
from tfcompress.models import LanguageModelConfig, Seq2SeqConfig
from tfcompress.text import Tokenizer


def check_tokenizers(tokenizers: dict[str, Tokenizer | None], config: Seq2SeqConfig) -> None:
    """Makes sure that tokenizers and model agree on every id.

    Args:
        tokenizers: By side, "source" and "target".
        config: The model's.

    Raises:
        InputError: If they do not, or an object is no tokenizer.
    """
    for side, tokenizer in tokenizers.items():
        if tokenizer is not None:
            check_tokenizer(f"{side}_tokenizer", tokenizer, config, config.vocabulary_sizes[side])


def check_tokenizer(
    name: str, tokenizer: Tokenizer, config: Seq2SeqConfig | LanguageModelConfig, size: int
) -> None:
    """Makes sure that a tokenizer and a model agree on every id.

    Args:
        name: The option that the tokenizer is.
        tokenizer: The tokenizer.
        config: The model's.
        size: Number of ids of the model's vocabulary.

    Raises:
        InputError: If they do not, or the object is no tokenizer.
    """
    if not isinstance(tokenizer, Tokenizer):
        raise InputError(
            f"`{name}` must be a tfcompress.text.Tokenizer. Received: {type(tokenizer).__name__}."
        )
    if tokenizer.vocabulary_size != size:
        raise InputError(
            f"`{name}` must be that of the model. Received: {tokenizer.vocabulary_size} pieces for "
            f"a vocabulary of {size}. Give the one that it was trained with."
        )
    special = {key: getattr(config, key) for key in ("pad_id", "bos_id", "eos_id")}
    actual = {key: getattr(tokenizer, key) for key in special}
    if actual != special:
        raise InputError(
            f"`{name}` must be that of the model. Received: {actual} instead of {special}. Give "
            "the one that it was trained with."
        )


def write_tokenizers(
    tokenizers: dict[str, Tokenizer | None], folder: Path, *, with_graphs: bool = False
) -> dict[str, Any]:
    """Writes the tokenizers into a bundle's folder.

    Args:
        tokenizers: By side, "source" and "target"; or one, "text".
        folder: The folder.
        with_graphs: Whether to write them as LiteRT graphs too.

    Returns:
        The manifest's entries `tokenizers` and `tokenizer_graphs`: file names by side, or None
        where there is no file.

    Raises:
        InputError: If a graph would not do what the tokenizer does.
    """
    is_joint = len({tokenizer and tokenizer.proto for tokenizer in tokenizers.values()}) == 1
    files: dict[str, str | None] = dict.fromkeys(tokenizers)
    graphs: dict[str, str | None] = dict.fromkeys(tokenizers)
    for side, tokenizer in tokenizers.items():
        if tokenizer is None:
            continue
        name = files[side] = "tokenizer.model" if is_joint else f"{side}.model"
        graph_name = "tokenizer.tflite" if is_joint else f"{side}_tokenizer.tflite"
        graphs[side] = graph_name if with_graphs else None
        if not (folder / name).exists():
            (folder / name).write_bytes(tokenizer.proto)
            if with_graphs:
                graph = checked_graph(*make_tokenizer_graph(tokenizer))
                (folder / graph_name).write_bytes(graph)
    return {"tokenizers": files, "tokenizer_graphs": graphs}


def checked_graph(graph: bytes | None, reason: str | None) -> bytes:
    """Returns a tokenizer's graph.

    Args:
        graph: The graph, or None where there is none.
        reason: Why there is none.

    Raises:
        InputError: If there is none.
    """
    if graph is None:
        raise InputError(
            f"`tokenizer_graph` needs another tokenizer. Received: {reason}. Leave it out."
        )
    return graph
