#!/usr/bin/env python3
"""The house rules that a program can check: layers, doors, sizes, banned calls, forgotten files.

Prints every violation; the exit status is 1 when there is one. With --self-test it checks that each
rule does find a planted violation.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
CODE = ["base", "protocol", "storage", "planner", "compute", "leader", "deploy"]
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "gets", "atoi", "atol", "system", "popen"]
LINES_MAX, WIDTH_MAX = 900, 100
LONG_ALLOWED = {"planner/parser/grammar.y"}
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def read_map(name):
    rules = {}
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            key, _, values = line.partition(":")
            rules[key.strip()] = values.split()
    return rules


def room_of(path, rooms):
    """The longest room a file lies in."""
    best = ""
    for room in rooms:
        if path.startswith(room + "/") and len(room) > len(best):
            best = room
    return best


def check_includes(path, text, layers, doors):
    room = room_of(path, layers)
    for number, line in enumerate(text.splitlines(), 1):
        own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        other = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        if own and "/" in own[1]:
            target = room_of(own[1], layers)
            if target and target != room and target not in layers.get(room, []):
                yield f"{path}:{number}: {room} may not include {own[1]}"
            if own[1].endswith("_internal.h"):
                folder = own[1].rsplit("/", 1)[0]
                if not path.startswith((folder + "/", folder + ".")):  # hash_join/ and hash_join.c
                    yield f"{path}:{number}: {own[1]} is internal to {folder}"
        if other:
            for door, allowed in doors.items():
                if other[1].startswith(door) and not any(path.startswith(a) for a in allowed):
                    yield f"{path}:{number}: <{other[1]}> belongs behind {' '.join(allowed)}"


def check_text(path, text):
    lines = text.splitlines()
    if len(lines) > LINES_MAX and path not in LONG_ALLOWED:
        yield f"{path}: {len(lines)} lines, at most {LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH_MAX and not path.endswith((".def", ".y", ".l")):
            yield f"{path}:{number}: {len(line)} columns, at most {WIDTH_MAX}"
        if MARKS.search(line):
            yield f"{path}:{number}: unfinished: {line.strip()}"
        code = re.sub(r"//.*|/\*.*?\*/|\"(\\.|[^\"\\])*\"", "", line)
        for call in BANNED:
            if re.search(rf"(?<![\w.>]){call}\s*\(", code):
                yield f"{path}:{number}: {call} is banned"


def check_built(files):
    """Every source is named in some CMakeLists.txt, every suite is run."""
    cmake = "".join(p.read_text() for p in ROOT.rglob("CMakeLists.txt") if "build" not in p.parts)
    for path in files:
        name = pathlib.PurePosixPath(path)
        if name.suffix in (".c", ".cc", ".y", ".l") and name.name not in cmake:
            if name.stem not in cmake:
                yield f"{path}: not built"
    for suite in (ROOT / "tests" / "unit").rglob("test_*.c"):
        stem = suite.stem.removeprefix("test_")
        if not re.search(rf"\b{re.escape(stem)}\b", cmake):
            yield f"{suite.relative_to(ROOT)}: never run"


def sources():
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".cc", ".y", ".l", ".def"):
                yield str(path.relative_to(ROOT)), path.read_text()


def run():
    layers, doors, problems, files = read_map("layers.txt"), read_map("doors.txt"), [], []
    for path, text in sources():
        files.append(path)
        problems += check_includes(path, text, layers, doors)
        problems += check_text(path, text)
    problems += check_built(files)
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} violations")
    return 1 if problems or not files else 0


def self_test():
    layers, doors = read_map("layers.txt"), read_map("doors.txt")
    planted = [
        check_includes("storage/a.c", '#include "leader/leader.h"\n', layers, doors),
        check_includes("leader/a.c", '#include "storage/scan.h"\n', layers, doors),
        check_includes("leader/a.c", "#include <nng/nng.h>\n", layers, doors),
        check_includes("leader/a.c", '#include "base/setting_internal.h"\n', layers, doors),
        check_text("base/a.c", "    strcpy(a, b);\n"),
        check_text("base/a.c", "x" * 101 + "\n"),
        check_text("base/a.c", "\n" * 901),
        check_text("base/a.c", "// TO" + "DO later\n"),
        check_built(["base/never_heard_of.c"]),
    ]
    missed = [i for i, found in enumerate(planted) if not list(found)]
    print(f"{len(planted) - len(missed)} of {len(planted)} planted violations found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(self_test() if "--self-test" in sys.argv else run())
