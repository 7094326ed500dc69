"""Writes openapi.json as C++: embed.py openapi.json OUTPUT. Octets, not a literal: a compiler may limit the length of those."""
import json
import sys

document = json.dumps(json.load(open(sys.argv[1], encoding="utf-8")), separators=(",", ":"), ensure_ascii=True).encode()
octets = ",".join(str(b) for b in document)
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write(f'#include "registry/openapi.hpp"\n\nnamespace strata::registry {{\nnamespace {{\nconstexpr char octets[] = {{{octets}}};\n}}\n'
              "const std::string_view openapi_document(octets, sizeof octets);\n}\n")
