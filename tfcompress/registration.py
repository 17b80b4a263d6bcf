"""Makes Keras know the classes of this library whenever Keras is there.

`import tfcompress` needs neither TensorFlow nor Keras. In whichever order they are imported, the
classes are registered at once, so that `keras.models.load_model` finds them.
"""

import importlib
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from types import ModuleType

_PACKAGES = ("tensorflow", "keras", "tf_keras")
_SAVED = ("tfcompress.layers", "tfcompress.training.losses", "tfcompress.training.schedules")


def register_with_keras() -> None:
    """Registers the classes now, or as soon as TensorFlow and Keras have been imported."""
    if any(name in sys.modules for name in _PACKAGES):
        _register_when_imported()
    else:
        sys.meta_path.insert(0, _FirstImport())


class _FirstImport(MetaPathFinder):
    """Waits for the first import of these packages: only then are hooks worth their time."""

    def find_spec(self, name, path=None, target=None):
        if name not in _PACKAGES:
            return None
        sys.meta_path.remove(self)
        # A device needs neither of them.
        if importlib.util.find_spec("tensorflow") is not None:
            _register_when_imported()
        return importlib.util.find_spec(name)


def _register_when_imported() -> None:
    # One of TensorFlow's own requirements.
    from wrapt import register_post_import_hook

    for package in _PACKAGES:
        register_post_import_hook(_register, package)


def _register(imported: ModuleType) -> None:
    # These packages import one another: the outermost comes last.
    others = [sys.modules.get(name) for name in _PACKAGES if name != imported.__name__]
    if "tensorflow" in sys.modules and not any(map(_is_unfinished, others)):
        for name in _SAVED:
            importlib.import_module(name)


def _is_unfinished(module: ModuleType | None) -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False)
