"""YAML files are read strictly and within limits."""

import pytest

from tfcompress.errors import InputError
from tfcompress.yaml_file import read_yaml

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 3000 + "]" * 3000, "nested at most 100"),
        ("a: " + "[" * 200 + "]" * 200, "nested at most 100"),
        ("[" * 100_000, "nested at most 100"),
        ("{a: " * 3000 + "1" + "}" * 3000, "nested at most 100"),
        ("- " * 3000 + "x", "nested at most 100"),
        (LAUGHS, "more than 100,000 values"),
        (MERGES, "more than 100,000 values"),
        ("a: &a [*a]", "contains itself"),
        ("a: &a {b: [*a]}", "contains itself"),
        ("a: 1\nb: 2\na: 3", "`a` stands twice"),
        ("x:\n  - {a: 1, 'a': 2}", "`a` stands twice"),
        ("x" * 2**18 + "x", "at most 262,144 bytes"),
        ("a: .nan", "must be finite"),
        ("a: [1, {b: -.inf}]", "must be finite"),
        ("a: 1.0e+999", "must be finite"),
        ("a: 2001-99-99", "must be YAML"),
        ("? [a]\n: b", "must be YAML"),
        ("!!python/object/apply:os.system [true]", "must be YAML"),
        ("a: [", "must be YAML"),
        ("a: \x00", "must be YAML"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_refused(tmp_path, text, reason):
    path = tmp_path / "some.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as error:
        read_yaml(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    for path in (tmp_path, tmp_path / "none", tmp_path / "latin", "a\0b"):
        with pytest.raises(InputError):
            read_yaml(path)


def test_references_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: &a {x: 1}\nb: *a\nc: {<<: *a, y: 1.5}\n")
    assert read_yaml(path) == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 1.5}}
    path.write_text("")
    assert read_yaml(path) is None
