"""Tier 3: tasks through a running registryd, and what is left of them when it is killed."""
import signal
import threading

from lab import Lab, check


def an_agent(lab, peer, name, *skills):
    """Registers an agent; gives a function that sends a heartbeat and returns the tasks that come with the answer."""
    key = {"X-API-Key": lab.keys[peer]}
    agent = {"agent_id": name, "hostname": "h", "capabilities": {"skills": list(skills)}}
    check(lab.request("POST", "/api/registry/agents", agent, key)[0] == 200, f"{name} registers")

    def heartbeat(**more):
        status, body = lab.request("POST", "/api/hub/heartbeat", {"agent_id": name, "hostname": "h", "skill_names": list(skills), **more}, key)
        check(status == 200, "a heartbeat is taken", body)
        return body["pending_tasks"]

    return key, heartbeat


def a_task_finds_its_agent_and_comes_back_with_a_result(binaries):
    with Lab(binaries, ["ada", "grace", "hedy"]) as lab:
        ada, _ = an_agent(lab, "ada", "asker")
        grace, grace_lives = an_agent(lab, "grace", "planner", "plan")
        hedy, hedy_lives = an_agent(lab, "hedy", "other", "plan")
        status, body = lab.request("POST", "/api/hub/tasks", {"skill": "plan", "target_agent_id": "planner", "payload": {"message": "a week"}}, ada)
        check(status == 200 and len(body["task_id"]) == 12, "a task is submitted", body)
        task = body["task_id"]
        check(hedy_lives() == [], "somebody else with the skill does not get it")
        taken = grace_lives()
        check([t["id"] for t in taken] == [task] and taken[0]["payload"] == {"message": "a week"}, "its target does", taken)
        check(grace_lives() == [], "once")
        check(lab.request("POST", f"/api/hub/tasks/{task}", {"state": "completed", "result": "x"}, hedy)[0] == 403, "nobody else finishes it")
        check(lab.request("POST", f"/api/hub/tasks/{task}", {"state": "pending"}, grace)[0] == 422, "nor does anybody invent states")
        done = {"state": "completed", "result": "on Monday"}
        check(lab.request("POST", f"/api/hub/tasks/{task}", done, grace) == (200, {"status": "ok"}), "its agent finishes it")
        check(lab.request("POST", f"/api/hub/tasks/{task}", done, grace)[0] == 200, "and may say so again")
        check(lab.request("POST", f"/api/hub/tasks/{task}", {"state": "failed"}, grace)[0] == 409, "but not something else")
        status, body = lab.request("GET", f"/api/hub/tasks/{task}", headers=ada)
        check((body["state"], body["result"]) == ("completed", "on Monday"), "the asker sees the result", body)
        status, body = lab.request("GET", "/api/hub/tasks/all", headers=ada)
        check([t["id"] for t in body] == [task], "and it is in the list", body)


def bad_tasks_are_refused_with_a_reason(binaries):
    with Lab(binaries, ["ada"]) as lab:
        key = {"X-API-Key": lab.keys["ada"]}
        check(lab.request("POST", "/api/hub/tasks", {"skill": "x"})[0] == 401, "strangers submit nothing")
        check(lab.request("GET", "/api/hub/tasks/all")[0] == 401, "and read nothing")
        for body, status in [({}, 422), ([], 422), ({"skill": 7}, 422), ({"skill": "x", "ttl": -1}, 422), ({"skill": "x", "payload": "p" * 300_000}, 413)]:
            got, said = lab.request("POST", "/api/hub/tasks", body, key)
            check(got == status and said.get("error"), f"a bad task is answered with {status}", (got, str(said)[:80]))
        for path in ("/api/hub/tasks/nothing", "/api/hub/tasks/12345678-123"):
            got, said = lab.request("GET", path, headers=key)
            check(got in (400, 404) and said.get("error"), "a task that is not there is an error with a body", (got, said))
        check(lab.request("GET", "/api/hub/tasks/all?limit=x", headers=key)[0] == 400, "a limit is a number")
        check(lab.request("PUT", "/api/hub/tasks/abc", {}, key)[0] == 405, "and methods are what they are")


def whoever_waits_for_a_task_gets_it_at_once(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, _ = an_agent(lab, "ada", "asker")
        grace, _ = an_agent(lab, "grace", "planner", "plan")
        check(lab.request("GET", "/api/hub/tasks/next?agent_id=planner", headers=grace)[0] == 204, "there is nothing to do")
        check(lab.request("GET", "/api/hub/tasks/next?agent_id=planner", headers=ada)[0] == 403, "nobody asks for somebody else")
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(lab.request("GET", "/api/hub/tasks/next?agent_id=planner&wait=50", headers=grace)))
        waiting.start()
        lab.request("POST", "/api/hub/tasks", {"skill": "plan", "payload": 1}, ada)
        waiting.join(40)
        check(answers and answers[0][0] == 200 and answers[0][1]["payload"] == 1, "the answer comes with the task", answers)


def tasks_live_through_the_death_of_the_registry(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        ada, _ = an_agent(lab, "ada", "asker")
        grace, lives = an_agent(lab, "grace", "planner", "plan")
        wish = {"target_agent_id": "planner", "payload": {"n": 1}, "idempotency_key": "once"}
        first = lab.request("POST", "/api/hub/tasks", wish, ada)[1]["task_id"]
        second = lab.request("POST", "/api/hub/tasks", {"target_agent_id": "planner", "payload": {"n": 2}}, ada)[1]["task_id"]
        check({t["id"] for t in lives()} == {first, second}, "both are taken")
        check(lab.request("POST", f"/api/hub/tasks/{first}", {"state": "completed", "result": "done"}, grace)[0] == 200, "one is finished")
        lab.stop("registryd", signal.SIGKILL)
        lab.start_registry()
        grace, lives = an_agent(lab, "grace", "planner", "plan")
        states = {t["id"]: (t["state"], t["result"]) for t in lab.request("GET", "/api/hub/tasks/all", headers=ada)[1]}
        check(states == {first: ("completed", "done"), second: ("assigned", "")}, "a killed registry knows what it has acknowledged", states)
        check(lab.request("POST", "/api/hub/tasks", wish, ada)[1]["task_id"] == first, "and what was submitted once is not submitted twice")
        check(lab.request("POST", f"/api/hub/tasks/{second}", {"state": "failed", "error": "no"}, grace)[0] == 200, "the other can be finished")
