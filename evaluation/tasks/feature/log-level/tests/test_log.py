from log import Log
from summary import summary


def made():
    log = Log()
    log.add("started")
    log.add("disk full", level="error")
    log.add("ended")
    return log


def test_entries_are_pairs():
    assert made().entries[:2] == [("info", "started"), ("error", "disk full")]


def test_one_level_only():
    assert made().only("info") == ["started", "ended"]


def test_summary():
    assert summary(made()) == {"info": 2, "error": 1}
