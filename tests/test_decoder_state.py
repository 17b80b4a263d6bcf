import pytest

from tfcompress.decoder_state import StateSpec


@pytest.mark.parametrize(
    ("spec", "grows", "sizes"),
    [
        (StateSpec((4, None, 8)), True, (3, 4, 5, 8)),
        (StateSpec([None, 8]), True, (3, 5, 8)),
        (StateSpec((8,), initial=-1.5), False, (3, 8)),
        (StateSpec((4, None, 8), per="sentence"), False, (3, 4, 5, 8)),
    ],
)
def test_what_a_manifest_says_is_read_back(spec, grows, sizes):
    assert StateSpec.from_mapping(spec.to_mapping()) == spec
    assert spec.grows == grows
    assert spec.sizes(rows=3, length=5) == sizes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": ()}, "`shape` must hold sizes"),
        ({"shape": (4, 0)}, "`shape` must hold sizes"),
        ({"shape": (4.0,)}, "`shape` must hold sizes"),
        ({"shape": (None, None, 4)}, "at most one None"),
        ({"shape": (4,), "per": "beam"}, "`per` must be"),
        ({"shape": (4,), "initial": float("nan")}, "`initial` must be finite"),
    ],
)
def test_impossible(arguments, message):
    with pytest.raises(ValueError, match=message):
        StateSpec(**arguments)


@pytest.mark.parametrize("mapping", [{}, {"shape": 3, "per": "sentence", "initial": 0}, [], 4])
def test_no_such_mapping(mapping):
    with pytest.raises(ValueError, match="entry must have a shape"):
        StateSpec.from_mapping(mapping)
