"""Runs a bundle without TensorFlow."""
