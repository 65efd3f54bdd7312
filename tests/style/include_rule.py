#!/usr/bin/env python3
"""Holds every #include of the project against the table in docs/architecture.md: one row a folder, its last column the
folders it may include beside itself and core/base. Also: no header includes Asio, CLI11 or nlohmann-json."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOP_FOLDERS = ("core", "devices", "spice", "firmware", "vmm")
HEAVY = re.compile(r"<(asio|CLI|nlohmann)[/.](?!json_fwd)")


def allowed_table():
    table = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`[a-z0-9_/.]+`", cells[0]):
            table[cells[0].strip("`")] = re.findall(r"`([a-z0-9_/*]+)`", cells[2])
    return table


def folder_of(path, table):
    """The longest folder of the table that holds the path, or the path itself (vmm/main.cpp)."""
    fits = [folder for folder in table if path == folder or path.startswith(folder + "/")]
    return max(fits, key=len) if fits else None


def permits(rule, target):
    if rule == "*":
        return True
    if rule.endswith("/*"):
        return target.startswith(rule[:-1])
    return target == rule


def main():
    table = allowed_table()
    problems = []
    files = [f for top in TOP_FOLDERS for ext in ("*.h", "*.cpp") for f in (ROOT / top).rglob(ext)]
    for file in sorted(files):
        path = str(file.relative_to(ROOT))
        source = folder_of(path, table)
        if source is None:
            problems.append(f"{path}: its folder has no row in docs/architecture.md")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if path.endswith(".h") and re.match(r"\s*#\s*include\s*" + HEAVY.pattern, line):
                problems.append(f"{path}:{number}: a header includes a heavy library")
            found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not found:
                continue
            target = folder_of(found[1], table)
            if target is None or not (ROOT / found[1]).exists():
                problems.append(f"{path}:{number}: {found[1]} is not a file of the project (write paths from the root)")
            elif target not in (source, "core/base") and not any(permits(rule, target) for rule in table[source]):
                problems.append(f"{path}:{number}: {source} may not include {target}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
