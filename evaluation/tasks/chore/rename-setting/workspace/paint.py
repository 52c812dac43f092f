import settings


def paint(thing):
    colour = settings.colour()
    return f"a {colour} {thing} of size {settings.size()}"
