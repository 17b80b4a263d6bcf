"""From a model to files of Marian's and Bergamot's engines."""
