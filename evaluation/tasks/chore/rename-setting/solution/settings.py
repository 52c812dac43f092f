import json
from pathlib import Path

FILE = Path(__file__).with_name("settings.json")


def color():
    return json.loads(FILE.read_text())["color"]


def size():
    return json.loads(FILE.read_text())["size"]
