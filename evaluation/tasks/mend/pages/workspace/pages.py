"""A long list, page by page; pages count from 1."""


def page_count(items, size):
    return len(items) // size


def page(items, number, size):
    if not 1 <= number <= page_count(items, size):
        raise IndexError(f"there is no page {number}")
    return items[(number - 1) * size : number * size]
