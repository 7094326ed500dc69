#!/usr/bin/python3
"""Kills registryd with SIGKILL at random moments under load, and holds what it knows afterwards against what it had said.

usage: tests/crash/run.py --build FOLDER [--kills N] [--seed N] [--logs FOLDER]

Workers submit tasks, take them and finish them, and an admin lets machines in, each on a connection of its own. What was acknowledged
must be there after every restart: a task that was submitted, its result when it was finished, a pairing as it was decided, a device
token that was released. In the end the audit log must be whole. No task is handed out again while its lease lasts, and none that
is finished. Prints PASS or FAIL lines, then what was counted.
"""
import argparse
import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemons"))
from lab import Lab, check  # noqa: E402

AGENTS = 3
SUBMITTERS = 3
LEASE = 45  # seconds, of an agent that says nothing more about a task
PAYLOAD = "x" * 200


class History:
    """What registryd has said. A worker writes only after it has read the whole answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.submitted = {}  # id: payload number
        self.keys = {}  # idempotency key: id
        self.taken = {}  # id: the agent that it was handed to last, and when
        self.finished = {}  # id: result
        self.pairings = {}  # id: the status that was acknowledged last
        self.tokens = {}  # device token: peer id
        self.revoked = set()  # device tokens
        self.wrong = []
        self.unanswered = 0

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)


class Connection:
    def __init__(self, port, key):
        self.port, self.key, self.http = port, key, None

    def request(self, method, path, body=None):
        """(status, body), or nothing when the registry died meanwhile."""
        try:
            if self.http is None:
                self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            headers = {"X-API-Key": self.key}
            if body is not None:
                headers["Content-Type"] = "application/json"
            self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = self.http.getresponse()
            text = reply.read()
            return reply.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            if self.http is not None:
                self.http.close()
            self.http = None
            return None


def submit(history, connection, stop, name, numbers):
    """Each task has a key; one that stays without an answer is submitted again under the same key, after the restart."""
    while not stop.is_set():
        if numbers.get("open") is None:
            numbers["next"] += 1
            numbers["open"] = f"{name}-{numbers['next']}"
        key = numbers["open"]
        reply = connection.request("POST", "/api/hub/tasks", {
            "skill": "work", "source_agent_id": name, "payload": {"key": key, "filling": PAYLOAD}, "ttl": 3600, "idempotency_key": key})
        if reply is None:
            history.unanswered += 1
            return
        if reply[0] == 503 and "too many" in reply[1]["error"]:
            return  # the workers have to catch up
        if reply[0] != 200:
            history.complain(f"a submission was answered with {reply}")
            return
        with history.lock:
            if key in history.keys and history.keys[key] != reply[1]["task_id"]:
                history.wrong.append(f"the key {key} named two tasks")
            history.keys[key] = reply[1]["task_id"]
            history.submitted[reply[1]["task_id"]] = key
        numbers["open"] = None


def work(history, connection, stop, agent):
    if connection.request("POST", "/api/registry/agents", {"agent_id": agent, "hostname": "here", "capabilities": {"skills": ["work"]}}) is None:
        return
    while not stop.is_set():
        reply = connection.request("GET", f"/api/hub/tasks/next?agent_id={agent}&wait=1")
        if reply is None:
            return
        if reply[0] == 204:
            continue
        if reply[0] != 200:
            history.complain(f"{agent} asked for work and got {reply}")
            return
        task = reply[1]["id"]
        with history.lock:
            if task in history.finished:
                history.wrong.append(f"{task} is finished and was handed to {agent}")
            before, since = history.taken.get(task, ("nobody", -LEASE))
            if time.monotonic() - since < LEASE - 1:
                history.wrong.append(f"{task} was handed to {agent} while the lease of {before} lasts")
            history.taken[task] = (agent, time.monotonic())
        result = f"done by {agent}"
        reply = connection.request("POST", f"/api/hub/tasks/{task}", {"state": "completed", "result": result})
        if reply is None:
            return
        if reply[0] != 200:
            history.complain(f"the result of {task} was answered with {reply}")
            return
        with history.lock:
            history.finished[task] = result


def pair(history, connection, stop, chance):
    """Codes, redeemers, decisions and tokens; every third machine loses its access again."""

    def post(path, body=None):
        reply = connection.request("POST", "/api/pairing/" + path, body)
        if reply is not None and reply[0] not in (200, 429):
            history.complain(f"{path} was answered with {reply}")
        return reply[1] if reply is not None and reply[0] == 200 else None

    while not stop.is_set():
        secret = f"{chance.random()}"
        code = post("generate-code")
        entry = code and post("pair", {"code": code["code"], "agent_name": "m", "claim_hash": hashlib.sha256(secret.encode()).hexdigest()})
        if not entry:
            return
        with history.lock:
            history.pairings[entry["id"]] = "pending_approval"
        if not post(entry["id"] + "/approve"):
            return history.pairings.pop(entry["id"])  # it may be approved or not
        with history.lock:
            history.pairings[entry["id"]] = "approved"
        claimed = post(entry["id"] + "/status", {"secret": secret})
        if not claimed or "device_token" not in claimed:
            return None
        with history.lock:
            history.tokens[claimed["device_token"]] = entry["peer_id"]
        if len(history.tokens) % 3:
            continue
        if not post(entry["id"] + "/revoke"):
            del history.tokens[claimed["device_token"]]
            return history.pairings.pop(entry["id"])
        with history.lock:
            history.pairings[entry["id"]] = "revoked"
            history.revoked.add(claimed["device_token"])
    return None


def all_tasks(lab):
    found, after = {}, ""
    while True:
        status, page = lab.request("GET", f"/api/hub/tasks/all?limit=5000&after={after}", headers={"X-API-Key": lab.keys["agent0"]})
        if status != 200:
            return None
        if not page:
            return found
        found.update({t["id"]: t for t in page})
        after = page[-1]["id"]


def compare(history, lab, where):
    known = all_tasks(lab)
    if known is None:
        history.complain(f"{where}: the tasks cannot be listed")
        return
    for task, key in history.submitted.items():
        if task not in known:
            history.wrong.append(f"{where}: {task} was acknowledged and is lost")
        elif known[task]["payload"]["key"] != key:
            history.wrong.append(f"{where}: {task} is another one than was submitted")
    for task, result in history.finished.items():
        if known.get(task, {}).get("state") != "completed" or known[task]["result"] != result:
            history.wrong.append(f"{where}: the result of {task} is lost")
    status, pairings = lab.request("GET", "/api/pairing/all", headers={"X-API-Key": lab.keys["root"]})
    found = {e["id"]: e["status"] for e in pairings} if status == 200 else {}
    for entry, said in history.pairings.items():
        if found.get(entry) != said:
            history.wrong.append(f"{where}: the pairing {entry} was {said} and is {found.get(entry)}")
    for token, peer in list(history.tokens.items())[-20:]:
        status, body = lab.request("POST", "/api/token", headers={"X-Device-Token": token})
        if (status == 200) != (token not in history.revoked) or status == 200 and body["peer_id"] != peer:
            history.wrong.append(f"{where}: the token of {peer} is answered with {status}")
    keys = [t["payload"]["key"] for t in known.values()]
    if len(keys) != len(set(keys)):
        history.wrong.append(f"{where}: a task was made twice")


def main():
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("--build", required=True)
    o.add_argument("--kills", type=int, default=20)
    o.add_argument("--seed", type=int, default=1)
    o.add_argument("--logs")
    o = o.parse_args()
    chance = random.Random(o.seed)
    history = History()
    agents = [f"agent{n}" for n in range(AGENTS)]
    numbers = [{"next": 0, "open": None} for _ in range(SUBMITTERS)]
    begin = time.monotonic()
    lab = Lab(os.path.abspath(os.path.join(o.build, "apps")), [*agents, "root"])
    with open(lab.path("keys.json"), "w", encoding="utf-8") as f:
        json.dump({"keys": {k: {"peer_id": p, "role": "admin" if p == "root" else "agent"} for p, k in lab.keys.items()}}, f)
    with lab:
        for kill in range(o.kills):
            stop = threading.Event()
            workers = [threading.Thread(target=submit, args=(history, Connection(lab.http_port, lab.keys["agent0"]), stop, f"s{n}", numbers[n]))
                       for n in range(SUBMITTERS)]
            workers += [threading.Thread(target=work, args=(history, Connection(lab.http_port, lab.keys[a]), stop, a)) for a in agents]
            workers.append(threading.Thread(target=pair, args=(history, Connection(lab.http_port, lab.keys["root"]), stop, chance)))
            for w in workers:
                w.start()
            time.sleep(chance.uniform(0.01, 0.4))  # lint: allow sleep: the moment of the kill is what the test varies
            lab.processes["registryd"].send_signal(signal.SIGKILL)
            lab.processes["registryd"].wait()
            stop.set()
            for w in workers:
                w.join()
            lab.start_registry()
            if kill % 10 == 9 or kill + 1 == o.kills:
                compare(history, lab, f"after kill {kill + 1}")
            if len(history.wrong) > 20:
                break
        lab.stop("registryd")
        audit = subprocess.run([os.path.join(lab.binaries, "registryd"), "--state-dir", lab.path("state"), "audit", "verify"],
                               capture_output=True, text=True, check=False)
        check(audit.returncode == 0, "the audit log is whole", audit)
    for text in history.wrong[:20]:
        print(f"    {text}")
    check(not history.wrong, f"{o.kills} kills: what was acknowledged is there, and nothing happened twice", f"{len(history.wrong)} violations, the first: {history.wrong[:1]}")
    check(len(history.finished) > 5 * o.kills and history.unanswered > 0, "the kills came while there was work under way", (len(history.finished), history.unanswered))
    check(len(history.tokens) > 0, "machines were let in meanwhile")
    print(f"    {len(history.pairings)} pairings, {len(history.tokens)} tokens, {audit.stdout.strip()}")
    print(f"    {len(history.submitted)} tasks acknowledged, {len(history.finished)} results acknowledged, {history.unanswered} submissions cut off, "
          f"{time.monotonic() - begin:.0f} s")
    return 1 if history.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
