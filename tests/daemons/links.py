"""Links between sidecars: they come about, live without the registry, and come back."""
import signal
import time

from lab import Lab, check, until


def _links(program):
    """Status of every link, by peer."""
    program.command("status")
    found = {}
    while True:
        event = program.next_event()
        if event["type"] == "link":
            found[event["payload"]["peer"]] = event["payload"]
        if event["type"] == "status":
            return found


def links_outlive_the_registry_and_its_return(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        for p in ("ada", "grace"):
            lab.start_meshd(p)
        ada, grace = lab.program("ada"), lab.program("grace")
        ada.wait_for_peers("grace")
        grace.wait_for_peers("ada")
        lab.stop("registryd", signal.SIGKILL)
        ada.send("grace", "without a registry")
        got = grace.wait_for("message", from_peer="ada")
        check(got["message"]["payload"]["message"] == "without a registry", "messages flow while the registry is dead")
        lab.start_registry()

        def registered():
            ada.command("status")
            return ada.wait_for("status")["signaling"] == "registered"

        until(registered, "ada registers again")
        ada.send("grace", "registry back")
        got = grace.wait_for("message", from_peer="ada")
        check(got["message"]["payload"]["message"] == "registry back", "messages flow after the registry has come back")
        link = _links(ada)["grace"]
        check(link["opened"] == 1, "the link is the same one as before the registry died", link)


def a_peer_that_comes_back_is_linked_again(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        for p in ("ada", "grace"):
            lab.start_meshd(p)
        ada = lab.program("ada")
        ada.wait_for_peers("grace")
        lab.stop("grace")
        check(ada.wait_for("peer_disconnected", peer_id="grace"), "an orderly end is told at once")
        lab.start_meshd("grace")
        ada.wait_for_peers("grace")
        grace = lab.program("grace")
        grace.wait_for_peers("ada")
        ada.send("grace", "again")
        got = grace.wait_for("message", from_peer="ada")
        check(got["message"]["payload"]["message"] == "again", "a peer that restarts is linked again")
        lab.stop("grace", signal.SIGKILL)
        lab.start_meshd("grace")
        grace = lab.program("grace")
        grace.wait_for_peers("ada")
        grace.send("ada", "after a crash")
        got = ada.wait_for("message", from_peer="grace")
        check(got["message"]["payload"]["message"] == "after a crash", "a peer that was killed and returns replaces its old link")


def the_order_of_starting_does_not_matter(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        lab.stop("registryd")
        for p in ("ada", "grace"):
            lab.start_meshd(p)
        ada = lab.program("ada")
        lab.start_registry()
        ada.wait_for_peers("grace")
        ada.command("status")
        check(ada.wait_for("status")["open"] == 1, "sidecars that start before the registry wait for it")


def five_peers_that_start_together_make_a_full_mesh(binaries):
    peers = ["p1", "p2", "p3", "p4", "p5"]
    with Lab(binaries, peers) as lab:
        for p in peers:
            lab.start_meshd(p)
        programs = {p: lab.program(p) for p in peers}
        for p in peers:
            programs[p].wait_for_peers(*[q for q in peers if q != p])
        for p in peers:
            programs[p].command("broadcast", message={"type": "agent_prompt", "payload": {"message": f"from {p}"}})
        for p in peers:
            heard = {programs[p].wait_for("message")["from_peer"] for _ in range(len(peers) - 1)}
            check(heard == set(peers) - {p}, f"{p} hears everybody's broadcast", heard)
        opened = [link["opened"] for p in peers for link in _links(programs[p]).values()]
        check(opened == [1] * len(opened) and len(opened) == 20, "each link was made once: no glare", opened)


def a_token_endpoint_that_refuses_is_reported(binaries):
    with Lab(binaries, ["ada"]) as lab:
        lab.start_meshd("ada", env={"API_KEY": "ak_not_this_one"})
        ada = lab.program("ada")

        def refused():
            ada.command("status")
            status = ada.wait_for("status")
            return status["signaling_error"] and status

        status = until(refused, "the refusal shows in the status")
        check("401" in status["signaling_error"] or "key" in status["signaling_error"], "a refused key is named in the status", status)
        begin = time.monotonic()
        code = lab.stop("ada")
        check(code == 0 and time.monotonic() - begin < 20, "it still ends in order", code)


def aliases_make_agents_reachable_by_name(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        lab.start_meshd("ada", env={"CHATIXIA_AGENT_ID": "planner"})
        lab.start_meshd("grace", env={"CHATIXIA_AGENT_ID": "worker"})
        ada, grace = lab.program("ada"), lab.program("grace")
        ada.wait_for_peers("worker-sidecar")
        grace.wait_for_peers("planner-sidecar")
        ada.send("worker-sidecar", "by name")
        got = grace.wait_for("message")
        check(got["from_peer"] == "planner-sidecar", "a peer is shown under its agent's name", got)
        ada.send("grace", "by peer id")
        got = grace.wait_for("message")
        check(got["message"]["payload"]["message"] == "by peer id", "the peer id works as well", got)
