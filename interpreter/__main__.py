"""`python -m interpreter "TASK"`: the same as `super-agent exec "TASK"`."""

import sys

from super_agent.cli.main import main

if __name__ == "__main__":
    main(["exec", *sys.argv[1:]])
