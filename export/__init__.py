"""Conversion to LiteRT bundles, and the runtime that runs them."""
