class Editor:
    def __init__(self):
        self.text = ""
        self._before = []

    def write(self, text):
        self._before.append(self.text)
        self.text += text

    def clear(self):
        self._before.append(self.text)
        self.text = ""

    def undo(self):
        if self._before:
            self.text = self._before.pop()
