"""Stock Open Interpreter works on a task: `python -I open_interpreter.py URL MODEL TASK`, in the task's folder."""

import os
import sys

URL, MODEL, TASK = sys.argv[1:]

from interpreter import interpreter  # noqa: E402

# As its documentation says for a server that speaks the OpenAI API; without telemetry and questions.
interpreter.offline = True
interpreter.disable_telemetry = True
interpreter.auto_run = True
interpreter.llm.model = f"openai/{MODEL}"
interpreter.llm.api_base = f"{URL}/v1"
interpreter.llm.api_key = "none"
interpreter.llm.context_window = 8192
interpreter.llm.max_tokens = 1500
interpreter.llm.supports_functions = False
interpreter.llm.supports_vision = False
for message in interpreter.chat(TASK, display=False):
    print(message, flush=True)
# Its kernel's threads would keep the process.
interpreter.computer.terminate()
sys.stdout.flush()
os._exit(0)
