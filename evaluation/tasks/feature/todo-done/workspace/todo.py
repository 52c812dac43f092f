"""Tasks in the order in which they were added."""


class TodoList:
    def __init__(self):
        self.names = []

    def add(self, name):
        self.names.append(name)
