"""Few distinct weights with tf-model-optimization."""

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.grids import MIN_ELEMENTS
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models.cloning import (
    clone,
    copy_changed,
    copy_layer,
    copy_model,
    leaf_layers,
)
from tfcompress.optimization.models import check_plain, wrappers


def cluster_weights(
    model: keras.Model,
    number_of_clusters: int = 16,
    *,
    scope: str | None = None,
    preserve_sparsity: bool = False,
) -> keras.Model:
    """Returns a model each of whose matrices and tables has a few distinct values only.

    tf-model-optimization puts the centroids where the trained weights are dense, and trains them.
    Train the result with `model.fit`, then take the plain model with `strip_clustering`. It begins
    with the weights of the given model, which stays as it is.

    Few values make a file smaller once it is compressed, as app stores do, and nothing else.

    Args:
        model: As for `quantize_aware`.
        number_of_clusters: Distinct values of a matrix, at least 2, or 3 with `preserve_sparsity`.
        scope: Regular expression; only weights that it is found in are clustered, of at least 1,024
            elements. It is searched for in the layer's name, a slash and the weight's path. Without
            it, all of them.
        preserve_sparsity: Whether weights that are zero stay zero; one of the values is zero then.

    Raises:
        InputError: If an argument is impossible, nothing matches `scope`, the model is subclassed,
            or Keras 3 runs.

    Example:

    >>> model = tfc.optimization.cluster_weights(transformer.model, 16)
    >>> model.compile("adam", loss)
    >>> history = model.fit(dataset, verbose=0)
    >>> plain = tfc.optimization.strip_clustering(model)
    """
    check_plain(model, "cluster_weights")
    least = 3 if preserve_sparsity else 2
    if number_of_clusters < least:
        raise InputError(
            f"`number_of_clusters` must be at least {least}. Received: "
            f"number_of_clusters={number_of_clusters}."
        )
    import tensorflow_model_optimization as tfmot

    from tfcompress.optimization.cluster_slots import ClusterSlots

    expression = None if scope is None else compile_expression("scope", scope)
    copy = copy_model(model)
    chosen = {}
    for name, layer in leaf_layers(copy).items():
        slots = {
            slot.path: slot
            for slot in weight_slots(layer)
            if slot.get().shape.num_elements() >= MIN_ELEMENTS
            and (expression is None or expression.search(f"{name}/{slot.path}"))
        }
        if slots:
            chosen[id(layer)] = slots
    if not chosen:
        raise InputError(
            f"`scope` must match a weight of at least {MIN_ELEMENTS:,} elements. Received: "
            f"scope={scope!r}."
        )

    def wrapped(layer):
        if id(layer) not in chosen:
            return layer
        return ClusterSlots(
            layer,
            paths=chosen[id(layer)],
            number_of_clusters=number_of_clusters,
            cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.DENSITY_BASED,
            preserve_sparsity=preserve_sparsity,
        )

    return clone(copy, wrapped)


def strip_clustering(model: keras.Model) -> keras.Model:
    """Returns the plain model of one that `cluster_weights` made, with its few values.

    It is a new model, not compiled: compile it before `evaluate` or `fit`.

    Args:
        model: What `cluster_weights` returned, trained or not; it stays as it is.

    Raises:
        InputError: If nothing of the model is clustered.
    """
    wrappers(model, "cluster_weights", "strip_clustering")
    plain = clone(model, copy_layer)
    copy_clustered(model, plain)
    return plain


def copy_clustered(model: keras.Model, plain: keras.Model) -> None:
    """Gives a plain model the present values of a clustered one.

    Args:
        model: What `cluster_weights` returned.
        plain: What `strip_clustering` made of it.
    """
    wrapped = wrappers(model, "cluster_weights", "copy_clustered")
    copy_changed(model, plain, {path: layer.clustered() for path, layer in wrapped.items()})
