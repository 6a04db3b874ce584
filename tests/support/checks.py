"""What scripts check with: `check` and `fails` end at the first failure, `Checks` counts them."""

import sys

import pgwire


def check(condition, text):
    if not condition:
        raise SystemExit(f"FAILED: {text}")


def fails(run, sqlstate, part=""):
    """`run` must end with this SQLSTATE and a message that contains `part`; the error."""
    try:
        run()
    except pgwire.ServerError as error:
        check(error.sqlstate == sqlstate and part in error.message, f"{error}, expected {sqlstate}")
        return error
    raise SystemExit(f"FAILED: an error {sqlstate} was expected")


class Checks:
    """Called like `check`, goes on after a failure; `end` tells how many there were."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, condition, what):
        self.passed += bool(condition)
        self.failed += not condition
        if not condition:
            print(f"FAILED: {what}", file=sys.stderr, flush=True)

    def end(self):
        """The exit code of the script."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
