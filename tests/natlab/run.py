#!/usr/bin/python3
"""Whole daemons behind real NATs: a few pairs of networks and a few troubles of script/natlab.

usage: tests/natlab/run.py --build FOLDER [--logs FOLDER] [--only WORD]

Prints PASS, FAIL or SKIP with a name and a reason. Needs root and nftables; skips where namespaces cannot be made.
"""
import argparse
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faults  # noqa: E402
import matrix  # noqa: E402
import natlab  # noqa: E402
import tiers  # noqa: E402
import world  # noqa: E402

TROUBLES = ("loss of 5 %, direct", "NAT reboot, direct", "new address of a host, direct", "relay killed and restarted",
            "tiers die and return")
PATIENCE = 40  # the build under test is slow


def say(row, name):
    print(f"{'PASS' if row['ok'] else 'FAIL'} natlab: {name}" + ("" if row["ok"] else f": {row['wrong']}"), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build-test")
    parser.add_argument("--logs", default="build-test/logs/natlab")
    parser.add_argument("--only", default="")
    o = parser.parse_args()
    binaries, logs = os.path.abspath(os.path.join(o.build, "apps")), os.path.abspath(o.logs)
    missing = world.why_not() or (None if shutil.which("turnserver") else "coturn is not installed (script/bootstrap --test)")
    for a, b in matrix.pairs(natlab.QUICK):
        name = f"{a} and {b} meet by the best tier there is"
        if o.only not in name:
            continue
        if missing:
            print(f"SKIP natlab: {name}: {missing}", flush=True)
            continue
        say(matrix.run_cell(a, b, binaries, natlab.fresh(os.path.join(logs, f"{a}-{b}")), PATIENCE), name)
    for trouble in TROUBLES:
        name = f"nothing is lost: {trouble}"
        if o.only not in name:
            continue
        if missing:
            print(f"SKIP natlab: {name}: {missing}", flush=True)
            continue
        say(faults.run_fault(trouble, binaries, natlab.fresh(faults.folder_for(logs, trouble)), PATIENCE), name)
    name = "messages take the direct way, the relay and the task queue, and climb back"
    if o.only in name and missing:
        print(f"SKIP natlab: {name}: {missing}", flush=True)
    elif o.only in name:
        try:
            tiers.run_tiers(binaries, natlab.fresh(os.path.join(logs, "tiers")), patience=PATIENCE)
            say({"ok": True}, name)
        except world.impossible as reason:
            say({"ok": False, "wrong": str(reason)}, name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
