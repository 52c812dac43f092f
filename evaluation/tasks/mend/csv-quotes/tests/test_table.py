from parse import parse_line
from table import rows


def test_plain_fields():
    assert parse_line("a,b,c\n") == ["a", "b", "c"]


def test_quoted_fields_hold_commas():
    assert parse_line('1,"Doe, Jane",x') == ["1", "Doe, Jane", "x"]


def test_empty_fields():
    assert parse_line("a,,c") == ["a", "", "c"]


def test_rows():
    assert rows('id,name\n1,"B, A"\n2,C\n') == [{"id": "1", "name": "B, A"}, {"id": "2", "name": "C"}]
