"""The project that `make demo` has mended: red for one bug and one missing function, green after two small edits."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "scripts" / "demo_project"


def run_tests(folder: Path) -> tuple[int, str]:
    """Exit code and output of the project's own suite."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_a_bug_and_a_missing_function_are_red_and_the_rest_is_green(tmp_path: Path) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "shop")

    code, output = run_tests(project)

    assert code == 1
    assert re.findall(r"^FAILED test_shop.py::(\w+)", output, re.MULTILINE) == [
        "test_nine_pieces_cost_nine_times_as_much",
        "test_the_total_is_the_sum_of_the_lines",
        "test_the_pieces_are_counted",
    ]
    assert "3 failed, 7 passed" in output


def test_the_quantity_and_one_function_make_it_green(tmp_path: Path) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "shop")
    basket = project / "basket.py"
    mended = basket.read_text().replace("return price_of(name)", "return price_of(name) * quantity")
    basket.write_text(mended + "\n\ndef count_pieces(basket):\n    return sum(basket.values())\n")

    code, output = run_tests(project)

    assert (code, "10 passed" in output) == (0, True)
