class Cache:
    """Keeps what a function returned for each key."""

    def __init__(self, compute):
        self._compute = compute
        self._values = {}

    def get(self, key):
        value = self._values.get(key)
        if not value:
            value = self._compute(key)
            self._values[key] = value
        return value
