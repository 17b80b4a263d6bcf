"""Reads, checks and rewrites `.tflite` files."""
