from rates import TAX_PERCENT


def tax_line(cents):
    return f"tax: {cents * TAX_PERCENT // 100}"
