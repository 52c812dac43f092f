from collections import Counter


def summary(log):
    return dict(Counter(level for level, _ in log.entries))
