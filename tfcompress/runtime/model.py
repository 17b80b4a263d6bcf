"""What `Translator` and `TextModel` have in common."""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, Self

from tfcompress.errors import InputError
from tfcompress.runtime.engine import B
from tfcompress.runtime.opening import open_engine
from tfcompress.search_options import MAX_THREADS, check_count

Progress = Callable[[int, int], None]


class Model(Generic[B]):
    """Runs an exported model.

    Where `tfcompress build-native` built the native runtime, that computes instead of Python, and
    gives the same. The environment variable `TFCOMPRESS_NATIVE=0` turns it off.

    A model may be used by several threads, which then take turns. To run in parallel, make one for
    each thread or process.

    Args:
        path: The bundle's folder.
        num_threads: Threads that LiteRT may use for one text, at most 1,024.
        native: Whether the native runtime computes; by default, where it is built.
        verify: Whether to check the bundle's files against its manifest first.

    Attributes:
        bundle: The opened bundle.
        is_native: Whether the native runtime computes.

    Raises:
        InputError: The bundle is incomplete or altered, or of another type of model (see
            `open_bundle`), needs custom operations that are unavailable, or an option is
            impossible.
    """

    bundle: B
    # What is opened, what one of its inputs is called, and how it handles one beyond its limit.
    bundle_class: ClassVar[type[Any]]
    unit: ClassVar[str]
    overlong: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        num_threads: int = 1,
        native: bool | None = None,
        verify: bool = True,
    ):
        check_count("num_threads", num_threads, most=MAX_THREADS)
        self.bundle = self.bundle_class.open(path, verify=verify)
        self._load_tokenizers()
        self._engine: Any = open_engine(self.bundle, num_threads=int(num_threads), native=native)
        self.is_native = self._engine.is_native
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Frees the model. It cannot be used any more."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def _load_tokenizers(self):
        """Loads those that the engine does not."""

    def _run(self, compute: Callable[[Any], Any]) -> Any:
        """Returns what a function gives for the engine, while no other thread uses it."""
        with self._lock:
            if self._engine is None:
                raise InputError("A closed model cannot run. Received: one. Open it again.")
            return compute(self._engine)

    def _check_overlong(self, overlong: str) -> None:
        if overlong not in self.overlong:
            allowed = " or ".join(map(repr, self.overlong))
            raise InputError(f"`overlong` must be {allowed}. Received: {overlong!r}.")

    def _without_tokenizer(self, method: str) -> InputError:
        return InputError(
            f"Texts need a bundle with a tokenizer. Received: {self.bundle.path} without. Use "
            f"{method}, or export it with its tokenizer."
        )

    def _named(self, texts: Any) -> list[tuple[str, Any]]:
        """Returns texts, or a single one, with what errors call them."""
        return [("the text", texts)] if isinstance(texts, str) else self._named_list(texts)

    def _named_list(self, rows: Any, of: str = "strings") -> list[tuple[str, Any]]:
        if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
            raise InputError(
                f"`{self.unit}s` must be a list of {of}. Received: {type(rows).__name__}."
            )
        return [(f"{self.unit} {number}", row) for number, row in enumerate(rows)]


def check_text(name: str, text: Any) -> None:
    """Makes sure that a text is one.

    Args:
        name: What errors call it.
        text: The text.

    Raises:
        InputError: It is no string, or has a lone surrogate.
    """
    if not isinstance(text, str):
        raise InputError(f"A text must be a string. Received: {type(text).__name__} as {name}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"A text must have no lone surrogate. Received: {text[error.start]!r} in {name}. Read "
            "it as UTF-8."
        ) from None
