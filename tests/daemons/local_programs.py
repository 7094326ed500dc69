"""The local socket: limits that the upstream client depends on, and programs that misbehave."""
import json
import os
import stat

from lab import Lab, check

LONGEST = 65536


def _two(lab):
    for p in ("ada", "grace"):
        lab.start_meshd(p)
    ada, grace = lab.program("ada"), lab.program("grace")
    ada.wait_for_peers("grace")
    grace.wait_for_peers("ada")
    return ada, grace


def the_socket_belongs_to_the_user_alone(binaries):
    with Lab(binaries, ["ada"]) as lab:
        lab.start_meshd("ada")
        mode = stat.S_IMODE(os.stat(lab.ipc("ada")).st_mode)
        check(mode == 0o600, "the local socket has mode 0600", oct(mode))


def no_line_is_longer_than_the_client_survives(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, grace = _two(lab)
        for size in (60000, 65000, 65300, 65400, 65430, 65450, 65470, 65490, 65500):
            ada.send("grace", "x" * size, type_="task_request", request_id=f"r{size}")
        ada.send("grace", "last")
        arrived = []
        while True:
            while b"\n" not in grace.buffer:
                grace.buffer += grace.socket.recv(65536)
            line, grace.buffer = grace.buffer.split(b"\n", 1)
            if len(line) > LONGEST:
                check(False, "a line is too long for the client", len(line))
            event = json.loads(line)
            if event["type"] == "message":
                arrived.append(event["payload"]["message"]["request_id"])
                if event["payload"]["message"]["payload"]["message"] == "last":
                    break
        check("r60000" in arrived and "r65500" not in arrived, "messages that fit arrive, those that do not are kept back", arrived)
        answered = set()
        while len(answered) + len(arrived) - 1 < 9:
            payload = ada.wait_for("message")
            answered.add(payload["message"]["request_id"])
            check("error" in payload["message"]["payload"], f"request {payload['message']['request_id']} is answered with an error", payload)
        check(answered.isdisjoint(arrived), "no request both arrives and fails", (answered, arrived))


def a_response_passes_once_and_only_from_the_peer_that_was_asked(binaries):
    with Lab(binaries, ["ada", "grace", "mallory"]) as lab:
        ada, grace = _two(lab)
        lab.start_meshd("mallory")
        mallory = lab.program("mallory")
        mallory.wait_for_peers("ada")
        ada.send("grace", "work", type_="task_request", request_id="r1")
        grace.wait_for("message")
        mallory.send("ada", "forged", type_="task_response", request_id="r1")
        mallory.send("ada", "marker 1")
        first = ada.wait_for("message")
        check(first["message"]["payload"]["message"] == "marker 1", "a response from somebody else does not pass", first)
        for _ in range(3):
            grace.send("ada", "done", type_="task_response", request_id="r1")
        grace.send("ada", "marker 2")
        got = [ada.wait_for("message", from_peer="grace")["message"]["payload"]["message"] for _ in range(2)]
        check(got == ["done", "marker 2"], "a response that comes three times passes once", got)


def what_cannot_be_sent_is_answered(binaries):
    with Lab(binaries, ["ada"]) as lab:
        lab.start_meshd("ada")
        ada = lab.program("ada")
        ada.send("nobody", "x", type_="task_request", request_id="r9", id="mark")
        failed = ada.wait_for("send_failed")
        check(failed["target_peer"] == "nobody" and failed["id"] == "mark" and failed["error"], "an unknown peer is reported with the program's mark", failed)
        response = ada.wait_for("message")
        check(response["message"]["type"] == "task_response" and response["message"]["request_id"] == "r9", "a request that cannot go out is answered", response)
        ada.command("list_peers")
        check(ada.wait_for("peer_list")["peers"] == [], "the peer list is empty and answered")


def null_fields_and_missing_payloads_arrive_whole(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, grace = _two(lab)
        ada.send_line('{"type":"send","payload":{"target_peer":"grace","message":{"type":"agent_prompt","request_id":null,"payload":null}}}')
        got = grace.wait_for("message")["message"]
        check(got == {"type": "agent_prompt", "request_id": "", "source_agent": "ada", "target_agent": "", "payload": {}}, "five fields, no nulls, and who it is from", got)


def a_program_that_does_not_read_loses_nothing_and_holds_up_nobody(binaries):
    with Lab(binaries, ["ada", "grace", "hedy"]) as lab:
        ada, grace = _two(lab)
        lab.start_meshd("hedy")
        hedy = lab.program("hedy")
        hedy.wait_for_peers("ada")
        ada.wait_for_peers("hedy")
        count, text = 1500, "y" * 10000  # grace reads nothing of these 15 MB while hedy is served
        for n in range(count // 3):
            ada.send("grace", f"{n} {text}")
        ada.send("hedy", "not behind the others")
        got = hedy.wait_for("message")
        check(got["message"]["payload"]["message"] == "not behind the others", "a slow program does not hold up another peer")
        numbers = [int(grace.wait_for("message")["message"]["payload"]["message"].split()[0]) for _ in range(count // 3)]
        check(numbers == list(range(count // 3)), "all of it arrives in order once the program reads", len(numbers))


def a_program_may_leave_and_another_attach(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, grace = _two(lab)
        grace.close()
        ada.send("grace", "while nobody is there")
        successor = lab.program("grace")
        got = successor.wait_for("message")
        check(got["message"]["payload"]["message"] == "while nobody is there", "what arrives while no program is attached waits for the next", got)
        check(any(e["type"] == "peer_list" and e["payload"]["peers"] == ["ada"] for e in successor.events), "a program is greeted with the peers")


def several_programs_hear_the_same(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, grace = _two(lab)
        second = lab.program("grace")
        second.wait_for_peers("ada")
        ada.send("grace", "both")
        for program in (grace, second):
            check(program.wait_for("message")["message"]["payload"]["message"] == "both", "every attached program gets the message")
