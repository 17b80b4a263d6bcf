"""The layers give what the methods' reference codes gave, on the arrays these left behind.

Each `.npz` file of the folder `$TFCOMPRESS_ORACLES` holds weights, inputs and outputs of one
case, and its configuration as JSON. The beginning of its name says which method it is of.
"""

import importlib
import json
import os
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from fidelity import methods

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TFCOMPRESS_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
FILES = sorted(FOLDER.glob("*.npz"))
TOLERANCE = 1e-5

if not FILES:
    pytest.skip(
        f"no oracles in {FOLDER}; set TFCOMPRESS_ORACLES to their folder", allow_module_level=True
    )


def _methods():
    """The METHODS of every module of `fidelity.methods`.

    By the beginning of the file's name: what builds the layers from configuration and arrays, loads
    the weights, runs them and returns what they give by the names of the file's arrays; and the
    names of the file's inputs.
    """
    found = {}
    for module in pkgutil.iter_modules(methods.__path__, "fidelity.methods."):
        found |= importlib.import_module(module.name).METHODS
    return found


METHODS = _methods()


def method_of(path, methods):
    """The method whose name the file's name begins with, or None."""
    matches = [name for name in methods if f"{path.stem}_".startswith(f"{name}_")]
    return max(matches, key=len, default=None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_equals_the_reference_code(path):
    method = method_of(path, METHODS)
    assert method, f"{path.name}: no builder in METHODS for files of this name"
    with np.load(path) as file:
        arrays = dict(file)
    config = json.loads(str(arrays.pop("config_json", "{}")))
    run, inputs = METHODS[method]
    expected = {k: v for k, v in arrays.items() if not k.startswith("w/") and k not in inputs}
    actual = run(config, arrays)
    assert expected, "no outputs to compare"
    assert not expected.keys() - actual.keys(), "outputs of the file that nothing computes"
    for name, reference in expected.items():
        given = np.asarray(actual[name])
        assert given.shape == reference.shape, name
        worst = np.max(np.abs(given - reference), initial=0)
        assert worst <= TOLERANCE, f"{name} differs by {worst:.2e}"


def test_files_of_unknown_methods_are_not_passed_over():
    with pytest.raises(AssertionError, match="no builder"):
        test_equals_the_reference_code(Path("albertine_L3.npz"))
