from parse import parse_line


def rows(text):
    """A dict for each line after the first, which names the fields."""
    head, *lines = [parse_line(line) for line in text.splitlines() if line]
    return [dict(zip(head, line)) for line in lines]
