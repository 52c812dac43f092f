def load(text, defaults=None):
    """A dict from lines "key = value"; empty lines and those that begin with # are passed over."""
    config = dict(defaults or {})
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            config[key.strip()] = value.strip()
    return config
