"""meshctl in the place of a program: requests, listeners, the watch, and the explanation of a link."""
import json
import os
import subprocess

from lab import DEADLINE, Lab, check, until


def _meshctl(lab, peer, *arguments):
    return subprocess.run([os.path.join(lab.binaries, "meshctl"), "--ipc", lab.ipc(peer), *arguments], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)


def _start(lab, peer, *arguments):
    return subprocess.Popen([os.path.join(lab.binaries, "meshctl"), "--ipc", lab.ipc(peer), *arguments], stdout=subprocess.PIPE, text=True)


def _linked(lab):
    for p in ("ada", "grace"):
        lab.start_meshd(p)
    lab.program("ada").wait_for_peers("grace")


def a_request_from_the_command_line_gets_its_answer(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        _linked(lab)
        listener = _start(lab, "grace", "listen", "--answer", "42", "-n", "2", "--json")
        done = _meshctl(lab, "ada", "request", "grace", "what is it?", "--skill", "sums")
        check(done.returncode == 0 and done.stdout == "42\n", "the answer is printed", done)
        check(_meshctl(lab, "ada", "send", "grace", "by the way").returncode == 0, "a text is sent")
        heard = [json.loads(line) for line in listener.stdout]
        check(listener.wait(DEADLINE) == 0 and [h["message"]["type"] for h in heard] == ["task_request", "agent_prompt"], "the listener prints both and ends", heard)
        check(heard[0]["from_peer"] == "ada", "with the name of who sent it")


def a_request_without_an_answer_ends_in_time(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        _linked(lab)
        mute = lab.program("grace")
        done = _meshctl(lab, "ada", "request", "grace", "hello?", "--seconds", "0.5")
        check(done.returncode == 4 and "no answer" in done.stderr, "and says so", done)
        mute.close()
        done = _meshctl(lab, "ada", "request", "nobody", "hello?")
        check(done.returncode == 1 and "not connected" in done.stdout, "a peer that nobody knows is an answer at once", done)
        done = subprocess.run([os.path.join(binaries, "meshctl"), "--ipc", lab.path("nowhere"), "explain", "grace"], capture_output=True, check=False)
        check(done.returncode == 3, "and so is a meshd that is not there", done)


def a_link_is_explained(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        _linked(lab)
        watch = _start(lab, "ada", "watch", "--json")
        first = json.loads(watch.stdout.readline())
        watch.terminate()
        watch.wait()
        check(first["peer"] == "grace" and first["state"] == "open", "the watch shows the link", first)
        _meshctl(lab, "ada", "send", "grace", "hello")
        done = _meshctl(lab, "ada", "explain", "grace")
        check(done.returncode == 0 and "direct" in done.stdout and "what was tried" in done.stdout and "Succeeded" in done.stdout, "the way and the pairs are told", done)
        link = json.loads(_meshctl(lab, "ada", "explain", "grace", "--json").stdout)
        check(link["delivery"]["tier"] == "direct" and link["connection"]["pairs"], "as JSON, too", link)
        done = _meshctl(lab, "ada", "explain", "nobody")
        check(done.returncode == 1 and "not known" in done.stderr, "a stranger is a stranger", done)


def the_doctor_finds_what_is_wrong(binaries):
    with Lab(binaries, ["ada", "grace"]) as lab:
        _linked(lab)
        done = _meshctl(lab, "ada", "doctor", "--json")
        points = {f["point"]: f for f in json.loads(done.stdout)}
        check(points["registry"]["well"] and points["links"]["well"] and points["local socket"]["well"], "a meshd that is well is told so", points)
        os.chmod(lab.ipc("ada"), 0o666)
        done = _meshctl(lab, "ada", "doctor")
        check(done.returncode == 1 and "chmod 600" in done.stdout, "a socket that is open to all is seen", done)
        os.chmod(lab.ipc("ada"), 0o600)
        lab.stop("registryd")
        until(lambda: "LOOK registry" in _meshctl(lab, "ada", "doctor").stdout, "the dead registry is seen")
        check(True, "and a registry that is gone")
        lab.stop("ada")
        done = _meshctl(lab, "ada", "doctor")
        check(done.returncode == 3 and "start meshd" in done.stdout, "and a meshd that is not there", done)


def shells_learn_the_commands(binaries):
    meshctl = os.path.join(binaries, "meshctl")
    script = subprocess.run([meshctl, "completion", "bash"], capture_output=True, text=True, check=False).stdout

    def offered(words, index):
        ask = script + f"\nCOMP_WORDS=(meshctl {words}); COMP_CWORD={index}; _meshctl; echo ${{COMPREPLY[@]}}"
        return subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False).stdout.split()

    check(offered("sta", 1) == ["status"], "a command is completed", offered("sta", 1))
    check(offered("trust for", 2) == ["forget"], "and a command of a command", offered("trust for", 2))
    check("--skill" in offered("request --s", 2), "and an option", offered("request --s", 2))
    for shell in ("zsh", "fish"):
        done = subprocess.run([meshctl, "completion", shell], capture_output=True, text=True, check=False)
        check(done.returncode == 0 and "status" in done.stdout, f"there is one for {shell}", done)
    check(subprocess.run([meshctl, "completion", "csh"], capture_output=True, check=False).returncode == 2, "and none for others")
