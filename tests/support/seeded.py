"""What seeded tests have in common: their options, their failure, and how a statement ended."""

import argparse
import random
import sys
import time

import pgwire


class Failure(Exception):
    """What was checked does not hold; the rest of the test is given up."""


def main(description, run, *, preset=None, can_break=False, **options):
    """Parses --seed, --preset and `options` (default values, or keywords of add_argument), hands
    them to `run`; the exit code."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--preset", default=preset)
    if can_break:
        parser.add_argument("--break-name", help="negative control, in a build with fault points: "
                                                 "what the program shall do wrong")
    for name, option in options.items():
        keywords = dict(option) if isinstance(option, dict) else {"default": option}
        if "action" not in keywords and keywords.get("default") is not None:
            keywords.setdefault("type", type(keywords["default"]))
        parser.add_argument(f"--{name.replace('_', '-')}", **keywords)
    parsed = parser.parse_args()
    print(f"seed {parsed.seed}", flush=True)
    start = time.monotonic()
    try:
        run(parsed)
    except Failure as failure:
        print(f"FAILED with seed {parsed.seed}: {failure}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - start:.0f} s")
    return 0


def breaks(options):
    """The environment of a program that --break-name makes wrong."""
    return {"BASALT_BREAK": options.break_name} if options.break_name else {}


def outcome(run, what, refused, unknown):
    """Runs a statement: acknowledged, refused or unknown, and the error. A lost connection is
    unknown; an SQLSTATE of neither set, or no answer in time, is a failure."""
    try:
        run()
    except pgwire.ServerError as error:
        if error.sqlstate not in refused | unknown:
            raise Failure(f"{what} ended with {error}") from error
        return "refused" if error.sqlstate in refused else "unknown", error
    except TimeoutError as error:
        raise Failure(f"{what} never ended") from error
    except OSError as error:
        return "unknown", error
    return "acknowledged", None
