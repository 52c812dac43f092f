"""Lines of comma-separated values."""

import csv


def parse_line(line):
    """The fields of one line; a field in double quotes may hold commas."""
    return next(csv.reader([line.rstrip("\n")]))
