#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "async/async.hpp"
#include "net/asio_host.hpp"
#include "net/tls_stream.hpp"
#include "sim/network.hpp"

using namespace strata;

namespace {

// Certificates of a laboratory, made by the openssl command; empty when there is none.
struct laboratory {
  std::string dir = "/tmp/strata-tls-XXXXXX";
  bool ready = false;
  laboratory() {
    REQUIRE(::mkdtemp(dir.data()) != nullptr);
    const std::string make = "cd " + dir +
                             " && (openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab"
                             " -addext subjectAltName=DNS:good.example,IP:192.0.2.2 -keyout key.pem -out cert.pem &&"
                             " openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other "
                             "-keyout other-key.pem -out other.pem)"
                             " >/dev/null 2>&1";
    ready = std::system(make.c_str()) == 0;
  }
  ~laboratory() {
    for (const char* f : {"cert.pem", "key.pem", "other.pem", "other-key.pem", "broken.pem"}) ::unlink((dir + "/" + f).c_str());
    ::rmdir(dir.c_str());
  }
  std::string file(const char* name) const { return dir + "/" + name; }
};

struct outcome {
  std::error_code client, server;
  std::string echoed;
};

// One handshake and one echo over a simulated stream; the certificates are of the real wall clock, so is the host's.
outcome meet(const laboratory& lab, const std::string& name, const std::string& trust) {
  net::asio_host h;
  auto l = h.listen_tcp({base::ip_address::loopback(base::ip_family::v4), 0});
  auto id = net::load_tls_identity(h, lab.file("cert.pem"), lab.file("key.pem"));
  REQUIRE(id);
  outcome o;
  h.run([](net::asio_host& host, net::listener& listener, std::shared_ptr<const net::tls_server_identity> identity,
           std::string server_name, std::string roots, outcome& out) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("server", [&]() -> async::task<> {
        auto raw = co_await listener.accept();
        REQUIRE(raw);
        auto tls = co_await net::tls_accept(host, std::move(*raw), identity);
        if (!tls) {
          out.server = tls.error().code;
          co_return;
        }
        base::bytes buffer(100'000);
        for (;;) {
          auto n = co_await (*tls)->read(buffer);
          if (!n) out.server = n.error().code;
          if (!n || *n == 0) break;
          (void)co_await (*tls)->write(base::byte_view(buffer).first(*n));
        }
        (void)co_await (*tls)->finish();
      });
      auto raw = co_await host.connect_tcp(listener.local_endpoint());
      auto tls = co_await net::tls_connect(host, std::move(*raw), {.server_name = server_name, .trust_file = roots});
      if (!tls) {
        out.client = tls.error().code;
        co_return;
      }
      // A read that is given up can be begun again.
      base::bytes nothing(10);
      co_await async::first_of((*tls)->read(nothing), []() -> async::task<> { co_return; }());
      const base::bytes data(40'000, 'x');
      (void)co_await (*tls)->write(data);
      (void)co_await (*tls)->finish();
      base::bytes buffer(50'000);
      for (;;) {
        auto n = co_await (*tls)->read(buffer);
        if (!n || *n == 0) break;
        out.echoed.append(reinterpret_cast<const char*>(buffer.data()), *n);
      }
    });
  }(h, **l, *id, name, trust, o));
  return o;
}

}  // namespace

TEST_CASE("TLS verifies name and chain and says which of them failed") {
  laboratory lab;
  if (!lab.ready) {
    MESSAGE("not run: the openssl command is missing");
    return;
  }
  const auto good = meet(lab, "good.example", lab.file("cert.pem"));
  CHECK_FALSE(good.client);
  CHECK(good.echoed == std::string(40'000, 'x'));
  CHECK_FALSE(meet(lab, "192.0.2.2", lab.file("cert.pem")).client);
  CHECK(meet(lab, "192.0.2.3", lab.file("cert.pem")).client == net::tls_errc::wrong_name);
  CHECK(meet(lab, "evil.example", lab.file("cert.pem")).client == net::tls_errc::wrong_name);
  CHECK(meet(lab, "good.example", lab.file("other.pem")).client == net::tls_errc::untrusted);
  CHECK(meet(lab, "good.example", lab.file("missing.pem")).client == net::tls_errc::no_roots);
}

TEST_CASE("an identity whose files are wrong is refused when it is loaded") {
  laboratory lab;
  if (!lab.ready) {
    MESSAGE("not run: the openssl command is missing");
    return;
  }
  net::asio_host h;
  std::ofstream(lab.file("broken.pem")) << "not a certificate";
  CHECK(net::load_tls_identity(h, lab.file("broken.pem"), lab.file("key.pem")).error() == net::tls_errc::bad_certificate);
  CHECK(net::load_tls_identity(h, lab.file("cert.pem"), lab.file("broken.pem")).error() == net::tls_errc::bad_key);
  CHECK(net::load_tls_identity(h, lab.file("cert.pem"), lab.file("other-key.pem")).error() == net::tls_errc::bad_key);
}

TEST_CASE("a stream that is cut inside TLS is told from one that was closed") {
  laboratory lab;
  if (!lab.ready) {
    MESSAGE("not run: the openssl command is missing");
    return;
  }
  net::asio_host h;
  auto l = h.listen_tcp({base::ip_address::loopback(base::ip_family::v4), 0});
  h.run([](net::asio_host& host, net::listener& listener) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("plain server", [&]() -> async::task<> {
        auto raw = co_await listener.accept();
        (void)co_await (*raw)->write(base::as_bytes("HTTP/1.1 400 no TLS here\r\n\r\n"));
        (void)co_await (*raw)->finish();
      });
      auto raw = co_await host.connect_tcp(listener.local_endpoint());
      auto tls = co_await net::tls_connect(host, std::move(*raw), {.server_name = "good.example"});
      REQUIRE_FALSE(tls);
      CHECK((tls.error() == net::tls_errc::handshake_failed || tls.error() == net::tls_errc::no_roots));
    });
  }(h, **l));
}
