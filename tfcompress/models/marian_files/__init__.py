"""Models in Marian's own files: `.npz` and Bergamot's `.bin`, read and written."""
