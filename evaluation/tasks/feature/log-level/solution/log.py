class Log:
    def __init__(self):
        self.entries = []

    def add(self, text, level="info"):
        self.entries.append((level, text))

    def only(self, level):
        return [text for found, text in self.entries if found == level]
