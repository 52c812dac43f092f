from cache import Cache


def counting(result):
    calls = []

    def compute(key):
        calls.append(key)
        return result

    return compute, calls


def test_a_value_is_computed_once():
    compute, calls = counting("x")
    cache = Cache(compute)
    assert [cache.get(1), cache.get(1)] == ["x", "x"]
    assert calls == [1]


def test_zero_is_a_value():
    compute, calls = counting(0)
    cache = Cache(compute)
    assert [cache.get(1), cache.get(1)] == [0, 0]
    assert calls == [1]


def test_none_is_a_value():
    compute, calls = counting(None)
    cache = Cache(compute)
    assert [cache.get(1), cache.get(1), cache.get(2)] == [None, None, None]
    assert calls == [1, 2]
