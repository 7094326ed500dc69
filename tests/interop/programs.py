"""Peers that have to be compiled first: pion (Go) and webrtc-rs (Rust).

A build takes minutes, so what was built is kept in the user's cache folder under a name made of its sources: it happens only
when it is asked for (--all), and a run that finds the program there uses it.
"""
import hashlib
import os
import shutil
import subprocess

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
SOURCES = {"pion": ("go.mod", "go.sum", "main.go"), "webrtc-rs": ("Cargo.toml", "Cargo.lock", "src/main.rs")}
TOOLS = {"pion": "go", "webrtc-rs": "cargo"}


def cache_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "strata-interop")


def cached(stack):
    """Where the program of a stack lies once it is built."""
    digest = hashlib.sha256()
    for name in SOURCES[stack]:
        with open(os.path.join(PEERS, stack, name), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read() + b"\0")
    return os.path.join(cache_folder(), f"{stack}-{digest.hexdigest()[:16]}")


def program_of(stack, may_build, scratch):
    """(program, None) or (None, why not)."""
    wanted = cached(stack)
    if os.path.exists(wanted):
        return wanted, None
    tool = TOOLS[stack]
    if not shutil.which(tool):
        return None, f"{tool} is not installed"
    if not may_build:
        return None, "not built yet; run.py --all builds it, which takes minutes"
    os.makedirs(cache_folder(), exist_ok=True)
    folder = os.path.join(scratch, "interop-" + stack)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(PEERS, stack), folder)
    if stack == "pion":
        made, command = os.path.join(folder, "peer"), ["go", "build", "-trimpath", "-buildvcs=false", "-o", "peer", "."]
    else:
        made, command = os.path.join(folder, "target/debug/webrtc-rs-peer"), ["cargo", "build", "--locked", "--quiet"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, "GOTOOLCHAIN": "local", "CARGO_TARGET_DIR": os.path.join(folder, "target")})
    if done.returncode != 0:
        said = [line for line in done.stderr.split("\n") if line.strip()] or ["(no reason given)"]
        return None, f"{tool} could not build it: {said[-1][:200]}"
    shutil.move(made, wanted + ".new")
    os.replace(wanted + ".new", wanted)
    shutil.rmtree(folder, ignore_errors=True)
    return wanted, None
