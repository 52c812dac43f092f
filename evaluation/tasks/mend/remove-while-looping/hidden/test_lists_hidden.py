from lists import remove_all


def test_the_list_itself_is_changed():
    items = ["a", "a"]
    same = items
    assert remove_all(items, "a") == 2
    assert same == [] and same is items
