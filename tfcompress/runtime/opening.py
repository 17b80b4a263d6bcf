"""Opens bundles of every type of model, and what runs them."""

import os

from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.keras_bundle import KerasBundle
from tfcompress.runtime.keras_engine import KerasEngine
from tfcompress.runtime.keras_native import NativeKerasEngine
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.language_model_engine import LanguageModelEngine
from tfcompress.runtime.language_model_native import NativeLanguageModelEngine
from tfcompress.runtime.manifest import bundle_model_type
from tfcompress.runtime.native import NativeEngine
from tfcompress.runtime.native_files import wanted_library
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle
from tfcompress.runtime.text_encoder_engine import TextEncoderEngine
from tfcompress.runtime.text_encoder_native import NativeTextEncoderEngine
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.runtime.translation_engine import TranslationEngine
from tfcompress.runtime.translation_native import NativeTranslationEngine

# In Python and in the native runtime.
_ENGINES: dict[type[Bundle], tuple[type[Engine], type[NativeEngine]]] = {
    TranslationBundle: (TranslationEngine, NativeTranslationEngine),
    TextEncoderBundle: (TextEncoderEngine, NativeTextEncoderEngine),
    LanguageModelBundle: (LanguageModelEngine, NativeLanguageModelEngine),
    KerasBundle: (KerasEngine, NativeKerasEngine),
}


def open_bundle(path: str | os.PathLike, verify: bool = True) -> Bundle:
    """Opens a bundle and checks that it is complete.

    Args:
        path: The folder.
        verify: Whether to compare the size and SHA-256 of every file with the manifest. Without,
            only their presence is checked.

    Returns:
        A `TranslationBundle`, `TextEncoderBundle`, `LanguageModelBundle` or `KerasBundle`, as its
        manifest says.

    Raises:
        InputError: The folder or a file is missing, the manifest is of another format or
            incomplete, it names files outside the folder, or a file is truncated or altered.

    Example:

    >>> open_bundle("en-de").max_source_length
    256
    """
    model_type = bundle_model_type(path)
    bundle = next((one for one in _ENGINES if one.model_type == model_type), TranslationBundle)
    return bundle.open(path, verify)


def open_engine(bundle: Bundle, *, num_threads: int = 1, native: bool | None = None) -> Engine:
    """Returns what runs a bundle: the native runtime where it is built, else Python.

    Args:
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.
        native: Whether it is the native runtime; by default, where there is one.

    Raises:
        InputError: The bundle needs custom operations that are unavailable, or does not load; or
            the native runtime is asked for and not built.

    Example:

    >>> len(open_engine(open_bundle("en-de")).search([57, 391]))
    1
    """
    python_engine, native_engine = _ENGINES[type(bundle)]
    if native is None and not native_engine.is_wanted(bundle):
        native = False
    library = wanted_library(native)
    engine = python_engine if library is None else native_engine
    return engine(bundle, library=library, num_threads=num_threads)
