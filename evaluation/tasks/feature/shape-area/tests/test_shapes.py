from measure import largest, total_area
from shapes import Rectangle, Square, Triangle


def test_triangle():
    assert Triangle(4, 3).area() == 6


def test_total():
    assert total_area([Square(2), Rectangle(1, 5), Triangle(2, 2)]) == 11


def test_largest():
    big = Rectangle(3, 4)
    assert largest([Square(3), big, Triangle(4, 5)]) is big
