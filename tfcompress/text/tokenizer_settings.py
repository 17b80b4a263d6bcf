"""What tokenizers of text encoders are made again from: their settings and files."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfcompress.errors import InputError

ROLES = ("pad", "unk", "start", "end")
_REMEDY = "Give what settings() and files() returned"


def check_settings(
    tokenizer_type: str,
    settings: Mapping[str, Any],
    files: Mapping[str, bytes],
    *,
    names: Sequence[str],
    options: Sequence[str] = (),
) -> dict[str, bool]:
    """Makes sure that settings and files are those of a tokenizer.

    Args:
        tokenizer_type: The tokenizer's.
        settings: The settings, as JSON holds them.
        files: The contents of its files by name.
        names: The files that it needs.
        options: The settings that are true or false.

    Returns:
        The values of `options` by name.

    Raises:
        InputError: A setting or file is missing or wrong.

    Example:
        >>> tokenizer = tfc.text.load_text_tokenizer("sentence-encoder")
        >>> settings, files = tokenizer.settings(), tokenizer.files()
        >>> check_settings("published", settings, files, names=["tokenizer.json"])
        {}
    """
    needed = (*options, *(f"{role}_id" for role in ROLES), "special_ids")
    missing = [name for name in needed if name not in settings]
    missing += [name for name in names if name not in files]
    if missing:
        raise InputError(
            f"The tokenizer's settings and files are incomplete. Received: {tokenizer_type} "
            f"without {', '.join(missing)}. {_REMEDY}."
        )
    for name in options:
        if not isinstance(settings[name], bool):
            raise InputError(
                f"A tokenizer's setting must be true or false. Received: {name}={settings[name]!r}."
            )
    if not isinstance(settings["special_ids"], list | tuple):
        raise InputError(
            f"`special_ids` must be a list of ids. Received: {settings['special_ids']!r}."
        )
    return {name: settings[name] for name in options}


def decode_file(tokenizer_type: str, content: bytes) -> str:
    """Returns the text of a tokenizer's file.

    Args:
        tokenizer_type: The tokenizer's, for the message.
        content: The file's bytes.

    Raises:
        InputError: It is not UTF-8.

    Example:
        >>> decode_file("wordpiece", b"[PAD]")
        '[PAD]'
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"A tokenizer's file is not UTF-8. Received: {tokenizer_type}, byte {error.start}. "
            "Copy it again."
        ) from None


def special_pieces(
    settings: Mapping[str, Any], pieces: Sequence[str | None], *, may_lack_unk: bool = False
) -> dict[str, Any]:
    """Returns the special pieces that settings name by ids, as arguments of a constructor.

    Args:
        settings: The settings.
        pieces: The pieces in the order of their ids.
        may_lack_unk: Whether there may be no piece for what the vocabulary cannot spell.

    Raises:
        InputError: An id is none of this vocabulary.

    Example:
        >>> tokenizer = tfc.text.WordPieceTokenizer.load("vocab.txt")
        >>> special_pieces(tokenizer.settings(), tokenizer.pieces)["pad"]
        '[PAD]'
    """

    def piece(number):
        is_id = isinstance(number, int) and not isinstance(number, bool)
        if not is_id or not 0 <= number < len(pieces):
            raise InputError(
                f"A special id is none of the vocabulary. Received: {number!r}, {len(pieces)} "
                "pieces. Give the files that belong to the settings."
            )
        return pieces[number]

    ids = {role: settings[f"{role}_id"] for role in ROLES}
    lacks_unk = may_lack_unk and ids["unk"] is None
    special = {
        role: None if lacks_unk and role == "unk" else piece(number) for role, number in ids.items()
    }
    more = [piece(number) for number in settings["special_ids"]]
    return special | ({"special": more} if more else {})
