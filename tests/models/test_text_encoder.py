import numpy as np
import pytest
from tensorflow import keras

from tfcompress.analysis import describe
from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    FixedPatternConfig,
    LayerDropConfig,
    SharingConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
    preset,
)
from tfcompress.pipeline import TranslationRecipe

STACK = StackConfig(
    4,
    attention=AttentionConfig(2),
    feed_forward=FeedForwardConfig(24, activation="gelu_tanh"),
    sharing=SharingConfig("all"),
)
CONFIG = TextEncoderConfig(
    30, hidden_dim=16, encoder=STACK, embedding_dim=8, max_length=12, dropout=0.0
)
IDS = np.array([[5, 9, 2], [7, 8, 2]], "int32")


def outputs(encoder, ids=IDS, types=None):
    inputs = {"token_ids": ids}
    if encoder.config.token_types:
        inputs["token_type_ids"] = np.zeros_like(ids) if types is None else types
    return {name: np.array(value) for name, value in encoder.model(inputs).items()}


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder(CONFIG)


@pytest.mark.parametrize(
    ("size", "parameters", "published"),
    [
        ("base", 11683584, 12),
        ("large", 17683968, 18),
        ("xlarge", 58724864, 59),
        ("xxlarge", 222595584, 223),
    ],
)
def test_albert_counts(size, parameters, published):
    """Lan et al., 2020, arXiv:1909.11942, table 1, with the pooler."""
    total = describe(f"albert_{size}").to_dict()["parameters"]["total"]
    assert total == parameters
    assert round(total / 1e6) == published


@pytest.mark.parametrize(
    ("embedding_dim", "shared", "published"),
    [
        *[(64, "all", 10), (128, "all", 12), (256, "all", 16), (None, "all", 31)],
        *[(64, "none", 87), (128, "none", 89), (256, "none", 93), (None, "none", 108)],
    ],
)
def test_albert_ablation(embedding_dim, shared, published):
    """The same paper, table 3; not shared, it counts no pooler."""
    base = preset("albert_base")
    stack = StackConfig(
        12, attention=base.encoder.attention, feed_forward=base.encoder.feed_forward
    )
    if shared == "all":
        stack = base.encoder
    config = base.replace(embedding_dim=embedding_dim, encoder=stack, pooler=shared == "all")
    assert round(describe(config).total.parameters / 1e6) == published


@pytest.mark.costly
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"embedding_dim": None, "token_types": 0, "pooler": False},
        {"normalize_first": True, "encoder": StackConfig(2, attention=AttentionConfig(4))},
        {
            "encoder": StackConfig(
                2, attention=AttentionConfig(4), layer_drop=LayerDropConfig(0.5, learned=True)
            )
        },
        {
            "encoder": StackConfig(
                2,
                attention=FixedPatternConfig(
                    4, patterns=("previous", "next", "current"), words=True
                ),
            )
        },
    ],
)
def test_parameters_are_those_described(changes):
    built = TextEncoder(CONFIG.replace(**changes))
    assert built.model.count_params() == describe(built).total.parameters
    got = outputs(built)
    assert got["hidden"].shape == (2, 3, 16)
    assert ("pooled" in got) == built.config.pooler


def test_layers_are_shared(encoder):
    assert len(encoder.encoder_layers) == 4
    assert len({id(layer) for layer in encoder.encoder_layers}) == 1


def test_pooled_is_the_first_token(encoder):
    got = outputs(encoder)
    expected = np.tanh(
        got["hidden"][:, 0] @ encoder.layer("pooler").get_weights()[0]
        + encoder.layer("pooler").get_weights()[1]
    )
    np.testing.assert_allclose(got["pooled"], expected, atol=1e-6)


def test_padding_changes_nothing(encoder):
    padded = np.pad(IDS, [(0, 0), (0, 4)])
    np.testing.assert_allclose(
        outputs(encoder, padded)["hidden"][:, :3], outputs(encoder)["hidden"], atol=1e-6
    )


def test_token_types_matter(encoder):
    assert not np.allclose(outputs(encoder)["hidden"], outputs(encoder, types=IDS % 2)["hidden"])


@pytest.mark.slow
def test_training_with_a_head():
    encoder = TextEncoder(CONFIG)
    logits = keras.layers.Dense(2)(encoder.model.outputs[0][:, 0])
    model = keras.Model(encoder.model.inputs, logits)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    inputs = {"token_ids": IDS, "token_type_ids": 0 * IDS}
    losses = model.fit(inputs, np.array([0, 1]), epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_saved_and_loaded(encoder, tmp_path):
    encoder.save_to_preset(tmp_path / "encoder")
    loaded = TextEncoder.from_preset(tmp_path / "encoder")
    assert isinstance(loaded, TextEncoder)
    assert loaded.config == CONFIG
    for name, value in outputs(loaded).items():
        np.testing.assert_array_equal(value, outputs(encoder)[name])
    assert describe(tmp_path / "encoder").total.parameters == encoder.model.count_params()


def test_mapping_round_trip():
    assert TextEncoderConfig.from_mapping(CONFIG.to_mapping()) == CONFIG


def test_all_problems_at_once():
    with pytest.raises(InputError) as error:
        CONFIG.replace(vocabulary_size=0, token_types=-1, epsilon=0.0, max_length=0, hidden_dim=15)
    for name in ("vocabulary_size", "token_types", "epsilon", "max_length", "num_heads"):
        assert f"`{name}`" in str(error.value) or f"{name}`" in str(error.value)


def test_text_encoders_do_not_translate():
    with pytest.raises(InputError, match="must be a translation model"):
        TranslationRecipe("x", model={"preset": "albert_base"})
