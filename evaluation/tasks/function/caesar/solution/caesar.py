def shift(text, by):
    moved = []
    for character in text:
        if "a" <= character <= "z":
            character = chr((ord(character) - ord("a") + by) % 26 + ord("a"))
        elif "A" <= character <= "Z":
            character = chr((ord(character) - ord("A") + by) % 26 + ord("A"))
        moved.append(character)
    return "".join(moved)
