from ranking import rank


def winners(scores):
    return sorted(name for name, place in rank(scores).items() if place == 1)
