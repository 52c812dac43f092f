def twice(text):
    """Return the text two times in a row."""
    return text + text
