from grouping import group_by


def test_it_is_a_plain_dict_and_takes_any_iterable():
    found = group_by(iter("aba"), str.upper)
    assert found == {"A": ["a", "a"], "B": ["b"]}
    assert "C" not in found and not hasattr(found, "default_factory")
