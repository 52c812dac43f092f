"""The list as text."""


def render(todo):
    """One line for each task."""
    return [f"[{'x' if name in todo.finished else ' '}] {name}" for name in todo.names]
