#!/usr/bin/python3
"""Whole runs on the simulated network: every scenario, hundreds of random seeds, and each rule broken on purpose.

usage: tests/simulation/run.py --build FOLDER [--logs FOLDER] [--seeds N] [--only WORD]

Every case prints PASS, FAIL or SKIP with its name.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

SCENARIOS = ["two-peers", "three-peers", "six-peers", "partition", "registry-restart", "sidecar-restart", "roaming", "bad-links",
             "relayed", "nats", "relay-restart", "asleep"]
# A rule that is broken on purpose: the scenario in which it is, and how the run must end.
BROKEN = [
    ("lose", "two-peers", "message"),
    ("repeat", "two-peers", "message"),
    ("swap", "two-peers", "message"),
    ("tear", "two-peers", "message"),
    ("leak", "two-peers", "leak"),
    ("amplify", "two-peers", "wire"),
    ("unproved", "two-peers", "wire"),
    ("never-heal", "asleep", "apart"),
    ("never-heal", "partition", "tier"),  # the relay is still there
    ("sleep-forever", "two-peers", "deadlock"),
    ("crash", "two-peers", "crash"),
]
LINE = re.compile(r"^seed (\d+) trace ([0-9a-f]{16}) (ok|FAILED .*)$", re.M)


class Runner:
    def __init__(self, program, logs):
        self.program = program
        self.logs = logs
        self.failed = False

    def sim(self, name, *arguments):
        """Runs strata-sim; gives (exit code, [(seed, hash, verdict)], all it said on the standard error)."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=900)
        if self.logs:
            with open(os.path.join(self.logs, name + ".log"), "w", encoding="utf-8") as log:
                log.write(done.stdout + done.stderr)
        return done.returncode, LINE.findall(done.stdout), done.stderr

    def check(self, name, problem):
        if problem:
            self.failed = True
            print(f"FAIL simulation: {name}: {problem}".replace("\n", " "), flush=True)
        else:
            print(f"PASS simulation: {name}", flush=True)


def verdict_of(code, lines):
    if len(lines) != 1:
        return f"{len(lines)} lines instead of one"
    if (code == 0) != (lines[0][2] == "ok"):
        return f"exit code {code} and '{lines[0][2]}'"
    return None if code == 0 else lines[0][2]


def scenarios(r):
    for name in SCENARIOS:
        code, lines, _ = r.sim(name, "run", name, "--seed", "1")
        r.check(f"{name} keeps every rule", verdict_of(code, lines))


def tiers(r):
    """Ten thousand messages and more, while every tier dies and comes back: each arrives once and in order, or is reported."""
    code, lines, said = r.sim("tier-walks", "hunt", "--scenario", "tiers", "--seeds", "2..4", "--no-shrink")
    counted = re.search(r"(\d+) messages, (\d+) arrived, (\d+) reported", said)
    sent, arrived, reported = (int(n) for n in counted.groups()) if counted else (0, 0, 0)
    fine = code == 0 and len(lines) == 3 and sent >= 30_000 and reported < sent / 1000
    r.check("messages outlive walks through the tiers", None if fine else said[-300:])


def hashes(r):
    """The same seed gives the same trace, alone or among others, in whatever order; another seed gives another."""
    together = {seed: trace for seed, trace, _ in r.sim("together", "hunt", "--seeds", "1..6", "--jobs", "3")[1]}
    alone = {}
    for seed in ("6", "3", "1"):
        alone.update({s: t for s, t, _ in r.sim("alone-" + seed, "run", "random", "--seed", seed)[1]})
    differing = [s for s in alone if alone[s] != together.get(s)]
    r.check("a run is the same again, in another process and another order", f"seeds {differing}" if differing or len(alone) != 3 else None)
    r.check("different seeds are different runs", None if len(set(together.values())) == 6 else str(together))


def elsewhere(r):
    """Nothing of the machine but the program goes into a run: not its environment, its folder, nor where its memory lies."""
    _, here, _ = r.sim("here", "run", "random", "--seed", "5")
    bare = ["env", "-i", "TZ=Asia/Kathmandu", "LANG=tr_TR.UTF-8"] + (["setarch", "-R"] if shutil.which("setarch") else [])
    done = subprocess.run([*bare, r.program, "run", "random", "--seed", "5"], capture_output=True, text=True, timeout=900, cwd="/")
    there = LINE.findall(done.stdout)
    r.check("a run is the same in another environment and at other addresses", None if here and here == there else f"{here} and {there}")


def broken_rules(r):
    for rule, scenario, kind in BROKEN:
        code, lines, _ = r.sim(f"break-{rule}-{scenario}", "run", scenario, "--seed", "1", "--break", rule)
        seen = lines[0][2] if lines else "nothing"
        ok = code == 1 and seen.startswith(f"FAILED {kind}:")
        r.check(f"broken on purpose and noticed: {rule} in {scenario}", None if ok else f"exit code {code}, {seen}")


def shrinking(r):
    """Of faults that have nothing to do with it none is left."""
    _, _, said = r.sim("shrink", "run", "partition", "--seed", "1", "--break", "never-heal")
    r.check("a failure is reported with the faults that it needs", None if "1 of 2 faults are needed" in said else said[-200:])


def replay(r, folder):
    trace = os.path.join(folder, "replay.pcapng")
    code, lines, said = r.sim("replay", "replay", "3", "--trace", trace)
    _, first, _ = r.sim("replayed", "run", "random", "--seed", "3")
    problem = None
    if code != 0 or lines != first:
        problem = f"exit code {code}, {lines}, {said[-200:]}"
    elif os.path.getsize(trace) < 10000 or "ada" not in open(trace + ".txt", encoding="utf-8").read():
        problem = "the capture or the timeline is empty"
    r.check("a recorded run is the same run, with capture and timeline", problem)


def seeds(r, count, jobs):
    code, lines, said = r.sim("seeds", "hunt", "--seeds", f"1..{count}", "--jobs", str(jobs))
    for seed, trace, verdict in lines:
        if verdict != "ok":
            r.check(f"seed {seed}", f"{verdict}; {said[-300:]}")
    if len(lines) != count or code not in (0, 1):
        r.check("all seeds ran", f"{len(lines)} of {count}, exit code {code}: {said[-300:]}")
    elif all(verdict == "ok" for _, _, verdict in lines):
        r.check(f"{count} random networks with random faults keep every rule", None)


def main():
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("--build", required=True)
    o.add_argument("--logs")
    o.add_argument("--seeds", type=int, default=500)
    o.add_argument("--only", default="")
    o = o.parse_args()
    program = os.path.abspath(os.path.join(o.build, "tools", "simulation", "strata-sim"))
    logs = os.path.abspath(o.logs or os.path.join(o.build, "simulation-logs"))
    os.makedirs(logs, exist_ok=True)
    r = Runner(program, logs)
    parts = {
        "scenarios": lambda: scenarios(r),
        "tiers": lambda: tiers(r),
        "hashes": lambda: hashes(r),
        "elsewhere": lambda: elsewhere(r),
        "broken": lambda: broken_rules(r),
        "shrinking": lambda: shrinking(r),
        "replay": lambda: replay(r, logs),
        "seeds": lambda: seeds(r, o.seeds, os.cpu_count() or 1),
    }
    for name, part in parts.items():
        if o.only in name:
            part()
    return 1 if r.failed else 0


if __name__ == "__main__":
    sys.exit(main())
