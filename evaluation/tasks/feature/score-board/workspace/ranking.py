def rank(scores):
    """A dict from name to rank; the highest score has rank 1."""
    ordered = sorted(scores, key=lambda name: -scores[name])
    return {name: place for place, name in enumerate(ordered, 1)}
