from runs import decode, encode


def test_there_and_back():
    for text in ("", "a", "  b", "zzzzzyyx", "1122"):
        assert decode(encode(text)) == text
