from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress import schema
from tfcompress.errors import InputError


@dataclass(frozen=True)
class Wheel:
    radius: float
    spokes: int = 32
    note: str | None = None


@dataclass(frozen=True)
class Bicycle:
    name: str
    front: Wheel
    electric: bool = False
    back: Wheel | None = None
    gears: tuple[int, ...] = ()
    spare: list[Wheel] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=dict)


FLOATS = st.floats(allow_nan=False)
WHEELS = st.builds(Wheel, FLOATS, st.integers(), st.none() | st.text())
BICYCLES = st.builds(
    Bicycle,
    name=st.text(),
    front=WHEELS,
    electric=st.booleans(),
    back=st.none() | WHEELS,
    gears=st.lists(st.integers()).map(tuple),
    spare=st.lists(WHEELS),
    prices=st.dictionaries(st.text(), FLOATS),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda item: st.lists(item) | st.dictionaries(st.text(), item),
    max_leaves=5,
)


def problems_of(mapping):
    with pytest.raises(InputError) as error:
        schema.from_mapping(Bicycle, mapping)
    return str(error.value)


def is_plain(value):
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@given(BICYCLES)
def test_round_trip(bicycle):
    mapping = schema.to_mapping(bicycle)
    assert is_plain(mapping)
    assert schema.from_mapping(Bicycle, mapping) == bicycle
    assert schema.type_problems(bicycle) == []


@given(st.dictionaries(st.sampled_from(list(Bicycle.__dataclass_fields__)), ANYTHING))
def test_builds_or_explains(mapping):
    try:
        bicycle = schema.from_mapping(Bicycle, mapping)
    except InputError:
        return
    assert schema.type_problems(bicycle) == []


def test_whole_numbers_become_floats_at_any_level():
    mapping = {"name": "a", "front": {"radius": 1}, "spare": [{"radius": 2}], "prices": {"b": 3}}
    bicycle = schema.from_mapping(Bicycle, mapping)
    numbers = [bicycle.front.radius, bicycle.spare[0].radius, bicycle.prices["b"]]
    assert numbers == [1.0, 2.0, 3.0]
    assert {type(number) for number in numbers} == {float}


def test_all_problems_at_once():
    message = problems_of(
        {
            "nam": "a",
            "front": {"radius": "wide", "spoks": 3},
            "gears": [1, 2.5],
            "spare": [{"radius": 1.0}, {}],
            "prices": {"a": "much"},
            "electric": 1,
        }
    )
    assert message.split("; ") == [
        "unknown key `nam`: did you mean `name`?",
        "`front.radius` must be a number (received 'wide')",
        "unknown key `front.spoks`: did you mean `spokes`?",
        "`gears[1]` must be a whole number (received 2.5)",
        "missing key `spare[1].radius`",
        "`prices.a` must be a number (received 'much')",
        "`electric` must be true or false (received 1)",
        "missing key `name`",
    ]


def test_very_many_problems_are_counted():
    message = problems_of({"name": "a", "front": {"radius": 1.0}, "gears": ["x"] * 1000})
    assert message.count("must be a whole number") == 20
    assert message.endswith("; and 980 more problems")


def test_unknown_key_without_a_near_one_lists_all():
    assert "unknown key `zzz`: valid keys are name, front, electric" in problems_of({"zzz": 1})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("name", 5, "text"),
        ("name", None, "text"),
        ("electric", "yes", "true or false"),
        ("gears", "12", "a list"),
        ("spare", {"radius": 1.0}, "a list"),
        ("prices", [1.0], "a mapping"),
    ],
)
def test_wrong_type(key, value, expected):
    mapping = {"name": "a", "front": {"radius": 1.0}, key: value}
    assert problems_of(mapping) == f"`{key}` must be {expected} (received {value!r})"


@pytest.mark.parametrize("value", [True, "8"])
def test_neither_truth_nor_text_is_a_number(value):
    message = problems_of({"name": "a", "front": {"radius": 1.0, "spokes": value}})
    assert f"`front.spokes` must be a whole number (received {value!r}" in message


def test_number_beyond_floats():
    message = problems_of({"name": "a", "front": {"radius": 10**400}})
    assert message == "`front.radius` must be a number (int too large to convert to float)"


def test_number_that_yaml_reads_as_text():
    message = problems_of({"name": "a", "front": {"radius": "1e-5"}})
    assert message.startswith("`front.radius` must be a number (received '1e-5', which is text")
    assert "1.0e-5" in message


def test_the_keys_of_a_mapping_are_named():
    keys = "its keys are radius, spokes, note"
    message = problems_of({"name": "a", "front": 5, "back": [1]})
    assert f"`front` must be a mapping (received 5; {keys})" in message
    assert f"`back` must be a mapping or null (received [1]; {keys})" in message


def test_path_of_a_part_of_a_file():
    with pytest.raises(InputError, match=r"missing key `garage\.front\.radius`"):
        schema.from_mapping(Bicycle, {"name": "a", "front": {}}, path="garage")
    with pytest.raises(InputError, match="`garage` must be a mapping"):
        schema.from_mapping(Bicycle, [1], path="garage")
    with pytest.raises(InputError, match="`Bicycle` must be a mapping"):
        schema.from_mapping(Bicycle, None)


def test_type_problems_of_instances():
    bicycle = Bicycle(name=3, front={"radius": 1.0}, back=Wheel(1.0, spokes=2.5), gears=(1, "2"))
    assert schema.type_problems(bicycle) == [
        "`name` must be text (received 3)",
        "`front` must be a Wheel (received {'radius': 1.0})",
        "`back.spokes` must be a whole number (received 2.5)",
        "`gears[1]` must be a whole number (received '2', which is text: write numbers without "
        "quotes, and in YAML with a point, 1.0e-5)",
    ]
