"""Tasks in the order in which they were added."""


class TodoList:
    def __init__(self):
        self.names = []
        self.finished = set()

    def add(self, name):
        self.names.append(name)

    def done(self, name):
        if name not in self.names:
            raise KeyError(name)
        self.finished.add(name)
