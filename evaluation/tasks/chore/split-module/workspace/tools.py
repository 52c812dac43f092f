def area(width, height):
    return width * height


def perimeter(width, height):
    return 2 * (width + height)


def initials(name):
    return "".join(part[0] for part in name.split())


def shout(text):
    return text.upper() + "!"
