class Cache:
    """Keeps what a function returned for each key."""

    def __init__(self, compute):
        self._compute = compute
        self._values = {}

    def get(self, key):
        if key not in self._values:
            self._values[key] = self._compute(key)
        return self._values[key]
