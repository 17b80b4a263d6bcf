"""Tokenizers of a bundle: their files, and their LiteRT graphs."""
