"""Runs that use the same model wait for each other."""
