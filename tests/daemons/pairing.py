"""From nothing to linked: a code, an admin, a token that is released once; and out again."""
import json
import os
import re
import sqlite3
import subprocess

from lab import DEADLINE, Lab, check, until


def _lab(binaries, **more):
    """Peers ada and root, who is an admin."""
    lab = Lab(binaries, ["ada", "root"], **more)
    with open(lab.path("keys.json"), "w", encoding="utf-8") as f:
        json.dump({"keys": {k: {"peer_id": p, "role": "admin" if p == "root" else "agent"} for p, k in lab.keys.items()}}, f)
    return lab


def _as(lab, peer):
    return {"X-API-Key": lab.keys[peer]}


def _registryd(lab, *arguments):
    return subprocess.run([os.path.join(lab.binaries, "registryd"), *arguments], capture_output=True, text=True, timeout=DEADLINE,
                          env={**os.environ, "ADMIN_KEY": lab.keys["root"]}, check=False)


def _pairing(lab, *arguments):
    return _registryd(lab, "pairing", "--url", f"http://127.0.0.1:{lab.http_port}", *arguments)


def a_machine_with_a_code_is_let_in_linked_and_cut_off(binaries):
    with _lab(binaries) as lab:
        lab.start_meshd("ada")
        ada = lab.program("ada")
        code = _pairing(lab, "code").stdout.strip()
        check(re.fullmatch(r"[0-9A-Z]{8}", code), "a code is handed out", code)
        state = lab.path("printer-state")
        lab.spawn("printer", os.path.join(binaries, "meshd"), "--allow-loopback", "--pair", code, "--state-dir", state, "--agent-id", "printer", env={
            "SIGNALING_URL": f"ws://127.0.0.1:{lab.http_port}/ws", "TOKEN_URL": f"http://127.0.0.1:{lab.http_port}/api/token",
            "API_KEY": "", "IPC_SOCKET": lab.path("printer.sock")})
        waiting = until(lambda: [e for e in lab.request("GET", "/api/pairing/pending", headers=_as(lab, "root"))[1]], "somebody waits")
        check(len(waiting) == 1 and waiting[0]["agent_name"] == "printer", "an admin sees who waits", waiting)
        entry = waiting[0]
        check(lab.request("POST", f"/api/pairing/{entry['id']}/approve", headers=_as(lab, "ada"))[0] == 403, "nobody but an admin decides")
        check(_pairing(lab, "approve", entry["id"]).stdout.strip() == "approved", "the admin lets it in")
        ada.wait_for_peers("printer-sidecar")
        check(True, "and it is linked")
        check((os.stat(os.path.join(state, "device.token")).st_mode & 0o777) == 0o600, "its token is its own")
        listed = _pairing(lab, "list").stdout
        check("approved" in listed and "dt_" not in listed, "no token is shown to anybody", listed)
        with open(os.path.join(state, "device.token"), encoding="ascii") as f:
            token = f.read()
        check(lab.request("POST", "/api/token", headers={"X-Device-Token": token})[1]["role"] == "agent", "the token is good")
        lab.stop("registryd")
        database = open(lab.path("state/registry.db"), "rb").read()
        check(token.encode() not in database and code.encode() not in database, "neither token nor code rests in clear")
        lab.start_registry()
        check(lab.request("POST", "/api/token", headers={"X-Device-Token": token})[0] == 200, "a restart changes nothing")
        until(lambda: "registered" in _status(ada), "ada is back at the registry")
        check(_pairing(lab, "revoke", entry["id"]).returncode == 0, "the admin ends its access")
        check(lab.request("POST", "/api/token", headers={"X-Device-Token": token})[0] == 401, "the token is good no more")
        until(lambda: lab.alive("printer") and "401" in open(lab.logs["printer"], encoding="utf-8").read() + _signaling_error(lab), "it is cut off")
        check(True, "its connection to the registry ends")
        lab.stop("registryd")
        verdict = _registryd(lab, "--state-dir", lab.path("state"), "audit", "verify")
        check(verdict.returncode == 0 and "entries, head" in verdict.stdout, "the audit log is whole", verdict)
        with sqlite3.connect(lab.path("state/registry.db")) as db:
            name, value = db.execute("select name, value from audit where cast(value as text) like '%pairing.approve%' limit 1").fetchone()
            text = value if isinstance(value, str) else bytes(value).decode()
            db.execute("update audit set value = ? where name = ?", (text.replace("pairing.approve", "pairing.approva", 1), name))
        verdict = _registryd(lab, "--state-dir", lab.path("state"), "audit", "verify")
        check(verdict.returncode == 1 and "broken" in verdict.stderr, "one changed letter is found", verdict)


def _status(program):
    program.command("status")
    return program.wait_for("status")["signaling"]


def _signaling_error(lab):
    from lab import Program  # a second program of the same meshd
    program = Program(lab.path("printer.sock"))
    program.command("status")
    error = program.wait_for("status")["signaling_error"]
    program.close()
    return error


def codes_cannot_be_guessed(binaries):
    with _lab(binaries) as lab:
        for n in range(5):
            status, body = lab.request("POST", "/api/pairing/pair", {"code": f"AAAAAA{n}{n}", "agent_name": "x", "claim_hash": "0" * 64})
            check(status == 401, "a wrong code is refused", body)
        status, body = lab.request("POST", "/api/pairing/pair", {"code": "AAAAAAAA", "agent_name": "x", "claim_hash": "0" * 64})
        check(status == 429 and "try again later" in body["error"], "and after five of them the address has to wait", (status, body))
        status, body = lab.request("POST", "/api/pairing/pair", {"code": "A", "agent_name": "x"})
        check(status == 429, "whatever it says", (status, body))
        for path in ("pending", "all"):
            check(lab.request("GET", f"/api/pairing/{path}")[0] == 401, f"{path} is not for strangers")
            check(lab.request("GET", f"/api/pairing/{path}", headers=_as(lab, "ada"))[0] == 403, f"{path} is not for agents")
        check(lab.request("POST", "/api/pairing/generate-code")[0] == 401, "strangers hand out no codes")


def older_clients_pair_with_six_digits(binaries):
    with _lab(binaries, registry_options=["--six-digit-codes"]) as lab:
        code = lab.request("POST", "/api/pairing/generate-code", headers=_as(lab, "ada"))[1]
        check(re.fullmatch(r"\d{6}", code["code"]) and code["expires_in"] == 300, "six digits, five minutes", code)
        status, body = lab.request("POST", "/api/pairing/pair", {"code": "12345", "agent_name": "old"})
        check(status == 400, "five digits are no code", body)
        status, entry = lab.request("POST", "/api/pairing/pair", {"code": code["code"], "agent_name": " old "})
        check(status == 200 and entry["status"] == "pending_approval", "the code is taken without a secret", entry)
        check(lab.request("POST", "/api/pairing/pair", {"code": code["code"], "agent_name": "old"})[0] == 401, "once")
        status, body = lab.request("POST", f"/api/pairing/{entry['id']}/approve", headers=_as(lab, "root"))
        check(status == 200 and body["device_token"].startswith("dt_"), "the admin carries the token there", status)
        check(lab.request("POST", f"/api/pairing/{entry['id']}/approve", headers=_as(lab, "root"))[0] == 404, "there is nothing more to approve")
        check(lab.request("POST", "/api/token", headers={"X-Device-Token": body["device_token"]})[1]["peer_id"] == entry["peer_id"], "and it is good")
