import os
import tempfile
import types
import unittest

import lint
import source


class a_tree(unittest.TestCase):
    """A small tree on disk, and what one check finds in it."""

    def find(self, check, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            options = types.SimpleNamespace(paths=[], fix=False)
            return list(check(source.tree(root, sorted(files)), options))


class doors(a_tree):
    def test_downward(self):
        """a layer may include what lies below it"""
        self.assertEqual([], self.find(lint.check_doors, {
            "src/base/bytes.hpp": "", "src/ice/agent.hpp": '#include "stun/message.hpp"\n#include "base/bytes.hpp"\n',
            "src/stun/message.hpp": ""}))

    def test_upward(self):
        """a layer that includes one above it is found, with the line"""
        found = self.find(lint.check_doors, {"src/stun/message.hpp": '#pragma once\n#include "ice/agent.hpp"\n',
                                             "src/ice/agent.hpp": ""})
        self.assertEqual([("src/stun/message.hpp", 2)], [f[:2] for f in found])

    def test_simulator(self):
        """nobody in src or apps sees the simulator"""
        found = self.find(lint.check_doors, {"src/sim/network.hpp": "", "src/ice/agent.cpp": '#include "sim/network.hpp"\n',
                                             "apps/meshd.cpp": '#include "sim/network.hpp"\n',
                                             "tests/ice/agent.cpp": '#include "sim/network.hpp"\n'})
        self.assertEqual({"src/ice/agent.cpp", "apps/meshd.cpp"}, {f[0] for f in found})

    def test_unknown_layer(self):
        """a folder without a place in the order is found"""
        self.assertEqual(1, len(self.find(lint.check_doors, {"src/utils/all.hpp": ""})))


class rules(a_tree):
    LIST = "script/lint.d/procedures.txt"

    def test_rule_through_others(self):
        """a rule that reaches async through another file is found"""
        found = self.find(lint.check_rules, {self.LIST: "src/ice/agent.hpp\n", "src/async/task.hpp": "",
                                             "src/ice/agent.hpp": '#include "async/task.hpp"\n',
                                             "src/ice/priority.hpp": '#include "ice/agent.hpp"\n'})
        self.assertEqual(["src/ice/priority.hpp"], [f[0] for f in found])

    def test_stale_lines(self):
        """a listed file that does not exist or is a rule is found"""
        found = self.find(lint.check_rules, {self.LIST: "# why\nsrc/ice/gone.hpp\nsrc/ice/priority.hpp\n",
                                             "src/ice/priority.hpp": ""})
        self.assertEqual([2, 3], sorted(f[1] for f in found))


class libraries(a_tree):
    def test_confined(self):
        """a foreign library outside its folder is found, inside it is not"""
        found = self.find(lint.check_libraries, {
            "src/net/asio_loop.cpp": "#include <asio/io_context.hpp>\n", "src/net/host.cpp": "#include <asio.hpp>\n",
            "src/dtls/endpoint.cpp": "#include <mbedtls/ssl.h>\n", "src/ice/agent.cpp": "#include <mbedtls/ssl.h>\n",
            "src/net/tls_stream.cpp": "#include <mbedtls/ssl.h>\n", "src/base/json.cpp": "#include <simdjson.h>\n",
            "src/crypto/aes_gcm.cpp": "#include <nettle/gcm.h>\n", "src/dtls/record.cpp": "#include <nettle/gcm.h>\n"})
        self.assertEqual({"src/net/host.cpp", "src/ice/agent.cpp", "src/dtls/record.cpp"}, {f[0] for f in found})


class world(a_tree):
    def test_clock(self):
        """reading the machine's clock outside the real host is found; words in comments are not"""
        found = self.find(lint.check_world, {
            "src/ice/agent.cpp": "// steady_clock::now is not for us\nauto t = std::chrono::steady_clock::now();\n",
            "src/net/asio_host.cpp": "auto t = std::chrono::steady_clock::now();\n",
            "src/dtls/dates.cpp": "// lint: allow world: certificate dates are wall time\nauto t = system_clock::now();\n"})
        self.assertEqual([("src/ice/agent.cpp", 2)], [f[:2] for f in found])


class lifetimes(a_tree):
    def lines(self, text, **more):
        return [f[1] for f in self.find(lint.check_lifetimes, {"src/ice/agent.cpp": text, **more})]

    def test_called_in_place(self):
        """a capturing lambda coroutine that is called where it stands is found"""
        self.assertEqual([1], self.lines("auto t = [&]() -> async::task<> { co_return; }();\n"))

    def test_awaited_in_place(self):
        """the same awaited in its full expression passes"""
        self.assertEqual([], self.lines("co_await [&]() -> async::task<> { co_return; }();\n"))
        self.assertEqual([], self.lines("co_await first_of([&]() -> async::task<> { co_return; }(), other());\n"))
        self.assertEqual([], self.lines("host.run([&]() -> async::task<> { co_return; }());\n"))

    def test_captureless(self):
        """a lambda without capture may be called anywhere"""
        self.assertEqual([], self.lines("auto t = [](int n) -> task<int> { co_return n; }(3);\n"))

    def test_given_to_spawn(self):
        """a capturing lambda that is handed to spawn passes"""
        self.assertEqual([], self.lines('s.spawn("check", [&]() -> async::task<> { co_return; });\n'))

    def test_spawn_reference(self):
        """a spawned lambda with a borrowed parameter is found"""
        self.assertEqual([1], self.lines('s.spawn("x", [](const bytes& b) -> async::task<> { co_return; }, data);\n'))
        self.assertEqual([1], self.lines('s.spawn("x", [](std::string_view b) -> async::task<> { co_return; }, data);\n'))

    def test_spawn_function(self):
        """a spawned function that borrows is found by its declaration"""
        self.assertEqual([2], self.lines('async::task<> serve(const config& c);\nvoid f() { s.spawn("x", serve, c); }\n'))
        self.assertEqual([], self.lines('async::task<> serve(config c);\nvoid f() { s.spawn("x", serve, c); }\n'))

    def test_allowed(self):
        """a finding with a reason beside it passes, one without a reason does not"""
        text = "{}auto t = [&]() -> task<> {{ co_return; }}();\n"
        self.assertEqual([], self.lines(text.format("// lint: allow lifetime: t is awaited on the next line\n")))
        self.assertEqual([2], self.lines(text.format("// lint: allow lifetime:\n")))


class other(a_tree):
    def test_sleeps(self):
        """a real sleep in a test is found in C++ and in Python"""
        found = self.find(lint.check_sleeps, {"tests/ice/a.cpp": "std::this_thread::yield();\n",
                                              "tests/interop/b.py": "time.sleep" + "(1)\n", "src/ice/c.cpp": "usleep(1);\n"})
        self.assertEqual({"tests/ice/a.cpp", "tests/interop/b.py"}, {f[0] for f in found})

    def test_size(self):
        """a file over the hard end is found"""
        self.assertEqual(1, len(self.find(lint.check_size, {"src/ice/a.cpp": "\n" * 601, "src/ice/b.cpp": "\n" * 600})))

    def test_marks(self):
        """a mark of unfinished work is found"""
        self.assertEqual(1, len(self.find(lint.check_marks, {"src/ice/a.cpp": "// TO" + "DO later\n"})))

    def test_blank(self):
        """comments and literals are blanked and every line stays where it was"""
        text = 'a("x // y"); // [&] \n/* b\n c */ d = 1\'000; e = R"(\n[&])";'
        blanked = source.blank(text)
        self.assertEqual(len(text), len(blanked))
        self.assertEqual(text.count("\n"), blanked.count("\n"))
        self.assertNotIn("[&]", blanked)
        self.assertIn("1'000", blanked)


if __name__ == "__main__":
    unittest.main()
