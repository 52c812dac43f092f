from editor import Editor


def run(commands):
    """The text after commands such as "write abc" and "clear"."""
    editor = Editor()
    for command in commands:
        name, _, rest = command.partition(" ")
        if name == "write":
            editor.write(rest)
        elif name == "clear":
            editor.clear()
        else:
            raise ValueError(f"unknown command: {name}")
    return editor.text
