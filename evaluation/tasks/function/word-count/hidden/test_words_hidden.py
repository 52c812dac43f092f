from words import count_words


def test_digits_separate_too():
    assert count_words("a1b a") == {"a": 2, "b": 1}
