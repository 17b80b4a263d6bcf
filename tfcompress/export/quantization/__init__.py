"""What a file stores its weights as."""
