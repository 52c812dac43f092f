def remove_all(items, unwanted):
    """Take each `unwanted` out of the list itself; returns how many there were."""
    removed = 0
    for item in items:
        if item == unwanted:
            items.remove(item)
            removed += 1
    return removed


def unique(items):
    """Each item once, in the order of the first."""
    return list(dict.fromkeys(items))
