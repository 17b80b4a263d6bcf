"""What several layers have in common."""
