from slug import slugify


def test_blanks_become_hyphens():
    assert slugify("Hello World") == "hello-world"


def test_a_run_becomes_one():
    assert slugify("a  --  b") == "a-b"


def test_none_at_the_ends():
    assert slugify("  What? ") == "what"


def test_digits_stay():
    assert slugify("Top 10") == "top-10"
