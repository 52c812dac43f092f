def get_text(config, key):
    return config[key]
