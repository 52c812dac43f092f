import json
from pathlib import Path

FILE = Path(__file__).with_name("settings.json")


def colour():
    return json.loads(FILE.read_text())["colour"]


def size():
    return json.loads(FILE.read_text())["size"]
