"""Programs for devices: built here, run there."""
