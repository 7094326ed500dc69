"""Every fenced block of docs/*.md that says where it comes from stands in that file, word for word.

A guide marks a block with a comment on the line before it:

    <!-- from examples/async_tour.cpp -->
    ```cpp

A C++ block without such a line is an error: what is not compiled is not believed.
"""

import pathlib
import re
import sys

_BLOCK = re.compile(r"^(?:<!-- from (?P<source>\S+) -->\n)?```cpp\n(?P<code>.*?)^```$", re.M | re.S)


def findings(root):
    for guide in sorted((root / "docs").glob("*.md")):
        text = guide.read_text()
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start("code")) + 1
            where = f"{guide.relative_to(root)}:{line}"
            if not block["source"]:
                yield f"{where}: a C++ block that does not say from which example it is"
                continue
            source = root / block["source"]
            if not source.is_file():
                yield f"{where}: {block['source']} does not exist"
            elif block["code"] not in source.read_text():
                yield f"{where}: not word for word in {block['source']}"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    wrong = list(findings(root))
    for finding in wrong:
        print(finding)
    if not wrong:
        print("every C++ block of the guides stands in its example")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
