def get_text(config, key):
    return config[key]


def get_int(config, key):
    return int(config[key])
