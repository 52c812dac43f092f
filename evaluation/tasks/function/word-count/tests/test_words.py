from words import count_words


def test_each_word_is_counted():
    assert count_words("the cat and the dog") == {"the": 2, "cat": 1, "and": 1, "dog": 1}


def test_case_does_not_matter():
    assert count_words("Go go GO") == {"go": 3}


def test_punctuation_separates():
    assert count_words("one,two;one!") == {"one": 2, "two": 1}


def test_nothing():
    assert count_words("") == {}
