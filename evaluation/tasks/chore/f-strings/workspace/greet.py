def hello(name):
    return "Hello, %s!" % name


def visits(name, count):
    return "{} was here {} times".format(name, count)
