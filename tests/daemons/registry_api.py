"""The HTTP side of registryd as the contract has it."""
import base64
import hashlib
import hmac
import json
import os
import stat
import subprocess

from lab import Lab, check


def tokens_and_agents_follow_the_contract(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        key = {"X-API-Key": lab.keys["ada"]}
        status, body = lab.request("POST", "/api/token", headers=key)
        check(status == 200 and set(body) == {"token", "peer_id", "role"} and body["peer_id"] == "ada", "a key is exchanged for a token", body)
        head, claims, _ = body["token"].split(".")
        decode = lambda part: json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))  # noqa: E731
        header = decode(head)
        check(len(header.pop("kid")) == 16 and header == {"typ": "JWT", "alg": "HS256"}, "the token is an HS256 JWT that names its key", header)
        c = decode(claims)
        check(c["sub"] == "ada" and c["exp"] - c["iat"] == 300, "it names the peer and lasts 300 s", c)
        bearer = {"Authorization": f"Bearer {body['token']}"}

        agent = {"agent_id": "planner", "hostname": "h", "capabilities": {"skills": ["plan"]}, "sidecar_peer_id": "planner-sidecar"}
        check(lab.request("POST", "/api/registry/agents", agent, key) == (200, {"status": "ok"}), "an agent registers")
        status, body = lab.request("POST", "/api/hub/heartbeat", {"agent_id": "planner", "hostname": "h", "skill_names": ["plan"]}, key)
        check((status, body) == (200, {"status": "ok", "pending_tasks": []}), "a heartbeat is answered with the pending tasks", body)
        status, body = lab.request("GET", "/api/registry/agents", headers=bearer)
        check(status == 200 and [a["agent_id"] for a in body] == ["planner"] and body[0]["health"] == "active", "agents are listed", body)
        status, body = lab.request("GET", "/api/registry/route?skill=plan", headers=key)
        check(status == 200 and body["agent_id"] == "planner", "a skill is routed", body)
        status, body = lab.request("GET", "/api/registry/route?skill=nothing", headers=key)
        check(status == 404 and "error" in body, "an unknown skill is an error with a body", body)
        status, body = lab.request("GET", "/api/registry/agents/planner", headers=key)
        check(status == 200 and body["capabilities"]["skills"] == ["plan"], "one agent is shown", body)
        other = {"X-API-Key": lab.keys["grace"]}
        status, body = lab.request("DELETE", "/api/registry/agents/planner", headers=other)
        check(status == 403, "nobody deletes another's agent", (status, body))
        status, body = lab.request("POST", "/api/hub/heartbeat", {"agent_id": "planner"}, other)
        check(status == 403, "nobody heartbeats for another's agent", (status, body))
        check(lab.request("DELETE", "/api/registry/agents/planner", headers=key) == (200, {"status": "ok"}), "an agent is removed by its owner")
        status, body = lab.request("GET", "/api/registry/agents/planner", headers=key)
        check(status == 404 and body.get("error") == "not found", "then it is gone", body)
        status, body = lab.request("GET", "/healthz")
        check(status == 200, "healthz answers", body)


def turn_credentials_are_for_those_who_are_known(binaries):
    os.environ["TURN_SECRET"] = "north"
    try:
        with Lab(binaries, ["ada"], registry_options=["--turn-url", "turn:turn.example.org:3478"]) as lab:
            status, body = lab.request("GET", "/api/config")
            check(status == 200 and all("credential" not in s for s in body["iceServers"]), "strangers get STUN only", body)
            status, body = lab.request("GET", "/api/config", headers={"X-API-Key": lab.keys["ada"]})
            turn = [s for s in body["iceServers"] if "credential" in s][0]
            expected = base64.b64encode(hmac.new(b"north", turn["username"].encode(), hashlib.sha1).digest()).decode()
            check(turn["credential"] == expected and turn["username"].endswith(":ada"), "known peers get a TURN credential of their own", turn)
    finally:
        del os.environ["TURN_SECRET"]


def the_token_secret_is_made_once_and_kept(binaries):
    with Lab(binaries, ["ada"]) as lab:
        token = lab.token("ada")
        secret = os.path.join(lab.path("state"), "token-secret")
        check(stat.S_IMODE(os.stat(secret).st_mode) == 0o600, "the secret has mode 0600")
        check(stat.S_IMODE(os.stat(lab.path("state")).st_mode) == 0o700, "its directory has mode 0700")
        lab.stop("registryd")
        lab.start_registry()
        status, _ = lab.request("GET", "/api/registry/agents", headers={"Authorization": f"Bearer {token}"})
        check(status == 200, "a token survives a restart", status)


def keys_are_added_by_the_command(binaries):
    with Lab(binaries, ["ada"]) as lab:
        done = subprocess.run([os.path.join(binaries, "registryd"), "--keys", lab.path("keys.json"), "add-key", "newcomer"], capture_output=True, text=True, timeout=60)
        key = done.stdout.strip()
        check(done.returncode == 0 and key.startswith("ak_") and len(key) >= 35, "a key of 128 bits is made and printed", done)
        lab.stop("registryd")
        lab.start_registry()
        status, body = lab.request("POST", "/api/token", headers={"X-API-Key": key})
        check(status == 200 and body["peer_id"] == "newcomer", "the new key works after a restart", body)


def the_server_speaks_tls(binaries):
    with Lab(binaries, ["ada"]) as probe:
        cert, key = probe.path("cert.pem"), probe.path("key.pem")
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert], capture_output=True)
        check(made.returncode == 0, "a laboratory certificate is made", made.stderr[-200:])
        with Lab(binaries, ["ada", "grace"], registry_options=["--tls-cert", cert, "--tls-key", key]) as lab:
            for p in ("ada", "grace"):
                lab.start_meshd(p, "--trust", cert, env={"SIGNALING_URL": f"wss://localhost:{lab.http_port}/ws", "TOKEN_URL": f"https://localhost:{lab.http_port}/api/token"})
            ada, grace = lab.program("ada"), lab.program("grace")
            ada.wait_for_peers("grace")
            ada.send("grace", "over wss")
            check(grace.wait_for("message")["message"]["payload"]["message"] == "over wss", "sidecars meet over HTTPS and WSS")
