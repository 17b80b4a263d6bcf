"""Text encoders from and to keras-nlp."""

import numpy as np
import pytest
from flavours import LEGACY
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import HeadConfig, TextEncoder, from_keras_nlp, to_keras_nlp

keras_3 = pytest.mark.skipif(LEGACY, reason="keras-nlp is Keras 3")
FAMILIES = {
    "bert": ("Bert", {}),
    "albert": ("Albert", {"embedding_dim": 8}),
    "albert_groups": ("Albert", {"embedding_dim": 8, "num_groups": 2}),
    "roberta": ("Roberta", {}),
    "distil_bert": ("DistilBert", {}),
}
SIZES = {
    "vocabulary_size": 20,
    "num_layers": 4,
    "num_heads": 2,
    "hidden_dim": 16,
    "intermediate_dim": 24,
    "max_sequence_length": 12,
}


def make(family, num_classes=None):
    import keras_nlp

    keras.utils.set_random_seed(0)
    name, options = FAMILIES[family]
    model = getattr(keras_nlp.models, f"{name}Backbone")(**SIZES, **options)
    if num_classes is not None:
        model = getattr(keras_nlp.models, f"{name}TextClassifier")(model, num_classes=num_classes)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + 0.3 * rng.standard_normal(weight.shape))
    return model


def texts(pad_id):
    rng = np.random.default_rng(1)
    ids = rng.integers(4, 20, (3, 9)).astype("int32")
    ids[1, 5:] = ids[2, 2:] = pad_id
    return ids, rng.integers(0, 2, ids.shape).astype("int32")


def check_equal(model, encoder):
    """Compares the outputs at the tokens."""
    ids, types = texts(encoder.config.pad_id)
    is_token = ids != encoder.config.pad_id
    keras_nlp_inputs = {"token_ids": ids, "padding_mask": is_token.astype("int32")}
    inputs = {"token_ids": ids}
    if encoder.config.token_types:
        keras_nlp_inputs["segment_ids"] = inputs["token_type_ids"] = types
    expected, actual = model(keras_nlp_inputs), encoder.model(inputs)
    if not isinstance(expected, dict):
        expected = {"sequence_output" if expected.shape.rank == 3 else "logits": expected}
    names = {"sequence_output": "hidden", "pooled_output": "pooled", "logits": "logits"}
    for name, value in expected.items():
        one, other = np.array(value), np.array(actual[names[name]])
        if name == "sequence_output":
            one, other = one[is_token], other[is_token]
        np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.costly
@keras_3
@pytest.mark.parametrize("num_classes", [None, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_there_and_back(family, num_classes):
    model = make(family, num_classes)
    encoder = from_keras_nlp(model)
    check_equal(model, encoder)
    back = to_keras_nlp(encoder, family.removesuffix("_groups"))
    assert type(back) is type(model)
    check_equal(back, encoder)
    for one, other in zip(model.weights, back.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@keras_3
def test_the_folder_loads(tmp_path):
    encoder = from_keras_nlp(make("bert", 2))
    encoder.save_to_preset(tmp_path / "encoder")
    check_equal(make("bert", 2), TextEncoder.from_preset(tmp_path / "encoder"))


@keras_3
def test_other_models_are_refused():
    import keras_nlp

    with pytest.raises(InputError, match=r"must be a BertBackbone, Alb.*Received: Sequential"):
        from_keras_nlp(keras.Sequential())
    classifier = keras_nlp.models.BertTextClassifier(
        make("bert"), num_classes=2, activation="softmax"
    )
    with pytest.raises(InputError, match="must have no activation"):
        from_keras_nlp(classifier)


@keras_3
def test_what_a_family_lacks_is_named():
    encoder = from_keras_nlp(make("bert"))
    with pytest.raises(InputError, match=r"no such encoder.*another embedding_dim"):
        to_keras_nlp(encoder, "albert")
    with pytest.raises(InputError, match=r"no such encoder.*another pooler"):
        to_keras_nlp(encoder, "roberta")
    with pytest.raises(InputError, match="must be one of bert, albert, roberta, distil_bert"):
        to_keras_nlp(encoder, "gpt")
    mean = TextEncoder(encoder.config.replace(head=HeadConfig(num_classes=2, pooling="mean")))
    with pytest.raises(InputError, match=r"no such encoder.*another head"):
        to_keras_nlp(mean, "bert")


@pytest.mark.skipif(not LEGACY, reason="Keras 2 says what to do")
def test_keras_2_says_what_to_do():
    with pytest.raises(InputError, match=r"in a process without it, .*save_to_preset"):
        from_keras_nlp(None)
