from rates import TAX_PERCENT


def with_tax(cents):
    return cents * (100 + TAX_PERCENT) // 100
