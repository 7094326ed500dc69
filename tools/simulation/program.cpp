#include "simulation/program.hpp"

#include <charconv>

namespace strata::simulation {
namespace {

using namespace std::chrono_literals;

constexpr base::duration try_again = 100ms;
constexpr std::size_t sabotaged_message = 3;

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t n = 0;
  const auto end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, n);
  if (text.empty() || done.ec != std::errc() || done.ptr != end) return std::nullopt;
  return n;
}

}  // namespace

program::program(sim::host& h, std::size_t self, const plan& p, ledger& l)
    : host_(h), self_(self), plan_(p), ledger_(l), chance_(p.seed, "program " + h.name()) {}

// What a message says follows from its number, so that the hearer knows it too.
std::string program::content(std::size_t from, std::size_t to, std::size_t number) const {
  sim::generator g(plan_.seed ^ (from * 64 + to) << 32 ^ number);
  const auto kind = g.unit();
  const auto most = kind < 0.8 ? 200u : kind < 0.97 ? 4000u : 60'000u;
  std::string text(g.next() % most, ' ');
  for (auto& c : text) c = static_cast<char>('a' + g.next() % 26);
  return text;
}

std::optional<std::size_t> program::find(std::string_view name) const {
  for (std::size_t n = 0; n < plan_.peers; ++n)
    if (peer_name(n) == name) return n;
  return std::nullopt;
}

async::task<> program::run() {
  for (;;) {
    auto c = co_await mesh::ipc_client::attach(host_, local_path(host_.name()));
    if (!c) {
      co_await async::sleep_for(try_again);
      continue;
    }
    attached_ = true;
    co_await async::first_of(hear(**c), speak(**c));
    attached_ = false;
    ledger_.connection_ended(self_);
  }
}

async::task<std::size_t> program::say(std::size_t to) {
  auto w = std::make_shared<wish>(to, std::nullopt);
  wishes_.push_back(w);
  wished_.pulse();
  while (!w->number) co_await granted_.wait();
  co_return *w->number;
}

async::task<> program::speak(mesh::ipc_client& c) {
  for (;;) {
    const auto pause = std::chrono::milliseconds(20 + chance_.next() % 600);
    if (wishes_.empty())
      co_await async::with_timeout(pause, [](async::event& e) -> async::task<> { co_await e.wait(); }(wished_));
    std::size_t to = (self_ + 1 + chance_.next() % (plan_.peers - 1)) % plan_.peers;
    if (!wishes_.empty()) to = wishes_.front()->to;
    else if (!talking_) continue;
    const auto number = ledger_.sent(self_, to);
    if (!wishes_.empty()) {
      wishes_.front()->number = number;
      wishes_.pop_front();
      granted_.pulse();
    }
    if (!co_await send(c, to, number)) co_return;
  }
}

async::task<bool> program::send(mesh::ipc_client& c, std::size_t to, std::size_t number) {
  auto m = base::json::make({{"type", "agent_prompt"},
                             {"request_id", std::to_string(number)},
                             {"payload", base::json::make({{"text", content(self_, to, number)}})}});
  const auto written =
      co_await c.command("send", base::json::make({{"target_peer", peer_name(to)}, {"message", std::move(m)}}));
  if (!written) ledger_.reported(self_, to, number);
  co_return written.has_value();
}

async::task<> program::hear(mesh::ipc_client& c) {
  while (auto e = co_await c.next()) {
    while (stalled_) co_await went_on_.wait();
    if (e->type == "message") {
      took(e->payload);
    } else if (e->type == "send_failed") {
      const auto to = find(e->payload.text("target_peer"));
      const auto number = number_of(e->payload.text("request_id"));
      if (to && number) ledger_.reported(self_, *to, *number);
    }
  }
}

void program::took(const base::json& payload) {
  const auto from = find(payload.text("from_peer"));
  const auto* m = payload.find("message");
  const auto* inside = m != nullptr ? m->find("payload") : nullptr;
  const auto number = m != nullptr ? number_of(m->text("request_id")) : std::nullopt;
  if (!from || !number || inside == nullptr) return took_in(from.value_or(self_), SIZE_MAX, false);
  const bool whole = inside->text("text") == content(*from, self_, *number);
  heard_.add(std::uint64_t{*from});
  heard_.add(std::uint64_t{*number});
  heard_.add(static_cast<std::uint64_t>(host_.now().time_since_epoch().count()));
  if (*number != sabotaged_message || plan_.broken == sabotage::none) {
    took_in(*from, *number, whole);
    if (held_back_ && *number > sabotaged_message) took_in(*from, *std::exchange(held_back_, std::nullopt), whole);
    return;
  }
  switch (plan_.broken) {
    case sabotage::lose: return;
    case sabotage::repeat: took_in(*from, *number, whole); break;
    case sabotage::tear: return took_in(*from, *number, false);
    case sabotage::swap: held_back_ = number; return;
    default: break;
  }
  took_in(*from, *number, whole);
}

void program::took_in(std::size_t from, std::size_t number, bool whole) { ledger_.arrived(from, self_, number, whole); }

}  // namespace strata::simulation
