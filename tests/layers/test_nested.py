import pytest
from layers.harness import normal
from tensorflow import keras

from tfcompress.layers import Dense, FeedForward, MultiHeadAttention, TransformerEncoderLayer
from tfcompress.layers.common.nested import by_name, named_layers, select_layers


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = TransformerEncoderLayer(MultiHeadAttention(2, name="own"))
        self.rest = [TransformerEncoderLayer(MultiHeadAttention(2), name=f"b{i}") for i in (2, 1)]
        self.again = self.first
        self.feed = FeedForward(4)

    def call(self, inputs):
        for layer in (self.first, *self.rest, self.again, self.feed):
            inputs = layer(inputs)
        return inputs


def test_layers_of_a_subclassed_model_by_attribute_and_name():
    model = Model()
    model(normal(2, 3, 4))
    actual = named_layers(model, MultiHeadAttention)
    assert list(actual) == ["first/attention", "b2/attention", "b1/attention"]
    assert actual["first/attention"] is model.first.attention
    assert list(named_layers(model.feed, Dense)) == ["inner", "outer"]
    assert list(named_layers(model.feed, FeedForward)) == [model.feed.name]


def test_functional_models_inside_others_in_order_of_application():
    x = keras.Input((3, 4))
    late, early = FeedForward(4, name="late"), FeedForward(4, name="early")
    inner = keras.Model(x, late(early(x)), name="inner")
    model = keras.Sequential([keras.Input((3, 4)), FeedForward(4, name="outer"), inner])
    assert list(named_layers(model, FeedForward)) == ["outer", "inner/early", "inner/late"]


def test_equal_names_are_told_apart():
    class Twins(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.pair = [FeedForward(4, name="twin"), FeedForward(4, name="twin")]

    twins = named_layers(Twins(), FeedForward)
    assert list(twins) == ["twin", "twin_1"]
    assert by_name(twins) == twins
    actual = {"a/x": FeedForward(4, name="own"), **twins}
    assert list(by_name(actual)) == ["own", "twin", "twin_1"]


def test_selection():
    layers = {path: FeedForward(4, name=path[-1]) for path in ("a/x", "a/y", "b/z")}
    assert list(select_layers(layers, None)) == list(layers)
    assert list(select_layers(layers, "^a")) == ["a/x", "a/y"]
    assert list(select_layers(layers, "^z$")) == ["b/z"]
    assert list(select_layers(layers, ("b/z", "x"))) == ["a/x", "b/z"]
    with pytest.raises(ValueError, match=r"Received: \['c'\], not among \['a/x'"):
        select_layers(layers, ["c", "x"])
