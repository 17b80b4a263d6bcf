"""Models come out as files of Marian's engines, which compute what the model does."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flavours import one_flavour
from models import marian_students as students
from models.marian_folders import SENTENCES

import tfcompress as tfc
from tfcompress.models.decoding import greedy_decode
from tfcompress.models.marian_files.bergamot import read_bergamot
from tfcompress.models.marian_files.npz import read_npz

# How many sentences are compared with the engine.
COUNT = 200


def sentences(count=COUNT, seed=0):
    rng = np.random.default_rng(seed)
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    rows = [rng.choice(words, rng.integers(3, 12)) for _ in range(count)]
    return [" ".join(row.tolist()) for row in rows]


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """A student of random weights in 8 bits, and what its file holds."""
    folder = tmp_path_factory.mktemp("student")
    vocabulary = students.vocabulary()
    (folder / "vocab.spm").write_bytes(vocabulary)
    options = students.settings(students.size_of(vocabulary))
    tensors = students.random_tensors(options)
    (folder / "model.bin").write_bytes(students.bergamot(tensors, options))
    (folder / "integers.bin").write_bytes(students.bergamot(tensors, options, integers=True))
    return folder


def read(folder, name="model.bin"):
    return tfc.models.from_bergamot(folder / name, folder / "vocab.spm", max_length=256)


@pytest.fixture(scope="module")
def written(student, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "out"
    model, source, target = read(student)
    lines = sentences(8)
    files = tfc.export.to_marian(
        model,
        folder,
        source_tokenizer=source,
        target_tokenizer=target,
        representative_data=lines,
        shortlist=(lines, lines),
    )
    assert files == {path.name: path.stat().st_size for path in folder.iterdir()}
    return folder


def test_what_was_read_is_written(student, written):
    expected = read_bergamot(student / "model.bin").tensors
    for content in (read_npz(written / "model.npz"), read_bergamot(written / "model.bin")):
        assert content.tensors.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(content.tensors[name], value, err_msg=name)
    assert (written / "vocab.spm").exists()
    integers = read_bergamot(written / "model.intgemm.alphas.bin").tensors
    for name, value in read_bergamot(student / "integers.bin").tensors.items():
        if name.endswith("_QuantMultA"):
            assert 0 < float(integers[name].item()) < 1000
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(integers[name], value)
        else:
            np.testing.assert_array_equal(integers[name].values, value.values)
            assert integers[name].multiplier == value.multiplier


def test_alphas_are_those_of_the_formula(student, written):
    """Of the first matrix: what it is multiplied by are the embedded sources."""
    tensors = read_bergamot(student / "model.bin").tensors
    largest = []
    for ids in read(student).source_tokenizer.encode(sentences(8)):
        rows = tensors["Wemb"][[*ids, 0]] * np.sqrt(students.WIDTH)
        largest.append(np.abs(rows + students.sinusoids(len(ids) + 1, students.WIDTH)).max())
    expected = 127 / (np.mean(largest) + 1.1 * np.std(largest))
    alphas = read_bergamot(written / "model.intgemm.alphas.bin").tensors
    for part in "qkv":
        actual = alphas[f"encoder_l1_self_W{part}_QuantMultA"].item()
        assert actual == pytest.approx(expected, rel=1e-4)
    assert "encoder_l1_self_Wo_QuantMultA" in alphas


def test_what_is_written_is_read(student, written):
    for again in (
        tfc.models.from_marian_npz(written / "model.npz", written / "vocab.spm"),
        tfc.models.from_bergamot(
            written / "model.bin", written / "vocab.spm", written / "lex.s2t.bin"
        ),
    ):
        for one, other in zip(again.model.model.weights, read(student).model.model.weights):
            np.testing.assert_array_equal(one, other)
    model, source, target = again
    rows = source.encode(sentences(8))
    learned = tfc.text.build_shortlist(
        zip(rows, target.encode(sentences(8))),
        model.config.source_vocabulary_size,
        model.config.target_vocabulary_size,
        always=[0, 1],
    )
    for row in rows:
        # With one vocabulary, the source's own ids are candidates too.
        expected = np.union1d(learned.candidates([*row, 0]), row)
        np.testing.assert_array_equal(again.shortlist.candidates([*row, 0]), expected)


@one_flavour
def test_a_bundle_has_the_integers_of_the_file(tmp_path):
    vocabulary = tmp_path / "vocab.spm"
    vocabulary.write_bytes(students.vocabulary())
    options = students.settings(students.size_of(vocabulary.read_bytes()))
    options |= {"enc-depth": 1, "dec-depth": 1, "dec-cell": "ssru"}
    tensors = students.random_tensors(options)
    path = tmp_path / "model.bin"
    path.write_bytes(students.bergamot(tensors, options, integers=True))
    model, *_ = tfc.models.from_bergamot(path, vocabulary, max_length=16)
    bundle = tmp_path / "bundle"
    tfc.export.convert(model, bundle, quantization="dynamic_int8")
    graph = schema.ModelT.InitFromObj(
        schema.Model.GetRootAsModel((bundle / "model.tflite").read_bytes(), 0)
    )
    stored = []
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.type == schema.TensorType.INT8 and tensor.quantization is not None:
                data = graph.buffers[tensor.buffer].data
                if data is not None and tensor.quantization.scale is not None:
                    values = np.asarray(data, np.uint8).view(np.int8).reshape(tensor.shape)
                    stored.append((values, np.unique(tensor.quantization.scale)))
    matrices = {
        name: students.quantize(value)
        for name, value in tensors.items()
        if students.is_product(name, value)
    }
    for name, (integers, multiplier) in matrices.items():
        expected = np.pad(integers, [(0, 1), (0, 0)]) if name == "Wemb" else integers.T
        scales = [
            scales
            for values, scales in stored
            if values.shape == expected.shape and np.array_equal(values, expected)
        ]
        assert scales, name
        np.testing.assert_allclose(scales[0], [1 / multiplier], rtol=1e-6)


# fxtranslate, Mozilla's engine.


@pytest.fixture(scope="module")
def engine():
    return pytest.importorskip(
        "fxtranslate", reason="fxtranslate is missing: pip install '.[test]'"
    )


def translations_of(engine, folder, name):
    vocabulary = (folder / "vocab.spm").read_bytes()
    translator = engine.Translator((folder / name).read_bytes(), vocabulary, vocabulary)
    return [translator.translate(line) for line in sentences()]


def our_translations(folder, name):
    model, source, target = read(folder, name)
    rows = [[*ids, 0] for ids in source.encode(sentences())]
    targets = greedy_decode(model, rows)
    # The engine's limit is another, which random weights reach.
    return target.decode([ids[: 2 * len(row) + 4] for row, ids in zip(rows, targets)])


@pytest.mark.slow
def test_fxtranslate_says_the_same_of_what_was_written(engine, student, written):
    actual = translations_of(engine, written, "model.bin")
    assert actual == our_translations(student, "model.bin")
    assert len(set(actual)) > COUNT / 4


@pytest.mark.slow
def test_fxtranslate_says_the_same_of_what_was_read(engine, student):
    assert translations_of(engine, student, "model.bin") == our_translations(student, "model.bin")
