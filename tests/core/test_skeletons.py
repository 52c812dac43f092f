"""Files that only announce their functions: those are what is to be written first, and several of them in one go."""

import pytest

from super_agent.core.edits.gaps import Gap, gaps, surround
from super_agent.core.edits.skeletons import unwritten

SKELETON = '''"""A ring."""

LEAST = 1


class Ring:
    """Of so many."""

    def __init__(self, size):
        pass

    def read(self):
        """The oldest."""
        raise NotImplementedError

    def write(self, data):
        ...


def ring_of(size):
    """A new one."""
'''
TOLD = "E   assert Ring(1).read() == 2"


def test_a_file_of_empty_functions_is_written_from_the_first_one_on() -> None:
    assert gaps({"ring.py": SKELETON}, "Write ring.py.", TOLD) == [Gap("ring.py", "Ring.__init__", rest=True)]
    around = surround(SKELETON, "Ring.__init__", rest=True)
    assert around is not None
    assert around.before == SKELETON.partition("        pass")[0]
    assert (around.behind, around.stop) == ("", ("\n```",))


def test_what_is_written_already_is_not_asked_for_again() -> None:
    text = f"{SKELETON}\n\ndef far(a):\n" + "".join(f"    a += {n}\n" for n in range(12)) + "    return a\n"
    found = gaps({"ring.py": text}, "Write ring.py.", f"{TOLD} far")
    names = ["Ring.__init__", "Ring.read", "Ring.write", "ring_of", "far"]
    assert found == [Gap("ring.py", name) for name in names]


def test_one_empty_function_is_asked_for_before_those_that_the_failure_names_more() -> None:
    text = "def half(n):\n    return twice(n) / 4\n\n\ndef twice(n):\n    # to be written\n    pass\n"
    found = gaps({"sums.py": text}, "Write twice in sums.py.", "half half half twice")
    assert found == [Gap("sums.py", "twice"), Gap("sums.py", "half")]
    around = surround(text, "twice")
    assert around is not None
    assert around.before == text.partition("    pass")[0]


def test_a_docstring_alone_is_a_body_to_be_written_behind_it() -> None:
    text = 'def twice(n):\n    """Two of it."""\n\n\nRATE = 2\n'
    assert gaps({"sums.py": text}, "Complete twice.", "assert None == 2") == [Gap("sums.py", "twice")]
    around = surround(text, "twice")
    assert around is not None
    assert around.before + around.behind == text
    assert around.before.endswith('it."""\n')


@pytest.mark.parametrize(
    "text",
    [
        "from abc import ABC\nclass Shape(ABC):\n    def area(self):\n        ...\n",
        "from typing import Protocol\nclass Shape(Protocol[T]):\n    def area(self):\n        ...\n",
        "class Shape:\n    @abc.abstractmethod\n    def area(self):\n        raise NotImplementedError\n",
        "def area(self): pass\n",
        "def area(self):\n    raise ValueError\n",
        "def area(self):\n    return None\n",
        "def area(self:\n    pass\n",
    ],
)
def test_what_is_meant_to_stay_so_is_not_to_be_written(text: str) -> None:
    assert unwritten(text) == {}


def test_empty_functions_that_nobody_names_are_left_alone() -> None:
    text = "def close():\n    pass\n\n\ndef total(names):\n    return sum(names)\n"
    assert gaps({"shop.py": text}, "Mend shop.py.", "assert total([1]) == 2") == [Gap("shop.py", "total")]


@pytest.mark.parametrize(
    "text",
    [
        "def load():\n    pass\n\n\nLIMIT = 3\n\n\ndef merge():\n    pass\n",
        "def load():\n    pass\n\n\nclass Config:\n    limit = 3\n\n    def merge(self):\n        pass\n",
        "class Config:\n    def merge(self):\n        pass\n\n    def load(self):\n        pass\n\n    limit = 3\n",
    ],
)
def test_what_a_reply_could_forget_makes_it_no_skeleton(text: str) -> None:
    assert [gap.rest for gap in gaps({"config.py": text}, "Write load and merge.", "")] == [False, False]


def test_empty_methods_do_not_hide_what_is_wrong_before_them() -> None:
    sink = "class Sink:\n    def write(self):\n        pass\n\n    def flush(self):\n        pass\n"
    text = f"def parse(a):\n    return a\n\n\n{sink}"
    parse = Gap("a.py", "parse")
    assert gaps({"a.py": text}, "", "parse(1) is overwritten") == [parse]
    assert gaps({"a.py": text}, "", "parse(1), Sink") == [Gap("a.py", "Sink.write", rest=True), parse]
    long = "# much\n" * 900
    found = gaps({"a.py": text.replace("class", f"{long}class")}, "", "parse(1), Sink")
    assert found == [parse]


def test_one_of_two_with_the_same_name_and_a_body_behind_its_head_are_left_alone() -> None:
    getter, setter = "    def x(self):\n        pass\n", "    @x.setter\n    def x(self, x):\n        self.y = x\n"
    assert unwritten(f"class A:\n    @property\n{getter}\n{setter}") == {}
    assert unwritten("def f(\n    a: int,\n) -> int: ...\n") == {}
    assert surround("def f(\n    a: int,\n) -> int: return 1\n", "f") is None
