"""What a model's reply means: text in, typed values out. Nothing here opens a file, runs code or knows a member."""
