def rank(scores):
    """A dict from name to rank; the highest score has rank 1, equal ones share it."""
    return {name: 1 + sum(other > score for other in scores.values()) for name, score in scores.items()}
