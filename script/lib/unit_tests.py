"""Runs the tests that Meson knows and counts what is inside them: doctest programs report every test case.

Prints one line a case for script/test: PASS name, FAIL name, SKIP name reason. Output of failures goes to the log folder and
its end to the standard error.
"""
import argparse
import concurrent.futures
import json
import mmap
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml


def is_doctest(program):
    """doctest leaves its banner in every program that carries its runner."""
    try:
        with open(program, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return image.find(b"[doctest] ") >= 0
    except (OSError, ValueError):
        return False


def read_cases(path):
    """([(name, passed)], finished, skipped, last started) of a doctest XML report, which a crash may have cut short."""
    cases, skipped, started, finished = [], 0, None, False
    try:
        for event, element in xml.iterparse(path, events=("start", "end")):
            if element.tag == "TestCase":
                if event == "start":
                    started = element.get("name") or ""
                elif element.get("skipped") != "true":
                    outcome = element.find("OverallResultsAsserts")
                    cases.append((started, outcome is not None and outcome.get("test_case_success") == "true"))
                    started = None
            elif event == "end" and element.tag == "OverallResultsTestCases":
                skipped, finished = int(element.get("skipped") or 0), True
    except (xml.ParseError, OSError):
        pass
    return cases, finished, skipped, started


def run(test, options):
    """One Meson test; returns (lines for script/test, seconds, text of a failure)."""
    name, command = test["name"], list(test["cmd"])
    log = os.path.join(options.logs, name.replace("/", "_") + ".log")
    limit = test.get("timeout") or 0
    limit = limit * options.timeout_factor if limit > 0 else None
    environment = dict(os.environ, **test.get("env", {}))
    doctest = is_doctest(command[0])
    report = None
    if doctest:
        handle, report = tempfile.mkstemp(suffix=".xml", dir=options.logs)
        os.close(handle)
        command += ["--reporters=xml", f"--out={report}"]
    begin = time.monotonic()
    with open(log, "wb") as output:
        try:
            code = subprocess.run(command, cwd=test.get("workdir") or options.build, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.STDOUT, timeout=limit, check=False).returncode
        except subprocess.TimeoutExpired:
            code = "timeout"
        except OSError as error:
            code = f"could not start: {error}"
    seconds = time.monotonic() - begin
    lines, trouble = [], ""
    if not doctest:
        if code == 77:
            lines.append(f"SKIP {name} the test says so (exit code 77)")
        else:
            lines.append(f"PASS {name}" if code == 0 else f"FAIL {name} exit {code}")
    else:
        cases, finished, skipped, started = read_cases(report)
        failed = [case for case, passed in cases if not passed]
        lines += [f"{'PASS' if passed else 'FAIL'} {name}: {case}" for case, passed in cases]
        lines += [f"SKIP {name}: a case that is marked doctest::skip"] * skipped
        if not finished:
            lines.append(f"FAIL {name}: the program ended early in '{started or 'its start'}' ({code})")
        elif code != 0 and not failed:
            lines.append(f"FAIL {name}: exit {code} after its cases passed")
        elif not cases and not skipped:
            lines.append(f"FAIL {name}: it has no test case")
        if failed:  # the console reporter words failures better than the XML does
            again = subprocess.run([test["cmd"][0], "--no-colors"], cwd=test.get("workdir") or options.build, env=environment,
                                   stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
            with open(log, "ab") as output:
                output.write(again.stdout + again.stderr)
        os.unlink(report)
    if any(line.startswith("FAIL") for line in lines):
        with open(log, "rb") as output:
            trouble = output.read()[-options.tail:].decode("utf-8", "replace")
    return lines, seconds, trouble


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--logs", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--timeout-factor", type=float, default=4.0, help="sanitizers and busy machines are slow")
    parser.add_argument("--tail", type=int, default=4000)
    parser.add_argument("--only", default="", help="tests whose name contains this")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.logs = os.path.abspath(options.logs)
    os.makedirs(options.logs, exist_ok=True)
    listing = subprocess.run(["meson", "introspect", "--tests", options.build], check=True, capture_output=True, text=True).stdout
    tests = [test for test in json.loads(listing) if options.only in test["name"]]
    if not tests:
        print("FAIL unit tests: Meson knows none")
        return 1
    bad = 0
    alone = [test for test in tests if not test.get("is_parallel", True)]
    together = [test for test in tests if test.get("is_parallel", True)]
    for group, jobs in ((together, options.jobs), (alone, 1)):
        with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = {pool.submit(run, test, options): test for test in group}
            for future in concurrent.futures.as_completed(futures):
                lines, seconds, trouble = future.result()
                passed = sum(line.startswith("PASS") for line in lines)
                print("\n".join(lines), flush=True)
                print(f"    {futures[future]['name']}: {passed} of {len(lines)} in {seconds:.1f} s", file=sys.stderr, flush=True)
                if trouble:
                    bad += 1
                    print(trouble, file=sys.stderr, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
