class Editor:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def clear(self):
        self.text = ""
