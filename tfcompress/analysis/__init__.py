"""Counts: parameters, multiply-adds, bytes."""
