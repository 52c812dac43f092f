PAIRS = {")": "(", "]": "[", "}": "{"}


def is_balanced(text):
    opened = []
    for character in text:
        if character in PAIRS.values():
            opened.append(character)
        elif character in PAIRS and (not opened or opened.pop() != PAIRS[character]):
            return False
    return not opened
