"""The checks behind script/lint. Each is a function over the tree that yields (path, line, message)."""
import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import source  # noqa: E402

GROUND = ["base", "trace", "crypto", "async", "net"]
WIRE = GROUND + ["stun", "sdp", "http"]
PATHS = WIRE + ["portmap", "turn", "ice", "dtls"]
# Which layers a layer may open a door to. sim implements net and is seen by nobody in src; apps see everything else.
MAY_USE = {
    "base": [],
    "trace": ["base"],
    "crypto": ["base", "trace"],
    "async": ["base", "trace"],
    "net": ["base", "trace", "crypto", "async"],
    "store": GROUND,
    "sim": GROUND,
    "stun": GROUND,
    "sdp": GROUND,
    "http": GROUND,
    "portmap": GROUND + ["http"],  # UPnP speaks HTTP
    "turn": WIRE,
    "ice": WIRE,  # relays and port mappings come to it as functions: they are neighbours
    "dtls": WIRE,
    "sctp": PATHS,
    "datachannel": PATHS + ["sctp"],
    "rtc": PATHS + ["sctp", "datachannel"],
    "signaling": GROUND + ["http"],
    "registry": WIRE + ["turn", "store", "signaling"],  # the daemon answers STUN and TURN as well
    "mesh": PATHS + ["sctp", "datachannel", "rtc", "store", "signaling"],
}
# Where a foreign library may be seen.
CONFINED = [
    ("Asio", re.compile(r"^asio([./]|$)"), ["src/net/asio_*"]),
    ("mbedTLS", re.compile(r"^mbedtls/"), ["src/crypto/*", "src/dtls/*", "src/net/tls_*"]),
    ("nettle", re.compile(r"^nettle/"), ["src/crypto/*"]),
    ("usrsctp", re.compile(r"^usrsctp"), ["src/sctp/*"]),
    ("SQLite", re.compile(r"^(?:sqlite3\.h|SQLiteCpp/)"), ["src/store/sqlite.cpp"]),
    ("simdjson", re.compile(r"^simdjson"), ["src/base/json.cpp"]),
]
MAX_LINES = 600


def allowed(text, line, word):
    """A finding is let pass by `// lint: allow <word>: <reason>` on its line or the line above; the reason is not optional."""
    lines = text.split("\n")
    pattern = re.compile(r"(?://|#) lint: allow " + re.escape(word) + r": \S")
    return any(0 <= n < len(lines) and pattern.search(lines[n]) for n in (line - 1, line - 2))


def check_format(tree, options):
    """Every C++ file reads as clang-format writes it."""
    tool = shutil.which("clang-format-19") or shutil.which("clang-format")
    if not tool:
        yield ("", 0, "clang-format-19 is not installed (script/bootstrap does it)")
        return
    files = [f for f in tree.cpp if not options.paths or any(f.startswith(p.rstrip("/")) for p in options.paths)]
    if not files:
        return
    full = [os.path.join(tree.root, f) for f in files]
    if options.fix:
        subprocess.run([tool, "-i", *full], check=True)
        return
    done = subprocess.run([tool, "--dry-run", "-Werror", *full], capture_output=True, text=True)
    seen = set()
    for match in re.finditer(r"^(\S+?):(\d+):\d+: error:", done.stderr, re.M):
        path = os.path.relpath(match.group(1), tree.root)
        if path not in seen:
            seen.add(path)
            yield (path, int(match.group(2)), "not formatted; script/lint --fix does it")
    if done.returncode and not seen:
        yield ("", 0, "clang-format failed: " + done.stderr.strip()[-300:])


def check_doors(tree, options):
    """Doors between folders open downward only."""
    for path in tree.cpp:
        layer = source.layer_of(path)
        inside_src = path.startswith("src/")
        if inside_src and layer is not None and layer not in MAY_USE:
            yield (path, 1, f"the folder src/{layer} is not in the order of layers (script/lib/lint.py)")
            continue
        for line, target in tree.direct[path]:
            other = source.layer_of(target)
            if inside_src and not target.startswith("src/"):
                yield (path, line, f"src includes {target}, which is outside src")
            elif inside_src and other and other != layer and other not in MAY_USE[layer]:
                yield (path, line, f"{layer} may not include {target}: the door opens downward only")
            elif path.startswith("apps/") and other == "sim":
                yield (path, line, "apps do not see the simulator")


def check_rules(tree, options):
    """Every file is a rule, knowing neither async nor net, unless script/lint.d/procedures.txt names it."""
    listing = "script/lint.d/procedures.txt"
    try:
        lines = source.read(tree.root, listing).split("\n")
    except OSError:
        yield (listing, 0, "the list of procedures is missing")
        return
    patterns = [(number, text.split("#")[0].strip()) for number, text in enumerate(lines, 1)]
    patterns = [(number, text) for number, text in patterns if text]
    exempt = {"async", "net", "sim"}  # the framework itself and the two machines
    used = {}
    for path in tree.cpp:
        layer = source.layer_of(path)
        if not layer or layer in exempt:
            continue
        worldly = [t for t in tree.reaches(path) if source.layer_of(t) in ("async", "net")]
        named = [number for number, pattern in patterns if fnmatch.fnmatch(path, pattern)]
        for number in named:
            used[number] = used.get(number, False) or bool(worldly)
        if worldly and not named:
            direct = [(line, t) for line, t in tree.direct[path] if source.layer_of(t) in ("async", "net")]
            line, why = direct[0] if direct else (1, f"{sorted(worldly)[0]} (through others)")
            yield (path, line, f"includes {why}: a rule may not; if this is a procedure, name it in {listing}")
    for number, pattern in patterns:
        if number not in used:
            yield (listing, number, f"'{pattern}' names no file")
        elif not used[number]:
            yield (listing, number, f"'{pattern}' is a rule by its includes: take it off the list")


def check_libraries(tree, options):
    """Foreign libraries are seen where the house allows it."""
    for path in tree.cpp:
        if not path.startswith(("src/", "apps/")):
            continue
        for line, name, _ in source.includes(tree.text[path]):
            for library, pattern, places in CONFINED:
                if pattern.match(name) and not any(fnmatch.fnmatch(path, place) for place in places):
                    yield (path, line, f"{library} is included here; it belongs in {', '.join(places)} only")


def check_world(tree, options):
    """Clock, chance, threads and sockets of the machine are reached through net::host only."""
    pattern = re.compile(r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\brandom_device\b|\bstd::thread\b"
                         r"|\bstd::jthread\b|\bgetaddrinfo\s*\(|(?<![\w:.>])::socket\s*\(|\bsrand\s*\(")
    for path in tree.cpp:
        if not path.startswith("src/") or fnmatch.fnmatch(path, "src/net/asio_*"):
            continue
        blanked = source.blank(tree.text[path])
        for match in pattern.finditer(blanked):
            line = source.line_of(blanked, match.start())
            if not allowed(tree.text[path], line, "world"):
                yield (path, line, f"'{match.group(0).strip()}' goes around net::host")


def check_size(tree, options):
    """No file is longer than the hard end."""
    for path in tree.cpp:
        if path.startswith(("src/", "apps/", "tests/", "fuzz/", "bench/", "examples/")):
            count = tree.text[path].count("\n")
            if count > MAX_LINES:
                yield (path, count, f"{count} lines; {MAX_LINES} is the end: make it of parts")


_LAMBDA_RETURN = re.compile(r"\s*(?:mutable\s*)?(?:noexcept\s*)?->\s*(?:strata::)?(?:async::)?task\s*<")
_BORROWS = re.compile(r"(?<!&)&(?!&)|\b(?:std::)?(?:string_view|span)\b|\bbyte_view\b|\bbyte_span\b|\bmutable_byte_view\b")


def coroutine_lambdas(text):
    """(capture, parameters, start, body_start, body_end) of each lambda that says it returns a task. `text` is blanked."""
    for match in re.finditer(r"\[", text):
        start = match.start()
        before = text[:start].rstrip()[-1:]
        if before and (before.isalnum() or before in "_)]"):
            word = re.search(r"(\w+)\s*$", text[:start])
            if not word or word.group(1) not in ("return", "co_return", "co_await", "co_yield"):
                continue  # a subscript
        end = source.matching(text, start)
        if end < 0 or text[start + 1:start + 2] == "[":
            continue
        capture, after = text[start + 1:end], end + 1
        parameters = ""
        opening = re.match(r"\s*\(", text[after:])
        if opening:
            first = after + opening.end() - 1
            last = source.matching(text, first)
            if last < 0:
                continue
            parameters, after = text[first + 1:last], last + 1
        arrow = _LAMBDA_RETURN.match(text, after)
        if not arrow:
            continue
        brace = text.find("{", arrow.end())
        closing = source.matching(text, brace) if brace >= 0 else -1
        if closing >= 0:
            yield capture.strip(), parameters, start, brace, closing


def check_lifetimes(tree, options):
    """No capturing coroutine outlives its closure; what is spawned takes its arguments by value."""
    declared = {}
    for path in tree.cpp:
        blanked = source.blank(tree.text[path])
        for match in re.finditer(r"\btask\s*<[^;{}()]*>\s+(?:\w+::)*(\w+)\s*\(", blanked):
            last = source.matching(blanked, match.end() - 1)
            if last > 0:
                declared.setdefault(match.group(1), []).append((path, blanked[match.end():last]))
    for path in tree.cpp:
        text = tree.text[path]
        blanked = source.blank(text)
        if "task<" not in blanked and "spawn" not in blanked:
            continue
        lambdas = list(coroutine_lambdas(blanked))
        for capture, _, start, _, closing in lambdas:
            called = re.match(r"\s*\(", blanked[closing + 1:])
            # The closure lives to the end of its full expression: an await, or a run of the loop to the end, inside it is safe.
            statement = re.split(r"[;{}]", blanked[:start])[-1]
            awaited = re.search(r"\bco_await\b|\brun\s*\(", statement)
            line = source.line_of(blanked, start)
            if capture and called and not awaited and not allowed(text, line, "lifetime"):
                yield (path, line, "a capturing lambda coroutine is called where it stands: the closure dies before the "
                       "coroutine runs. Give the lambda itself to spawn/with_scope, or pass what it needs as parameters")
        for match in re.finditer(r"\bspawn\s*\(", blanked):
            last = source.matching(blanked, match.end() - 1)
            line = source.line_of(blanked, match.start())
            if last < 0 or allowed(text, line, "lifetime"):
                continue
            inside = [entry for entry in lambdas if match.end() <= entry[2] < last]
            arguments = source.split_arguments(blanked[match.end():last])
            if len(arguments) < 2 or not arguments[0].startswith(('"', "std::", "fmt::", "name")):
                continue  # a declaration of spawn itself, or not ours
            callee = arguments[1]
            if callee.startswith("["):
                outermost = [entry for entry in inside if blanked[entry[2]:].startswith(callee[:20])]
                for _, parameters, start, _, _ in outermost[:1]:
                    for parameter in source.split_arguments(parameters):
                        if _BORROWS.search(parameter):
                            yield (path, source.line_of(blanked, start), f"spawned with a borrowed parameter '{parameter}'")
            elif re.fullmatch(r"&?[\w:]+", callee) and len(arguments) > 2:
                for where, parameters in declared.get(callee.split("::")[-1].lstrip("&"), [])[:1]:
                    for parameter, given in zip(source.split_arguments(parameters), arguments[2:]):
                        if given.startswith(("std::ref(", "std::cref(")):
                            continue  # the caller has said that it outlives the scope
                        if _BORROWS.search(parameter):
                            yield (path, line, f"spawns {callee} ({where}), which borrows '{' '.join(parameter.split())}'")


def check_sleeps(tree, options):
    """Tests wait for nothing but events: time in them is virtual."""
    cpp = re.compile(r"\busleep\s*\(|\bthis_thread\b|_clock::now\b|\bnanosleep\b")
    python = re.compile(r"\btime\.sleep\s*\(|\basyncio\.sleep\s*\(\s*[1-9]")
    for path in tree.files:
        if not path.startswith("tests/") or not path.endswith((".cpp", ".hpp", ".py")):
            continue
        text = tree.text.get(path) or source.read(tree.root, path)
        searched = source.blank(text) if path in tree.text else text
        for match in (python if path.endswith(".py") else cpp).finditer(searched):
            line = source.line_of(searched, match.start())
            if not allowed(text, line, "sleep"):
                yield (path, line, f"'{match.group(0)}' in a test")


def check_marks(tree, options):
    """Nothing is left half done."""
    word = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for path in tree.files:
        if not path.startswith(("src/", "apps/", "tests/", "fuzz/", "bench/", "script/", "examples/", "web/")):
            continue
        if "/corpus/" in path or path.endswith((".hex", ".bin", ".pem", ".dict")):
            continue
        for number, line in enumerate(source.read(tree.root, path).split("\n"), 1):
            if word.search(line):
                yield (path, number, "a mark of unfinished work: " + line.strip()[:80])


CHECKS = {
    "format": check_format,
    "doors": check_doors,
    "rules": check_rules,
    "libraries": check_libraries,
    "world": check_world,
    "lifetimes": check_lifetimes,
    "sleeps": check_sleeps,
    "size": check_size,
    "marks": check_marks,
}


def main():
    parser = argparse.ArgumentParser(prog="script/lint", add_help=False)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only", action="append", choices=sorted(CHECKS), default=[])
    parser.add_argument("--root", default=os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")))
    parser.add_argument("--cases", action="store_true", help="print PASS/FAIL lines for script/test")
    options = parser.parse_args()
    tree = source.tree(options.root)
    report, failed = {}, 0
    for name, check in CHECKS.items():
        if options.only and name not in options.only:
            continue
        findings = list(check(tree, options))
        if options.paths:
            findings = [f for f in findings if any(f[0].startswith(p.rstrip("/")) for p in options.paths)]
        report[name] = [{"path": p, "line": n, "message": m} for p, n, m in findings]
        failed += bool(findings)
        for path, line, message in findings:
            print(f"{path}:{line}: {message} [{name}]")
        if options.cases:
            print(f"FAIL lint: {name} {len(findings)} findings" if findings else f"PASS lint: {name}")
        else:
            print(f"{name:10} {'ok' if not findings else str(len(findings)) + ' findings':12} {check.__doc__}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
