from ranking import rank


def table(scores):
    ranks = rank(scores)
    return [f"{ranks[name]}. {name} {scores[name]}" for name in sorted(scores, key=lambda name: (ranks[name], name))]
