def newest(versions):
    """The highest of versions such as "1.10.0"; numbers compare as numbers."""
    return sorted(versions)[-1]


def is_newer(version, other):
    return version != other and newest([version, other]) == version
