"""The list as text."""


def render(todo):
    """One line for each task."""
    return [f"[ ] {name}" for name in todo.names]
