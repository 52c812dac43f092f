from slug import slugify


def test_nothing_left():
    assert slugify("?!") == ""
    assert slugify("A_b") == "a-b"
