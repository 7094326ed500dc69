"""What the tests prove of the requirement tables in specs/rfc: the work behind script/rfc-report."""
import argparse
import csv
import glob
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import source  # noqa: E402

IDENTIFIER = r"[A-Za-z0-9]+-[A-Za-z0-9.]+-[A-Za-z]+"
_CITATION = re.compile(r"(?://|#)\s*req:\s*(" + IDENTIFIER + r"(?:[\s,]+" + IDENTIFIER + r")*)")
_EXCEPTION = re.compile(r"(?://|#)\s*exception:\s*(" + IDENTIFIER + r")\b[ \t:]*(.*)")
READ_SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".mjs", ".js")


def read_tables(folder):
    """{id: row}, in the order of the tables; a row knows its rfc (what stands before the first '-' of the id)."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.tsv"))):
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                row["rfc"] = row["id"].split("-")[0]
                rows[row["id"]] = row
    return rows


def citations(files, read):
    """(tests, code, exceptions): {id: [(path, line)]} of what tests and sources cite, {id: (path, line, reason)}."""
    tests, code, exceptions = {}, {}, {}
    for path in files:
        if not path.endswith(READ_SUFFIXES) or path.startswith(("script/", "tests/tools/")):
            continue
        if not path.startswith(("src/", "apps/", "tests/", "fuzz/")):
            continue
        for number, line in enumerate(read(path).split("\n"), 1):
            for match in _CITATION.finditer(line):
                for identifier in re.findall(IDENTIFIER, match.group(1)):
                    (tests if path.startswith("tests/") else code).setdefault(identifier, []).append((path, number))
            for match in _EXCEPTION.finditer(line):
                exceptions[match.group(1)] = (path, number, match.group(2).strip())
    return tests, code, exceptions


def judge(rows, tests, code, exceptions):
    """{id: 'proved' | 'implemented' | 'excepted' | 'open'}: the strongest thing that can be said of a row."""
    states = {}
    for identifier in rows:
        if identifier in tests:
            states[identifier] = "proved"
        elif identifier in exceptions:
            states[identifier] = "excepted"
        elif identifier in code:
            states[identifier] = "implemented"
        else:
            states[identifier] = "open"
    return states


def problems(rows, tests, code, exceptions):
    for kind, found in (("a test cites", tests), ("the code cites", code)):
        for identifier, places in sorted(found.items()):
            if identifier not in rows:
                path, line = places[0]
                yield f"{path}:{line}: {kind} {identifier}, which no table has"
    for identifier, (path, line, reason) in sorted(exceptions.items()):
        if identifier not in rows:
            yield f"{path}:{line}: excepts {identifier}, which no table has"
        elif len(reason) < 8:
            yield f"{path}:{line}: excepts {identifier} without a reason"
        elif identifier in tests:
            yield f"{path}:{line}: excepts {identifier}, which {tests[identifier][0][0]} proves"


STRENGTHS = (("MUST", ("MUST", "MUST NOT")), ("SHOULD", ("SHOULD", "SHOULD NOT")), ("MAY", ("MAY",)))
STATES = ("proved", "implemented", "excepted", "open")


def summarise(rows, states):
    table = {}
    for identifier, row in rows.items():
        strength = next(name for name, levels in STRENGTHS if row["level"] in levels)
        counts = table.setdefault(row["rfc"], {name: dict.fromkeys(STATES, 0) for name, _ in STRENGTHS})
        counts[strength][states[identifier]] += 1
    return table


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(prog="script/rfc-report", add_help=False)
    parser.add_argument("--open", metavar="RFC", action="append", default=[])
    parser.add_argument("--role", metavar="ROLE")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--cases", action="store_true")
    parser.add_argument("--root", default=os.path.normpath(os.path.join(here, "../..")))
    options = parser.parse_args()

    rows = read_tables(os.path.join(options.root, "specs/rfc"))
    found = citations(source.tracked_files(options.root), lambda path: source.read(options.root, path))
    states = judge(rows, *found)
    wrong = list(problems(rows, *found))
    known = {row["rfc"] for row in rows.values()}
    for rfc in options.open:
        if rfc not in known:
            print(f"script/rfc-report: no table has '{rfc}'; there are: {' '.join(sorted(known))}", file=sys.stderr)
            return 2

    if options.open:
        for identifier, row in rows.items():
            if row["rfc"] in options.open and states[identifier] in ("open", "implemented"):
                if not options.role or options.role in row["role"]:
                    print(f"{identifier:22} {row['level']:10} {row['role']:12} {states[identifier]:12} {row['requirement']}")
                    print(f"{'':22} test: {row['how_to_test']}")
    else:
        table = summarise(rows, states)
        short = {"proved": "proved", "implemented": "in code", "excepted": "excepted", "open": "open"}

        def line(name, counts):
            cells = ["".join(f"{counts[strength][s] or '.':>9}" for s in STATES) for strength in ("MUST", "SHOULD")]
            print(f"{name:9}" + "  |".join(cells))

        print(f"{'':9}{'MUST':>9}{'':27}  |{'SHOULD':>9}")
        print(f"{'RFC':9}" + "  |".join(["".join(f"{short[s]:>9}" for s in STATES)] * 2))
        totals = {name: dict.fromkeys(STATES, 0) for name, _ in STRENGTHS}
        for rfc, counts in table.items():
            line(rfc, counts)
            for name, _ in STRENGTHS:
                for state in STATES:
                    totals[name][state] += counts[name][state]
        line("all", totals)
        proved = sum(totals[name]["proved"] for name in totals)
        print(f"\n{proved} of {len(rows)} rows are proved by a test, "
              f"{sum(totals[n]['excepted'] for n in totals)} excepted with a reason, "
              f"{sum(totals[n]['implemented'] for n in totals)} cited in the code only, "
              f"{sum(totals[n]['open'] for n in totals)} open.")
    for problem in wrong:
        print(problem)
    if options.cases:
        print(f"FAIL rfc-report: citations {len(wrong)} wrong" if wrong else "PASS rfc-report: every citation names a row")
    if options.json:
        tests, code, exceptions = found
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"summary": summarise(rows, states), "problems": wrong, "rows": {
                identifier: {"level": row["level"], "section": row["section"], "state": states[identifier],
                             "tests": [f"{p}:{n}" for p, n in tests.get(identifier, [])],
                             "code": [f"{p}:{n}" for p, n in code.get(identifier, [])],
                             "exception": exceptions[identifier][2] if identifier in exceptions else None}
                for identifier, row in rows.items()}}, file, indent=1)
            file.write("\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
