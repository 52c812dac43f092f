import settings


def paint(thing):
    color = settings.color()
    return f"a {color} {thing} of size {settings.size()}"
