def multipliers(factors):
    """A function for each factor, which multiplies by it."""
    functions = []
    for factor in factors:
        functions.append(lambda number: number * factor)
    return functions


def table(factors, number):
    return [multiply(number) for multiply in multipliers(factors)]
