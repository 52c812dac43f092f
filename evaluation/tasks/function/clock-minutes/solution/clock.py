def add_minutes(time, minutes):
    hours, rest = time.split(":")
    total = (int(hours) * 60 + int(rest) + minutes) % (24 * 60)
    return f"{total // 60:02}:{total % 60:02}"
