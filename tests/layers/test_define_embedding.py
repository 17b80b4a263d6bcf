import math

import numpy as np
import pytest
from layers.group_reference import dextra_of, dextra_parameters
from layers.harness import (
    assert_close,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress import scaling
from tfcompress.layers import DeFINEEmbedding

V, H, E = 11, 8, 8
IDS = np.array([[3, 5, 7, 7, 10], [1, 2, 0, 4, 9]], "int32")
SMALL = {"embedding_dim": E, "num_layers": 3, "max_groups": 2, "projection_dim": 8}


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def built(**options):
    layer = DeFINEEmbedding(V, hidden_dim=H, **{**SMALL, **options})
    layer(IDS)
    randomize(layer)
    return layer


def schedule(released=False):
    return scaling.define_schedule(8, H, 2 * E, 3, 2, released=released)


def test_contract():
    run_layer_test(
        lambda: DeFINEEmbedding(V, hidden_dim=H, **SMALL, tie="none", schedule="released"),
        IDS,
        output_shape=(2, 5, H),
        parameters=V * E + dextra_parameters(E, H, 8, schedule(released=True)),
    )


@pytest.mark.parametrize("name", ["paper", "released"])
def test_recomputed(name):
    layer = built(schedule=name)
    assert layer.transform.group_schedule == schedule(released=name == "released")
    x = layer.table.get_weights()[0][IDS] * E**0.5
    assert_close(layer(IDS), dextra_of(layer.transform, x, gelu, shuffle=False))


def test_the_schedules_differ():
    assert schedule().groups == (2, 1, 1)
    assert schedule(released=True).groups == (1, 2, 1)
    assert built().get_config()["schedule"] == "paper"


def test_step():
    run_step_test(built(), IDS)


def test_cached_outputs_are_those_computed():
    layer = built(dropout=0.5)
    cached = layer.cache_outputs()
    assert_close(cached(IDS), layer(IDS))
    costs = layer.cache_costs()
    assert costs["cached"]["parameters"] == V * H + V * E
    assert costs["computed"]["parameters"] == layer.count_params()


def test_logits():
    layer = built()
    x = normal(2, 5, H)
    assert_close(layer(x, reverse=True), x @ layer.table.get_weights()[0].T)


def test_export():
    run_export_test(built(tie="none"), IDS)


def test_unknown_schedule():
    with pytest.raises(ValueError, match=r"one of paper, released. Received: schedule='dextra'"):
        DeFINEEmbedding(V, hidden_dim=H, schedule="dextra")
