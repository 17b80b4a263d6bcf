"""The folder that a device is given."""
