"""Figures, measured and compared with their goals; `make bench`."""
