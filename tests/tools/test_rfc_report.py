import unittest

import rfc_report

ROWS = {i: {"id": i, "rfc": "8445", "level": "MUST", "section": "5", "role": "any"}
        for i in ("8445-5.1.1.1-a", "8445-5.1.1.1-b", "8445-7-a", "8445-7-b")}


def read(files):
    return rfc_report.citations(sorted(files), files.__getitem__)


class report(unittest.TestCase):
    def test_states(self):
        """a row is proved by a test, implemented by code, excepted with a reason, or open"""
        found = read({"tests/ice/a.cpp": "// req: 8445-5.1.1.1-a\n", "src/ice/a.cpp":
                      "// req: 8445-5.1.1.1-b\n// exception: 8445-7-a one component only\n"})
        states = rfc_report.judge(ROWS, *found)
        self.assertEqual(["proved", "implemented", "excepted", "open"], list(states.values()))
        self.assertEqual([], list(rfc_report.problems(ROWS, *found)))
        self.assertEqual({"proved": 1, "implemented": 1, "excepted": 1, "open": 1},
                         rfc_report.summarise(ROWS, states)["8445"]["MUST"])

    def test_several_ids(self):
        """one citation may name several rows"""
        tests, _, _ = read({"tests/ice/a.cpp": "// req: 8445-7-a, 8445-7-b 8445-5.1.1.1-a as the table says\n"})
        self.assertEqual({"8445-7-a", "8445-7-b", "8445-5.1.1.1-a"}, set(tests))

    def test_unknown(self):
        """a citation of a row that no table has is a problem with its place"""
        found = read({"tests/ice/a.cpp": "\n// req: 8445-99-z\n"})
        self.assertEqual(["tests/ice/a.cpp:2: a test cites 8445-99-z, which no table has"],
                         list(rfc_report.problems(ROWS, *found)))

    def test_exception_needs_reason(self):
        """an exception without a reason, or beside a test that proves the row, is a problem"""
        found = read({"src/ice/a.cpp": "// exception: 8445-7-a\n// exception: 8445-7-b not in this agent\n",
                      "tests/ice/a.cpp": "// req: 8445-7-b\n"})
        self.assertEqual(2, len(list(rfc_report.problems(ROWS, *found))))

    def test_real_tables(self):
        """every row of the real tables has a level that is counted"""
        import os
        rows = rfc_report.read_tables(os.path.join(os.path.dirname(__file__), "../../specs/rfc"))
        self.assertEqual(1025, len(rows))
        rfc_report.summarise(rows, rfc_report.judge(rows, {}, {}, {}))


if __name__ == "__main__":
    unittest.main()
