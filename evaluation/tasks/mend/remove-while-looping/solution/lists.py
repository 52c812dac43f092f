def remove_all(items, unwanted):
    """Take each `unwanted` out of the list itself; returns how many there were."""
    before = len(items)
    items[:] = [item for item in items if item != unwanted]
    return before - len(items)


def unique(items):
    """Each item once, in the order of the first."""
    return list(dict.fromkeys(items))
