def line(text, *, bold=False, width=20):
    shown = f"*{text}*" if bold else text
    return shown.ljust(width, ".")
