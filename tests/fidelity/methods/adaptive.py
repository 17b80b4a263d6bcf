"""Adaptive input and softmax."""

from tfcompress.layers import AdaptiveEmbedding


def adaptive(config, arrays):
    """An adaptive embedding and its tied softmax, or that of a second embedding if untied."""
    table = arrays["w/inp.embeddings.0.weight"]
    hidden = arrays["in/h"].shape[-1]
    tied = config.get("tie_weights", True)
    # Tied, the reference's head has a projection of its own where widths differ.
    own_head = "w/softmax.head.word_proj.0.weight" in arrays
    own = not config.get("tie_proj", False) or own_head

    if tied:
        embedding = softmax = _layer(config, hidden, table.shape[1], tie_projections=not own)
    else:
        embedding = _layer(config, hidden, table.shape[1], tie="none")
        softmax = _layer(config, hidden, hidden, tie_projections=False)
        _load_tables(softmax, arrays)
    for i, (weight, projection) in enumerate(zip(embedding.embeddings, embedding.projections)):
        weight.assign(arrays[f"w/inp.embeddings.{i}.weight"])
        projection.set_weights([arrays[f"w/inp.projections.{i}.weight"].T])
    if tied and softmax.cutoffs:
        softmax.class_projection.set_weights([arrays["w/softmax.head.class_proj.weight"].T])
    kernels = [arrays["w/softmax.head.word_proj.0.weight"].T] if own_head else []
    for i in range(len(softmax.cutoffs)):
        kernel = arrays[f"w/softmax.tail.{i}.0.weight"]
        kernels.append(kernel if tied and config.get("tie_proj", False) else kernel.T)
    if softmax.output_projections:
        assert len(softmax.output_projections) == len(kernels)
    for projection, kernel in zip(softmax.output_projections, kernels):
        projection.set_weights([kernel])
    return {
        "out/emb": embedding(arrays["in/ids"]),
        "out/log_prob": softmax(arrays["in/h"], reverse=True),
    }


def _layer(config, hidden, width, **options):
    layer = AdaptiveEmbedding(
        config["vocab"],
        hidden_dim=hidden,
        cutoffs=[cutoff for cutoff in config["cutoff"] if cutoff < config["vocab"]],
        embedding_dim=width,
        factor=config["factor"],
        scale_bands=any(scale != 1 for scale in config.get("emb_scales") or [1]),
        **options,
    )
    layer.build((None, None))
    return layer


def _load_tables(softmax, arrays):
    """The head's words and classes and the tails' words, which are no input's tables."""
    head = arrays["w/softmax.head.weight"]
    first, *tails = softmax.embeddings
    size = first.shape[0]
    first.assign(head[:size])
    if tails:
        softmax.class_projection.set_weights([head[size:].T])
    for i, table in enumerate(tails):
        table.assign(arrays[f"w/softmax.tail.{i}.2.weight"])


METHODS = {"adaptive": (adaptive, ("in/ids", "in/h"))}
