#!/usr/bin/env python3
"""Fuzzes every decoder: builds the preset `fuzz`, runs the targets of targets.txt, counts lines.

    run_fuzz.py [TARGET …]       each runs its executions; one line each; 1 when one failed
    run_fuzz.py --seed 7         the same inputs again (the seed of a run is printed)
    run_fuzz.py --plant          can the fuzzers find a planted bug? (tests the tests)
    run_fuzz.py --grow           afterwards adds to corpus/ what reached new lines

A run fails when an input breaks a target (it is kept, and printed), when the executions were not
done in time, or when a decoder's source is covered too little by the inputs that are worth keeping.
"""

import argparse
import base64
import concurrent.futures
import fnmatch
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / "build" / "fuzz"
WORK = BUILD / "fuzzing"
LINES_MIN = 80  # of 100 lines of a decoder
INPUT_SECONDS = 5
MEMORY_MB = 2048
INPUT_BYTES_PRINTED = 2048
PLANT_TRIES = 10  # seeds that a planted bug has to be found with
GROWN_BYTES_MAX = 1024  # of an input that --grow takes
CORPUS_FILES_MAX = 100  # of a target, up to which --grow adds


class Target:
    """One entry of targets.txt, and where its files lie."""

    def __init__(self, name):
        self.name, self.covers, self.skips, self.words = name, [], [], []
        self.corpus = HERE / "corpus" / name
        self.regressions = HERE / "regressions" / name
        self.work = WORK / name
        self.lines = self.work / "lines"
        self.found = self.work / "found"
        self.broken = self.work / "broken"

    def program(self, kind="fuzz"):
        return BUILD / "tests" / "fuzz" / f"{kind}_{self.name}"

    def inputs(self):
        folders = (self.corpus, self.lines, self.regressions)
        return [str(folder) for folder in folders if folder.is_dir()]


def read_targets(wanted):
    targets = []
    for line in (HERE / "targets.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            targets.append(Target(line))
            continue
        key, *values = line.split()
        if key in ("covers", "skips", "words"):
            getattr(targets[-1], key).extend(values)
    targets = [target for target in targets if (HERE / f"fuzz_{target.name}.c").exists()]
    unknown = set(wanted) - {target.name for target in targets}
    if unknown:
        sys.exit(f"no such target: {' '.join(sorted(unknown))}")
    return [target for target in targets if not wanted or target.name in wanted]


def build(cmake_target):
    commands = [["cmake", "--preset", "fuzz"],
                ["cmake", "--build", "--preset", "fuzz", "--target", cmake_target,
                 "-j", str(os.cpu_count())]]
    for command in commands:
        result = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        if result.returncode != 0:
            print(result.stdout[-8000:])
            sys.exit(f"{' '.join(command)} failed")


def run(target, program, arguments, profile=None):
    """Runs a fuzzer to its end; its log and its exit status."""
    environment = dict(os.environ)
    environment["LLVM_PROFILE_FILE"] = str(profile or target.work / "unused.profraw")
    environment["ASAN_OPTIONS"] = "symbolize=1:detect_stack_use_after_return=1"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    environment["LSAN_OPTIONS"] = f"suppressions={ROOT / 'tests' / 'support' / 'lsan.supp'}"
    for name in ("llvm-symbolizer-14", "llvm-symbolizer"):
        if shutil.which(name):
            environment["ASAN_SYMBOLIZER_PATH"] = shutil.which(name)
            break
    result = subprocess.run([str(program), *arguments], stdout=subprocess.PIPE, cwd=target.work,
                            stderr=subprocess.STDOUT, env=environment)
    log = result.stdout.decode(errors="replace")
    with open(target.work / "log", "a") as file:
        file.write(log)
    return log, result.returncode


def write_words(target):
    """A dictionary for libFuzzer: our .words files are such, of sources the quoted words are taken."""
    lines = []
    for path in target.words:
        text = (ROOT / path).read_text()
        if path.endswith(".words"):
            lines += text.splitlines()
        else:
            lines += sorted({f'"{word}"' for word in re.findall(r'"([\w.,$:/ -]{1,24})"', text)})
    path = target.work / "words"
    path.write_text("\n".join(lines) + "\n")
    return path


def fuzz_arguments(target, options, seed):
    arguments = [f"-runs={options.runs}", f"-max_total_time={options.seconds}", f"-seed={seed}",
                 f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MB}",
                 f"-artifact_prefix={target.broken}/", "-print_final_stats=1"]
    if target.words:
        arguments.append(f"-dict={write_words(target)}")
    return arguments + [str(target.found), *target.inputs()]


def prepare(target):
    shutil.rmtree(target.work, ignore_errors=True)
    target.found.mkdir(parents=True)
    target.broken.mkdir()
    target.lines.mkdir()
    for path in target.corpus.glob("*.sql"):  # a short input is worth more mutations than a long one
        for number, line in enumerate(path.read_bytes().splitlines()):
            (target.lines / f"{path.stem}_{number}").write_bytes(line.rstrip(b"; "))


def executions(log):
    counts = re.findall(r"stat::number_of_executed_units:\s*(\d+)", log)
    return int(counts[-1]) if counts else 0


def read_lines(report):
    """Of llvm-cov's lcov report: per source its functions by first line, and the runs of each line."""
    functions, runs, path = {}, {}, None
    for line in report.splitlines():
        key, _, rest = line.partition(":")
        if key == "SF":
            path = os.path.relpath(rest, ROOT)
            functions[path], runs[path] = {}, {}
        elif key == "FN":
            number, name = rest.split(",", 1)
            functions[path][int(number)] = name.rpartition(":")[2]
        elif key == "DA":
            number, count = rest.split(",")[:2]
            runs[path][int(number)] = int(count)
    return functions, runs


def decoder_lines(source, functions, runs, skips):
    """The lines of one source that its decoder consists of: not those of functions it skips, nor
    the constants that only such functions name (the report counts a macro's uses at its line)."""
    starts = sorted(functions)
    lines = {}
    for number, count in runs.items():
        if source[number - 1].startswith("#define"):
            continue
        start = max((start for start in starts if start <= number), default=None)
        if not any(fnmatch.fnmatchcase(functions.get(start, ""), skip) for skip in skips):
            lines[number] = count
    return lines


def line_coverage(target):
    """Replays all inputs; percent of lines per source of the decoder."""
    raw, profile = target.work / "raw.profraw", target.work / "profile"
    log, status = run(target, target.program(),
                      ["-runs=0", f"-timeout={INPUT_SECONDS}", str(target.found), *target.inputs()],
                      raw)
    if status != 0:
        return {}
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", str(raw), "-o", str(profile)],
                   check=True)
    sources = [str(ROOT / path) for path in target.covers]
    report = subprocess.run(["llvm-cov-14", "export", "-format=lcov",
                             f"-instr-profile={profile}", str(target.program()), *sources],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    functions, runs = read_lines(report)
    names = {name for of_source in functions.values() for name in of_source.values()}
    unused = [skip for skip in target.skips if not fnmatch.filter(names, skip)]
    if unused:
        sys.exit(f"fuzz_{target.name} skips what is not there: {' '.join(unused)}")
    coverage = {}
    for path, of_source in runs.items():
        source = (ROOT / path).read_text().splitlines()
        counts = decoder_lines(source, functions[path], of_source, target.skips).values()
        coverage[path] = 100 * sum(count > 0 for count in counts) / max(len(counts), 1)
    return coverage


def describe_broken(target, log):
    """What a developer needs of an input that broke the target."""
    cause = re.search(r"(?:ERROR|SUMMARY|runtime error).*", log)
    lines = [f"    {cause[0] if cause else log[-2000:]}"]
    for path in sorted(target.broken.iterdir()):
        data = path.read_bytes()
        lines.append(f"    input: {path}")
        if len(data) <= INPUT_BYTES_PRINTED:
            lines.append(f"    base64: {base64.b64encode(data).decode()}")
    lines.append(f"    log: {target.work / 'log'}")
    lines.append(f"    once it is mended, keep the input in tests/fuzz/regressions/{target.name}/")
    return lines


def fuzz(target, options):
    """One target's run: the lines to print and whether it passed."""
    prepare(target)
    if not target.program().exists():
        return [f"fuzz_{target.name}: not built, a library of targets.txt is missing"], False
    start = time.monotonic()
    log, status = run(target, target.program(), fuzz_arguments(target, options, options.seed))
    seconds = time.monotonic() - start
    if status != 0:
        return [f"fuzz_{target.name}: broken by an input, seed {options.seed}",
                *describe_broken(target, log)], False
    done = executions(log)
    coverage = line_coverage(target)
    low = [path for path in target.covers if coverage.get(path, 0) < LINES_MIN]
    percents = " ".join(f"{os.path.basename(path)} {coverage.get(path, 0):.0f}"
                        for path in target.covers)
    lines = [f"fuzz_{target.name}: {done} executions, {done / seconds:.0f}/s, "
             f"lines in 100: {percents}"]
    if done < options.runs:
        lines.append(f"    only {done} of {options.runs} executions in {options.seconds} s")
    lines += [f"    {path}: {coverage.get(path, 0):.1f} lines in 100, at least {LINES_MIN} needed"
              for path in low]
    return lines, done >= options.runs and not low


def plant(target, options):
    """The planted bug of a target: no kept input may reach it, the fuzzer must."""
    prepare(target)
    program = target.program("planted")
    log, status = run(target, program, ["-runs=0", *target.inputs()])
    if status != 0:
        return [f"planted_{target.name}: an input that is kept reaches the planted bug",
                *describe_broken(target, log)], False
    start, done, is_found = time.monotonic(), 0, False
    for seed in range(options.seed, options.seed + PLANT_TRIES):
        log, status = run(target, program, fuzz_arguments(target, options, seed))
        done += executions(log)
        is_found = status != 0 and "heap-buffer-overflow" in log and " in plant " in log
        if status != 0:
            break
    seconds = time.monotonic() - start
    words = "found" if is_found else "NOT found"
    return [f"planted_{target.name}: {words}, {done} executions, {seconds:.0f} s"], is_found


def features_of(target):
    """What each input reaches, as libFuzzer's merge notes it; those of the corpus come first."""
    notes, unused = target.work / "notes", target.work / "merged"
    unused.mkdir(exist_ok=True)
    run(target, target.program(), ["-merge=1", "-use_counters=0", f"-merge_control_file={notes}",
                                   str(unused), str(target.corpus), str(target.found)])
    lines = notes.read_text().splitlines()
    paths = [pathlib.Path(line) for line in lines[2:2 + int(lines[0])]]
    features = {path: set() for path in paths}
    for line in lines[2 + len(paths):]:
        kind, index, *numbers = line.split()
        if kind == "FT":
            features[paths[int(index)]].update(numbers)
    return features


def reaches_plant(target, path):
    log, status = run(target, target.program("planted"), ["-runs=0", str(path)])
    return status != 0


def grow(targets):
    """Adds to each corpus the inputs that reach most of what it does not reach yet, but for those
    that reach the planted bug: the fuzzer must find that one itself."""
    build("planted_fuzzers")
    for target in targets:
        features = features_of(target)
        kept = list(target.corpus.iterdir())
        reached = set().union(*(features.pop(path, set()) for path in kept))
        small = [path for path in features if path.stat().st_size <= GROWN_BYTES_MAX]
        while len(kept) < CORPUS_FILES_MAX and small:
            best = max(small, key=lambda path: (len(features[path] - reached), -path.stat().st_size))
            if not features[best] - reached:
                break
            reached |= features[best]
            if reaches_plant(target, best):
                continue
            kept.append(target.corpus / f"found_{best.name[:12]}")
            shutil.copyfile(best, kept[-1])
    files = [path for path in (HERE / "corpus").rglob("*") if path.is_file()]
    print(f"{len(files)} inputs, {sum(path.stat().st_size for path in files)} bytes")


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--runs", type=int, default=100000, help="executions of each target")
    parser.add_argument("--seconds", type=int, default=180, help="for the executions of a target")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time")
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--grow", action="store_true")
    return parser.parse_args()


def main():
    options = parse_options()
    targets = read_targets(options.targets)
    build("planted_fuzzers" if options.plant else "fuzzers")
    print(f"seed {options.seed}", flush=True)
    failed = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = {pool.submit(plant if options.plant else fuzz, target, options): target
                for target in targets}
        for future in concurrent.futures.as_completed(work):
            lines, is_good = future.result()
            print("\n".join(lines), flush=True)
            if not is_good:
                failed.append(work[future].name)
    if options.grow:
        grow(targets)
    print(f"{len(targets) - len(failed)} of {len(targets)} targets passed")
    return 1 if failed or not targets else 0


if __name__ == "__main__":
    sys.exit(main())
