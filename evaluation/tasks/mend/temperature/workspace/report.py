from convert import to_celsius


def line(city, fahrenheit):
    return f"{city}: {to_celsius(fahrenheit):.0f} C"
