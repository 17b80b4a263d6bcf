import pytest
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress.layers import (
    DeLighTDecoderLayer,
    DeLighTEncoderLayer,
    DExTraBlock,
    DExTraEmbedding,
    FeedForward,
    MultiHeadAttention,
)
from tfcompress.scaling import block_wise_scaling

WIDTH = 16
MEMORY = {"memory": normal(2, 4, WIDTH, seed=1), "memory_padding_mask": lengths_mask([4, 2], 4)}


def make(crosses=True, **options):
    parts = {
        "transform": DExTraBlock(8, num_layers=2, max_groups=2),
        "self_attention": MultiHeadAttention(1, causal=True, output_dim=WIDTH),
        "cross_attention": MultiHeadAttention(1, head_dim=8) if crosses else None,
        "feed_forward": FeedForward(4, activation="swish"),
    }
    return DeLighTDecoderLayer(**{**parts, **options})


def built(**options):
    layer = make(**options)
    layer(normal(2, 5, WIDTH), memory=MEMORY["memory"])
    randomize(layer)
    return layer


def test_contract():
    transform = built().transform.count_params()
    self_attention = 3 * (8 * 8 + 8) + 8 * WIDTH + WIDTH
    cross_attention = 4 * WIDTH * 8 + 3 * 8 + WIDTH
    feed_forward = 2 * WIDTH * 4 + 4 + WIDTH
    run_layer_test(
        lambda: make(dropout=0.2),
        normal(2, 5, WIDTH),
        call_kwargs=MEMORY,
        output_shape=(2, 5, WIDTH),
        parameters=transform + self_attention + cross_attention + feed_forward + 3 * 2 * WIDTH,
        zero_gradients=2,  # the keys' biases
        random_in_training=True,
    )


@pytest.mark.parametrize("normalize_first", [False, True])
def test_self_attention_sees_the_transform(normalize_first):
    layer = built(normalize_first=normalize_first)
    x = y = normal(2, 5, WIDTH)
    functions = {
        "self_attention": lambda z: layer.self_attention(layer.transform(z)),
        "cross_attention": lambda z: layer.cross_attention(
            z, memory=MEMORY["memory"], padding_mask=MEMORY["memory_padding_mask"]
        ),
        "feed_forward": layer.feed_forward,
    }
    for name, function in functions.items():
        norm = getattr(layer, f"{name}_normalization")
        y = y + function(norm(y)) if normalize_first else norm(y + function(y))
    assert_close(layer(x, **MEMORY), y, 0)


@pytest.mark.parametrize(
    ("crosses", "normalize_first"), [(True, False), (True, True), (False, True)]
)
def test_step(crosses, normalize_first):
    memory = {"memory": MEMORY["memory"]} if crosses else {}
    mask = {"memory_padding_mask": MEMORY["memory_padding_mask"]} if crosses else {}
    run_step_test(
        built(crosses=crosses, normalize_first=normalize_first),
        normal(2, 4, WIDTH),
        call_kwargs={**memory, **mask},
        cache_kwargs={"batch_size": 2, "max_length": 5, **memory},
        step_kwargs=mask,
    )


def test_cache_is_as_narrow_as_the_transform():
    cache = built().init_cache(3, 7, MEMORY["memory"])["self_attention"]
    assert cache["keys"].shape == cache["values"].shape == (3, 1, 7, 8)


def test_step_never_drops_out():
    layer = make(transform=DExTraBlock(8, num_layers=2, max_groups=2, dropout=0.5), crosses=False)
    x = normal(2, 1, WIDTH)
    y = layer(x)
    assert_close(layer.step(x[:, 0], 0, layer.init_cache(2, 1))[0], y[:, 0], 1e-6)


def test_later_positions_change_nothing():
    layer = built()
    x = normal(2, 5, WIDTH)
    assert_close(layer(x, **MEMORY)[:, :3], layer(x[:, :3], **MEMORY), 1e-6)


def test_export():
    run_export_test(built(), normal(2, 5, WIDTH), call_kwargs=MEMORY)


def test_parameters_of_a_published_model():
    """8.09 million: WMT14 English-German of width 128, 43,736 tokens, 4 to 8 grouped layers."""
    width, half = 128, 64
    layers = []
    for num_layers, multiplier in block_wise_scaling(4, 8, 2.0):
        layers.append(
            DeLighTEncoderLayer(
                DExTraBlock(half, num_layers=num_layers, width_multiplier=multiplier),
                attention=MultiHeadAttention(1, output_dim=width),
                feed_forward=FeedForward(width // 4, activation="swish"),
            )
        )
        layers.append(
            DeLighTDecoderLayer(
                DExTraBlock(half, num_layers=num_layers, width_multiplier=multiplier),
                self_attention=MultiHeadAttention(1, causal=True, output_dim=width),
                cross_attention=MultiHeadAttention(1, head_dim=half),
                feed_forward=FeedForward(width // 4, activation="swish"),
            )
        )
    embedding = DExTraEmbedding(43736, hidden_dim=width)
    for layer in (embedding, *layers):
        layer.build((None, None, width))
    # Encoder and decoder have a transform each behind one table.
    transforms = 2 * embedding.transform.count_params()
    table = embedding.count_params() - embedding.transform.count_params()
    assert table + transforms + sum(layer.count_params() for layer in layers) == 8094432


X = normal(2, 5, WIDTH)
CASES = {
    "no_transform": (lambda: make(transform=None), ["`transform`", "transform=None"]),
    "no_self_attention": (
        lambda: make(self_attention=None),
        ["`self_attention`", "self_attention=None"],
    ),
    "not_causal": (
        lambda: make(self_attention=MultiHeadAttention(1, output_dim=WIDTH)),
        ["must be causal", "causal=False"],
    ),
    "self_attention_of_another_width": (
        lambda: make(self_attention=MultiHeadAttention(1, causal=True))(X, memory=X),
        ["`self_attention`", "transformed=8, self_attention=8", "Pass output_dim=16"],
    ),
    "no_memory": (lambda: make()(X), ["attends over a memory", "memory=None"]),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
