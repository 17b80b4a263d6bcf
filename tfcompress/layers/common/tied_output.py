"""Embeddings that are output layers as well."""

import tensorflow as tf


def check_tied_output(tie: str, hidden: tf.Tensor, hidden_dim: int) -> None:
    """Makes sure that an embedding can compute logits of hidden vectors.

    Args:
        tie: How the embedding is tied to the output.
        hidden: The hidden vectors.
        hidden_dim: Their width.

    Raises:
        ValueError: If the embedding is not tied, or the vectors have another width.
    """
    if tie == "none":
        raise ValueError(
            "This embedding is not tied to an output layer. Received: reverse=True with "
            "tie='none'. Tie it, or use a separate output layer."
        )
    if hidden.shape[-1] not in (None, hidden_dim):
        raise ValueError(
            f"With `reverse`, the input must be hidden vectors of width {hidden_dim}. "
            f"Received: shape={tuple(hidden.shape)}. Project it to `hidden_dim` first."
        )
