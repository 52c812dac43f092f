class Contacts:
    def __init__(self):
        self.numbers = {}

    def add(self, name, number):
        self.numbers[name] = number

    def search(self, part):
        return sorted(name for name in self.numbers if part.lower() in name.lower())
