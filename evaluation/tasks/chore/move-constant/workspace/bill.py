TAX_PERCENT = 19


def with_tax(cents):
    return cents * (100 + TAX_PERCENT) // 100
