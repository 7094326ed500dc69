// What a STUN message costs: decode, FINGERPRINT, integrity, and a whole Binding answer.
//
//   bench-stun [--json FILE]
//
// Nanoseconds for one operation, the best of several rounds, on one thread and with everything in the cache. The message is
// the usual answer to a connectivity check: XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT and an eight-byte attribute
// beside them, 76 bytes in all. The compiler sees every result used.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "stun/attributes.hpp"
#include "stun/binding_responder.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"

namespace {

using namespace strata;
using namespace strata::stun;
using clock_type = std::chrono::steady_clock;

constexpr int rounds = 15;

template <class T>
void use(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

template <class F>
double nanoseconds(int count, F operation) {
  double best = 1e30;
  for (int round = 0; round < rounds; ++round) {
    const auto start = clock_type::now();
    for (int i = 0; i < count; ++i) operation();
    const std::chrono::duration<double, std::nano> took = clock_type::now() - start;
    best = std::min(best, took.count() / count);
  }
  return best;
}

struct measurement {
  const char* name;
  double ns;
};

base::bytes answer(const integrity_key& key) {
  base::bytes out;
  message_writer w(out, {message_class::success, method::binding}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  w.add(xor_mapped_address{{base::ip_address::v4(192, 0, 2, 1), 32853}}).add(software{"strata01"});
  w.integrity(key).fingerprint();
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  const char* json = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--json") == 0 && i + 1 < count) json = arguments[++i];
    else return std::fprintf(stderr, "usage: bench-stun [--json FILE]\n"), 2;
  }

  const auto key = short_term_key("VOkJxbRl1RmTxUk/WvJxBt");
  const auto message = answer(key);
  base::bytes request, reply;
  message_writer(request, {message_class::request, method::binding}, {});
  if (message.size() != 76) return std::fprintf(stderr, "the message has %zu bytes\n", message.size()), 1;

  std::vector<measurement> results;
  results.push_back({"is it STUN", nanoseconds(2'000'000, [&] { use(is_stun(message)); })});
  results.push_back({"decode, 76 bytes", nanoseconds(1'000'000, [&] {
                       const auto m = message_view::parse(message);
                       use(m);
                     })});
  results.push_back({"decode and mapped address", nanoseconds(1'000'000, [&] {
                       const auto m = message_view::parse(message);
                       const auto x = m->get<xor_mapped_address>();
                       use(x);
                     })});
  results.push_back({"decode and FINGERPRINT", nanoseconds(1'000'000, [&] {
                       const auto m = message_view::parse(message);
                       use(check_fingerprint(*m));
                     })});
  results.push_back({"decode and MESSAGE-INTEGRITY", nanoseconds(200'000, [&] {
                       const auto m = message_view::parse(message);
                       use(check_message_integrity(*m, key).has_value());
                     })});
  results.push_back({"the same with a new key", nanoseconds(100'000, [&] {
                       const auto m = message_view::parse(message);
                       use(check_message_integrity(*m, short_term_key("VOkJxbRl1RmTxUk/WvJxBt")).has_value());
                     })});
  results.push_back({"write, sign and FINGERPRINT", nanoseconds(200'000, [&] {
                       reply.clear();
                       message_writer w(reply, {message_class::success, method::binding}, {});
                       w.add(xor_mapped_address{{base::ip_address::v4(192, 0, 2, 1), 32853}});
                       w.integrity(key).fingerprint();
                       use(reply.data());
                     })});
  results.push_back({"answer a Binding request", nanoseconds(1'000'000, [&] {
                       reply.clear();
                       respond_binding({}, request, {base::ip_address::v4(192, 0, 2, 1), 32853}, reply);
                       use(reply.data());
                     })});

  std::printf("%-32s %10s\n", "STUN", "ns");
  for (const auto& r : results) std::printf("%-32s %10.1f\n", r.name, r.ns);
  if (json != nullptr) {
    std::FILE* file = std::fopen(json, "w");
    if (file == nullptr) return std::perror(json), 1;
    std::fputs("{\"benchmark\": \"stun\", \"unit\": \"ns\", \"results\": [", file);
    for (std::size_t i = 0; i < results.size(); ++i) {
      std::fprintf(file, "%s{\"name\": \"%s\", \"ns\": %.2f}", i == 0 ? "" : ", ", results[i].name, results[i].ns);
    }
    std::fputs("]}\n", file);
    std::fclose(file);
  }
  return 0;
}
