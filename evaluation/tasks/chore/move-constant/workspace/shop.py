TAX_PERCENT = 19


def tax_line(cents):
    return f"tax: {cents * TAX_PERCENT // 100}"
