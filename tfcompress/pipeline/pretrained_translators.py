"""Reads translators of other libraries: MarianMT, M2M100 and NLLB folders, Marian's own files."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcompress.errors import InputError
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.marian_sources import find_marian_files
from tfcompress.text.marian import marian_languages, read_settings

if TYPE_CHECKING:
    from tfcompress.models import BergamotModel, TranslationModel

_KINDS = "MarianMT, M2M100 or NLLB"


def read_translator(
    source: str | Path,
    *,
    max_length: int | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    corpus: tuple[Iterable[str], Iterable[str]] | None = None,
) -> "TranslationModel | BergamotModel":
    """Reads a translator, whatever library it is of.

    Args:
        source: A MarianMT folder, as OPUS-MT's models are; the folder of an M2M100 or NLLB model; a
            file of Marian's own, `.npz` or `.bin`, with its vocabularies beside it; or a folder
            with such files.
        max_length: As for `tfcompress.models.from_marian` and others.
        source_language: As for `tfcompress.models.from_m2m100`, which needs it.
        target_language: Likewise.
        corpus: As for `tfcompress.models.from_m2m100`, and for such models only.

    Returns:
        The model and its tokenizers; of Bergamot's, with its shortlist.

    Raises:
        InputError: If it cannot be read, or languages are missing or of no use.

    Example:

    >>> model, *tokenizers = read_translator("opus-mt-en-de")
    """
    source = Path(source)
    if not source.exists():
        raise InputError(
            f"There is no such file or folder. Received: {source}. Give the folder of a {_KINDS} "
            "model, or a model of Marian's with its vocabularies beside it."
        )
    files = find_marian_files(source)
    is_m2m100 = files is None and _is_m2m100(source)
    languages = {"source_language": source_language, "target_language": target_language}
    _check_options(source, is_m2m100, languages, corpus)
    load_tensorflow()
    from tfcompress.models import from_bergamot, from_m2m100, from_marian, from_marian_npz

    if is_m2m100:
        names: dict[str, Any] = languages
        return from_m2m100(source, max_length=max_length, corpus=corpus, **names)
    if files is None:
        return from_marian(source, max_length=max_length)
    if files.model.suffix == ".npz":
        return from_marian_npz(files.model, files.vocabularies, max_length=max_length)
    return from_bergamot(files.model, files.vocabularies, files.shortlist, max_length=max_length)


def translator_languages(
    source: str | Path, *, source_language: str | None = None, target_language: str | None = None
) -> dict[str, str]:
    """Returns the languages of a translator, as corpora of recipes have them; none if unknown.

    Args:
        source: As for `read_translator`.
        source_language: The one that it is read for.
        target_language: Likewise.

    Raises:
        InputError: If its settings cannot be read.
    """
    source = Path(source)
    languages = {"source": source_language, "target": target_language}
    if source_language is None and source.is_dir() and find_marian_files(source) is None:
        languages = marian_languages(source)
    return {f"{side}_language": name for side, name in languages.items() if name is not None}


def _is_m2m100(folder: Path) -> bool:
    return read_settings(folder / "config.json", _KINDS).get("model_type") == "m2m_100"


def _check_options(source, is_m2m100, languages, corpus):
    for name, language in languages.items():
        if is_m2m100 and language is None:
            raise InputError(
                f"M2M100 and NLLB models translate between many languages. Received: {name}=None. "
                "Name source and target as the model does, such as en and de, or eng_Latn and "
                "deu_Latn."
            )
        if not is_m2m100 and language is not None:
            raise InputError(
                f"`{name}` is for M2M100 and NLLB models. Received: {name}={language!r} for "
                f"{source}. Leave it out."
            )
    if not is_m2m100 and corpus is not None:
        raise InputError(
            "Only M2M100 and NLLB models are trimmed while they are read. Received: a corpus for "
            f"{source}. Leave it out, and trim the vocabulary in a recipe's surgery."
        )
