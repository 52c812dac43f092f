class Log:
    def __init__(self):
        self.entries = []

    def add(self, text):
        self.entries.append(text)
