#!/usr/bin/env python3
"""Style limits of CONTRIBUTING.md: files of at most 800 lines, functions of at most 100, a README.md in every folder, no
raw log() where a guest or client could trigger it is left to review."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOP_FOLDERS = ("core", "devices", "spice", "firmware", "vmm")
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100


def long_functions(lines):
    """Blocks that open at the end of an unindented line with a parameter list and close with an unindented brace."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"^[A-Za-z].*[)a-z]\s*(const|noexcept|override|\s)*\{$", line):
            if not re.match(r"^(namespace|struct|class|enum|union|extern|constexpr\s+\w[\w:<>, ]*\s+k[A-Z])", line):
                start = number
        elif start is not None and line == "}":
            if number - start > MAX_FUNCTION_LINES:
                yield start, number - start
            start = None


def main():
    problems = []
    for top in TOP_FOLDERS:
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            path = file.relative_to(ROOT)
            lines = file.read_text().splitlines()
            if len(lines) > MAX_FILE_LINES:
                problems.append(f"{path}: {len(lines)} lines, the limit is {MAX_FILE_LINES}")
            for start, length in long_functions(lines):
                problems.append(f"{path}:{start}: a function of {length} lines, the limit is {MAX_FUNCTION_LINES}")
            if not (file.parent / "README.md").exists() and file.name != "main.cpp":
                problems.append(f"{path.parent}: has no README.md")
    problems = sorted(set(problems))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
