def moving_average(numbers, width):
    return [sum(numbers[start : start + width]) / width for start in range(len(numbers) - width + 1)]
