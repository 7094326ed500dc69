"""Runs the tests of the project's own scripts and prints PASS/FAIL lines for script/test."""
import os
import sys
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "../../script/lib")]


class lines(unittest.TestResult):
    def name(self, test):
        return f"tools: {test.shortDescription() or test.id()}"

    def addSuccess(self, test):
        print(f"PASS {self.name(test)}")

    def addSkip(self, test, reason):
        print(f"SKIP {self.name(test)} {reason}")

    def _bad(self, test, error):
        print(self._exc_info_to_string(error, test), file=sys.stderr)
        print(f"FAIL {self.name(test)} {str(error[1]).splitlines()[0] if str(error[1]) else error[0].__name__}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._bad(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._bad(test, error)


if __name__ == "__main__":
    result = lines()
    unittest.defaultTestLoader.discover(here, pattern="test_*.py").run(result)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
