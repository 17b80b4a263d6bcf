"""The tokenizer in the bundle of a text encoder."""

from tfcompress.errors import InputError
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle
from tfcompress.text import TextTokenizer, text_tokenizer
from tfcompress.text.published import import_tokenizers
from tfcompress.text.text_tokenizers import PUBLISHED_TYPES


def load_tokenizer(bundle: TextEncoderBundle) -> TextTokenizer | None:
    """Returns the tokenizer of a bundle, or None where it has none.

    Args:
        bundle: What `open_bundle` returned.

    Raises:
        InputError: Its files or settings cannot be used or have more ids than the model, or a
            published tokenizer finds the package tokenizers not installed.
    """
    if bundle.tokenizer is None:
        return None
    if bundle.tokenizer["tokenizer_type"] in PUBLISHED_TYPES:
        import_tokenizers()
    try:
        files = {name: (bundle.path / name).read_bytes() for name in bundle.tokenizer_files}
        tokenizer = text_tokenizer(bundle.tokenizer, files)
    except (OSError, InputError) as error:
        raise InputError(
            f"The text tokenizer cannot be used. Received: {bundle.path} "
            f"({str(error).rstrip('.')}). Export or copy the bundle again."
        ) from None
    if tokenizer.vocabulary_size > bundle.vocabulary:
        raise InputError(
            f"The tokenizer has more pieces than the model. Received: {bundle.path} with "
            f"{tokenizer.vocabulary_size} and {bundle.vocabulary}. Export or copy the bundle again."
        )
    return tokenizer
