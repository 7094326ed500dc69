#!/usr/bin/python3
"""Whole daemons on loopback: what an operator and a local program see.

usage: tests/daemons/run.py --build FOLDER [--logs FOLDER] [--only WORD]

Every case prints PASS, FAIL or SKIP with its name.
"""
import argparse
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bad_input  # noqa: E402
import links  # noqa: E402
import local_programs  # noqa: E402
import meshctl  # noqa: E402
import nat_discovery  # noqa: E402
import openapi  # noqa: E402
import operation  # noqa: E402
import pairing  # noqa: E402
import recorded_runs  # noqa: E402
import registry_api  # noqa: E402
import tasks  # noqa: E402
import turn_server  # noqa: E402


def main():
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("--build", required=True)
    o.add_argument("--logs")
    o.add_argument("--only", default="")
    o = o.parse_args()
    binaries = os.path.abspath(os.path.join(o.build, "apps"))
    failed = False
    for module in (registry_api, openapi, operation, pairing, tasks, turn_server, nat_discovery, links, local_programs, meshctl, recorded_runs, bad_input):
        for name, test in list(vars(module).items()):
            if not callable(test) or getattr(test, "__module__", "") != module.__name__ or "_" not in name or name.startswith("_") or o.only not in name:
                continue
            if test.__code__.co_varnames[: test.__code__.co_argcount] != ("binaries",):
                continue
            try:
                test(binaries)
            except Exception as e:  # a broken case must not hide the others
                failed = True
                traceback.print_exc()
                print(f"FAIL daemons: {name}: {e}".replace("\n", " "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
