"""What the scripted runs look like as plain text, whole."""

TEAM = """\
Write add.py with add(a, b).
  coder-7b-16k at http://localhost:11434
  in /code/sum, sandbox: bubblewrap, check: python -m pytest -q
  the model is ready: loaded in 3.2 s, context 16,384 tokens, on the GPU
  the check does not pass yet: it failed with exit code 1 (0.4 s)
  │ no tests ran in 0.00s

planner
  1. Write add.py with add(a, b), which returns the sum of its two arguments.
  2. Keep it short.

── turn 1 ──

coder
  Here it is.

  ```python add.py
  def add(a, b):
      return a - b
  ```

workspace
  ✓ created add.py (+2 −0)
    +def add(a, b):
    +    return a - b

check
  $ python -m pytest -q
  │ F                                     [100%]
  │ E       assert -1 == 5
  │ 1 failed in 0.01s
  ✗ the check failed with exit code 1 (0.4 s)

reviewer
  ✗ to be revised: add subtracts instead of adding

── turn 2 ──
you: please keep the name add

coder
  The sign was wrong.

  ```python add.py
  <<<<<<< SEARCH
      return a - b
  =======
      return a + b
  >>>>>>> REPLACE
  ```

workspace
  ✓ edited add.py (+1 −1)
    @@ -1,2 +1,2 @@
     def add(a, b):
    -    return a - b
    +    return a + b
  ✗ ../secret.py was not written: the path leaves the workspace

check
  $ python -m pytest -q
  │ 1 passed in 0.01s
  ✓ the check passed (0.4 s)

✓ done: the check passes
  why     the check failed before the first turn and passes now
  files   add.py
  turns   2 in 12.3 s
  tokens  autogen  2,822 in, 123 out, 4 calls
  model   1 load, 0 reloads, 0 truncations
"""

SOLO = """\
Write add.py with add(a, b).
  coder-7b-16k at http://localhost:11434
  in /code/sum, sandbox: bubblewrap, check: python -m pytest -q
  the model is ready: loaded in 3.2 s, context 16,384 tokens, on the GPU
  the check does not pass yet: it failed with exit code 1 (0.4 s)
  │ no tests ran in 0.00s

── turn 1 ──

executor
  I look first.
  ```shell
  cat add.py
  ```
  │ cat: add.py: No such file or directory
  ✗ failed with exit code 1 (0.1 s)

  ```python
  open("add.py", "w").write("def add(a, b):\\n    return a + b\\n")
  ```
  │ 33
  ✓ finished (0.1 s)

  Done.
  ✓ created by the code: add.py

  check: python -m pytest -q
  │ 1 passed in 0.01s
  ✓ the check passed (0.4 s)

✓ done: the check passes
  why     the check failed before the first turn and passes now
  files   add.py
  turns   1 in 2 min 11 s
  tokens  open-interpreter  1,030 in, 45 out, 3 calls
  model   1 load, 1 reload, 0 truncations
"""

EXEC = """\
Show the Zen of Python.
  coder-7b-16k at http://localhost:11434
  in /code/sum, sandbox: bubblewrap
  the model is ready: loaded in 3.2 s, context 16,384 tokens, on the GPU

executor
  ┊ There is a module for that.
  ```python
  import this
  ```
  │ The Zen of Python, by Tim Peters
  │
  │ Beautiful is better than ugly.
  … 840 of 900 bytes of output are left out
  ✓ finished (0.1 s)

  That is the Zen of Python.

✓ done
  why     the executor ended by itself
  files   none changed
  turns   1 in 4.5 s
  tokens  open-interpreter  500 in, 1 out, 2 calls
  model   1 load, 0 reloads, 0 truncations
"""

FAILED = """\
Write a compiler.
It should be small.
  coder-7b-16k at http://localhost:11434
  in /code/sum, sandbox: bubblewrap
  ⚠ --sandbox none: model-written code runs with your own rights, unprotected
  the model is ready: already loaded, context 4,096 tokens, 50% on the GPU
  ⚠ the context is 4096; real work needs 16384
    → super-agent up --context 16384

── turn 1 ──

coder
  I will
  ⚠ the length limit cut this reply

workspace
  Workspace: the reply was cut by the length limit, so nothing was written.

interpreter
  → Look which compilers there are.
  ⚠ Open Interpreter was restarted: it was killed by signal 9
  runs shell:
  sleep 100
  ✗ did not end in time (30.0 s): it ran longer than 30 s
  ⚠ reload: its process is another one
    likely cause: another client
    → Use the same model name
  ⚠ truncation: the server evaluated 4000 prompt tokens, fewer than were sent
  queued: a request of autogen waited 2.5 s

coder
  I will now
  ✗ the server closed the connection
    → Look at its log

✗ ended by an error
  why     Ollama at http://localhost:11434 cannot be reached. Start it: super-agent up
  files   none changed
  turns   1 in 33.0 s
  tokens  autogen  4,000 in, 2 out, 1 call
  model   0 loads, 1 reload, 1 truncation
"""

EXPECTED = {"team": TEAM, "solo": SOLO, "exec": EXEC, "failed": FAILED}
