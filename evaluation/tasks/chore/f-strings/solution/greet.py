def hello(name):
    return f"Hello, {name}!"


def visits(name, count):
    return f"{name} was here {count} times"
