"""Reads the tree for the checks: which files there are, C++ text without comments and strings, who includes whom."""
import os
import re
import subprocess

CPP_SUFFIXES = (".cpp", ".hpp", ".h")


def tracked_files(root):
    """Files that git knows or would know (new ones count, ignored ones do not), relative to root; all files where there is no git."""
    git = subprocess.run(["git", "-c", f"safe.directory={os.path.abspath(root)}", "ls-files", "--cached", "--others",
                          "--exclude-standard"], cwd=root, check=False, capture_output=True, text=True)
    if git.returncode == 0:
        listed = git.stdout.split("\n")
    else:
        listed = []
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith((".git", "build", "node_modules"))]
            listed += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return sorted({path for path in listed if path and os.path.isfile(os.path.join(root, path))})


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(text):
    """The text with comments and the insides of literals replaced by spaces; every offset and line stays where it was."""

    def keep_shape(match):
        piece = match.group(0)
        if piece.startswith("'") and match.start() > 0 and text[match.start() - 1].isalnum():
            return piece  # a digit separator, 1'000'000
        inside = re.sub(r"[^\n]", " ", piece)
        if piece[0] in "\"'":
            return piece[0] + inside[1:-1] + piece[-1]
        return inside

    return _TOKENS.sub(keep_shape, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matching(text, start):
    """The offset of the bracket that closes the one at `start`, or -1."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack = []
    for offset in range(start, len(text)):
        character = text[offset]
        if character in pairs:
            stack.append(pairs[character])
        elif stack and character == stack[-1]:
            stack.pop()
            if not stack:
                return offset
        elif character in ")]}":
            return -1
    return -1


def split_arguments(text):
    """Splits at the commas that stand outside every bracket (and outside template angles that close before the next comma)."""
    parts, depth, angle, begin = [], 0, 0, 0
    for offset, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "<" and offset and (text[offset - 1].isalnum() or text[offset - 1] == "_"):
            angle += 1
        elif character == ">" and angle and text[offset - 1] != "-":
            angle -= 1
        elif character == "," and depth == 0 and angle == 0:
            parts.append(text[begin:offset])
            begin = offset + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(text):
    """[(line, 'x/y.hpp', is_quoted)]"""
    return [(line_of(text, m.start()), m.group(2), m.group(1) == '"') for m in _INCLUDE.finditer(text)]


class tree:
    """The C++ files under src/ and what each includes, directly and through others."""

    def __init__(self, root, files=None):
        self.root = root
        self.files = files if files is not None else tracked_files(root)
        self.cpp = [f for f in self.files if f.endswith(CPP_SUFFIXES)]
        self.text = {f: read(root, f) for f in self.cpp}
        self.known = set(self.cpp)
        self.direct = {f: self._resolve(f) for f in self.cpp}
        self._all = {}

    def _resolve(self, path):
        found = []
        for line, name, quoted in includes(self.text[path]):
            beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
            for candidate in ("src/" + name, beside if quoted else None):
                if candidate in self.known:
                    found.append((line, candidate))
                    break
        return found

    def reaches(self, path):
        """Every project file that `path` includes, directly or not."""
        if path not in self._all:
            seen, queue = set(), [path]
            while queue:
                for _, target in self.direct.get(queue.pop(), ()):
                    if target not in seen:
                        seen.add(target)
                        queue.append(target)
            self._all[path] = seen
        return self._all[path]


def layer_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None
