import os
import sys
import tempfile
import unittest

import unit_tests

HEAD = '<?xml version="1.0"?>\n<doctest binary="t">\n<TestSuite>\n'
PASSED = '<TestCase name="one"><OverallResultsAsserts successes="1" failures="0" test_case_success="true"/></TestCase>\n'
FAILED = '<TestCase name="two"><OverallResultsAsserts successes="0" failures="1" test_case_success="false"/></TestCase>\n'
TAIL = '</TestSuite>\n<OverallResultsTestCases successes="1" failures="1" skipped="{}"/>\n</doctest>\n'


class doctest_reports(unittest.TestCase):
    def cases(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(text)
            file.flush()
            return unit_tests.read_cases(file.name)

    def test_complete(self):
        """a complete report gives each case and its outcome"""
        self.assertEqual(([("one", True), ("two", False)], True, 1, None), self.cases(HEAD + PASSED + FAILED + TAIL.format(1)))

    def test_cut_short(self):
        """a report that a crash cut short names the case that was running"""
        self.assertEqual(([("one", True)], False, 0, "two"), self.cases(HEAD + PASSED + '<TestCase name="two">\n'))

    def test_empty(self):
        """an empty report has no case and did not finish"""
        self.assertEqual(([], False, 0, None), self.cases(""))


class programs(unittest.TestCase):
    def run_one(self, command):
        with tempfile.TemporaryDirectory() as logs:
            options = type("options", (), {"logs": logs, "build": logs, "timeout_factor": 1, "tail": 100})
            return unit_tests.run({"name": "it", "cmd": command, "timeout": 5}, options)[0]

    def test_exit_codes(self):
        """a plain program passes with 0, is skipped with 77 and fails with anything else"""
        shell = "/bin/sh"
        self.assertEqual(["PASS it"], self.run_one([shell, "-c", "exit 0"]))
        self.assertEqual(["FAIL it exit 3"], self.run_one([shell, "-c", "exit 3"]))
        self.assertTrue(self.run_one([shell, "-c", "exit 77"])[0].startswith("SKIP it"))

    def test_missing(self):
        """a program that cannot be started is a failure"""
        self.assertTrue(self.run_one([os.path.join(tempfile.gettempdir(), "no-such-program")])[0].startswith("FAIL it"))


if __name__ == "__main__":
    sys.exit(unittest.main())
