import basket
import pytest
from prices import as_text, price_of
from receipt import receipt


def test_a_thing_has_a_price():
    assert price_of("notebook") == 350


def test_an_unknown_thing_is_an_error():
    with pytest.raises(KeyError):
        price_of("elephant")


def test_cents_are_written_with_a_point():
    assert as_text(1205) == "12.05"


def test_an_empty_basket_costs_nothing():
    assert basket.basket_total({}) == 0


def test_one_piece_costs_its_price():
    assert basket.line_total("pencil", 1) == 120


def test_nine_pieces_cost_nine_times_as_much():
    assert basket.line_total("pencil", 9) == 1080


def test_the_total_is_the_sum_of_the_lines():
    assert basket.basket_total({"pencil": 10, "eraser": 1}) == 1280


def test_the_pieces_are_counted():
    assert basket.count_pieces({"pencil": 2, "eraser": 3}) == 5


def test_a_receipt_has_a_line_for_each_thing():
    assert receipt({"notebook": 1}) == ["1 x notebook: 3.50", "total: 3.50"]


def test_a_receipt_ends_with_the_total():
    assert receipt({"pencil": 1, "eraser": 1})[-1] == "total: 2.00"
