import re
from collections import Counter


def count_words(text):
    return dict(Counter(re.findall(r"[^\W\d_]+", text.lower())))
