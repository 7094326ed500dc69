#include "mesh/conversation.hpp"

#include <algorithm>
#include <utility>

#include "base/backoff.hpp"

namespace strata::mesh {
namespace {

constexpr std::size_t ack_octets = 1024;      // of one frame of acks
constexpr std::size_t channel_piece = 16384;  // larger messages of a channel hold up their neighbours
constexpr std::size_t letter_piece = 64u << 10;
constexpr std::size_t letter_octets = 128u << 10;             // of frames; base64 and JSON make a third more of it
constexpr auto resend_on_channel = std::chrono::seconds(15);  // it loses nothing while it lives
constexpr auto resend_by_letter = std::chrono::seconds(5);
constexpr base::duration least_pause = std::chrono::milliseconds(250), most_pause = std::chrono::seconds(10);
constexpr std::size_t enough_under_way = 8u << 20;  // octets on an open link
constexpr auto patience_for_room = std::chrono::seconds(5);
constexpr auto store_pause = std::chrono::seconds(1);

std::string_view why(const tier_facts& f, const tier_decision& d) noexcept {
  switch (d.use) {
    case tier::direct: return "the link's path is direct";
    case tier::relayed: return "the link's path leads through a relay";
    case tier::tasks: return f.connection == 0 ? "there is no link" : "the link does not answer";
    case tier::none: return "there is no link, and no peer at the registry";
  }
  return "?";
}

async::task<> until(async::event& e) {
  co_await e.wait();
  e.reset();
}

}  // namespace

conversation::conversation(conversation_environment& e, std::string peer)
    : environment_(e),
      peer_(std::move(peer)),
      outbox_(peer_, e.host.random_u64()),
      inbox_(peer_, e.host.random_u64(), e.incoming) {}

store::told<void> conversation::load(const std::vector<store::record>& outgoing, const std::vector<store::record>& incoming) {
  if (auto loaded = outbox_.load(outgoing, environment_.host.now(), environment_.host.wall_now()); !loaded) return loaded;
  return inbox_.load(incoming);
}

async::task<> conversation::run() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    s.spawn("hand over", [this] { return hand_over(); });
    s.spawn("letters", [this] { return write_letters(); });
    s.spawn("time", [this] { return watch_time(); });
    co_await keep();
  });
}

void conversation::wake() {
  for (auto* e : {&turn_due_, &small_due_, &bulk_due_, &letters_due_, &time_due_}) e->set();
}

void conversation::tell_outcomes() {
  const auto outcomes = outbox_.take_outcomes();
  for (const auto& o : outcomes) environment_.on_outcome(peer_, o);
  if (outcomes.empty()) return;
  stuck_ = false;
  room_.pulse();
}

async::task<bool> conversation::commit(store::changes c) {
  if (c.empty() || environment_.store == nullptr) co_return true;
  const auto done = co_await environment_.store->commit(std::move(c));
  if (!done)
    environment_.tracer(environment_.host.now(),
                        trace::note{trace::layer::mesh, "what waits for a peer is not stored", done.error().message()});
  co_return done.has_value();
}

// What outbox and inbox want stored is stored before anything is said about it.
async::task<> conversation::keep() {
  for (;;) {
    tell_outcomes();  // before they leave the store: killed in between, they come again
    auto changes = outbox_.unsaved();
    auto in = inbox_.unsaved(environment_.host.now());
    std::move(in.begin(), in.end(), std::back_inserter(changes));
    const bool kept = co_await commit(std::move(changes));
    if (kept) {
      (void)outbox_.saved();
      inbox_.saved();
    } else {
      outbox_.not_saved();
      inbox_.not_saved();
    }
    for (auto& d : inbox_.take(environment_.host.now())) arrived_.push_back(std::move(d));
    if (!arrived_.empty()) arrived_due_.set();
    for (auto* e : {&small_due_, &bulk_due_, &letters_due_}) e->set();
    if (!kept) co_await async::sleep_for(store_pause);
    else co_await until(turn_due_);
  }
}

async::task<> conversation::hand_over() {
  for (;;) {
    while (arrived_.empty()) co_await until(arrived_due_);
    auto d = std::move(arrived_.front());
    arrived_.pop_front();
    auto octets = std::exchange(d.octets, {});
    const auto place = d;
    d.octets = std::move(octets);
    const auto became = co_await environment_.hand_over(peer_, std::move(d));
    inbox_.finish(place, became.what, became.why);
    turn_due_.set();
    small_due_.set();
  }
}

async::task<> conversation::watch_time() {
  for (;;) {
    const auto now = environment_.host.now();
    outbox_.tick(now);
    tell_outcomes();
    inbox_.tick(now);
    const auto look = choose();
    const auto next = std::min({outbox_.next_wakeup(), inbox_.next_wakeup(), look});
    if (next == base::never) {
      co_await until(time_due_);
    } else if (next <= now || !co_await async::with_timeout(next - now, until(time_due_))) {
      for (auto* e : {&turn_due_, &small_due_, &bulk_due_, &letters_due_}) e->set();
    }
  }
}

// Gives the time at which to look again.
base::instant conversation::choose() {
  const auto now = environment_.host.now();
  tier_facts f;
  if (link_open_) {
    const auto link = environment_.link(peer_);
    f.connection = connections_;
    f.relayed = link.relayed;
    f.round_trip = link.round_trip;
    f.opened = opened_;
    f.heard = heard_on_link_;
  }
  f.unanswered_since = outbox_.unanswered_since();
  f.letter = letter_;
  f.registry = environment_.can_mail(peer_);
  f.frames = true;
  const auto before = choice_.now_on();
  const auto d = choice_.decide(f, now);
  if (d.use != before)
    environment_.tracer(now, trace::state_change{trace::layer::mesh, "tier", to_string(before), to_string(d.use), why(f, d)});
  if (d.probe) probe_due_ = true;
  if (d.go_again) {
    outbox_.go_again(now);
    greeting_due_ = true;
  }
  if (d.go_again || d.probe || d.use != before)
    for (auto* e : {&turn_due_, &small_due_, &bulk_due_, &letters_due_}) e->set();
  return d.look_again;
}

tl::expected<void, refusal> conversation::accept(submission s) {
  auto taken = outbox_.accept(std::move(s), environment_.host.now(), environment_.host.wall_now());
  if (!taken) return taken;
  if (!link_open_) environment_.want_link(peer_);
  wake();
  return taken;
}

async::task<tl::expected<void, refusal>> conversation::submit(submission s) {
  const auto full = [this] { return link_open_ && outbox_.octets() > enough_under_way; };
  if (full() && !stuck_) {
    const auto wait = [](conversation& self, decltype(full) still) -> async::task<> {
      while (still()) co_await self.room_.wait();
    };
    stuck_ = !co_await async::with_timeout(patience_for_room, wait(*this, full));
  }
  if (full()) co_return tl::unexpected(refusal::full);
  co_return accept(std::move(s));
}

bool conversation::cancel(const message_id& id) {
  const bool known = outbox_.cancel(id);
  if (known) wake();
  return known;
}

void conversation::look_again() { time_due_.set(); }

void conversation::mail_arrived(std::span<const base::bytes> frames) {
  for (const auto& f : frames) take(f, true);
}

void conversation::take(base::byte_view octets, bool by_mail) {
  const auto now = environment_.host.now();
  const auto f = decode(octets);
  if (!f) {
    ++bad_frames_;
    environment_.tracer(now, trace::drop{trace::layer::mesh, "no frame of ours", {}, octets.size()});
    return;
  }
  // The sender hears of what it sent where it was heard last.
  if (!std::holds_alternative<ack_frame>(*f)) answer_by_mail_ = by_mail;
  else if (!by_mail) heard_on_link_ = now;
  if (const auto* data = std::get_if<data_frame>(&*f)) {
    if (by_mail) letter_ = now;
    (void)inbox_.on_data(*data, now);
  }
  if (const auto* ack = std::get_if<ack_frame>(&*f)) outbox_.on_ack(*ack, now);
  if (const auto* cancelled = std::get_if<cancel_frame>(&*f)) (void)inbox_.on_cancel(*cancelled);
  if (const auto* hello = std::get_if<hello_frame>(&*f)) {
    inbox_.on_hello(*hello);
    outbox_.on_hello(*hello, now);
  }
  wake();
}

// The two channels of a link, from their opening to their end.
async::task<> conversation::carry(channel_pointer small, channel_pointer bulk) {
  link_open_ = true;
  ++connections_;
  opened_ = heard_on_link_ = environment_.host.now();
  struct at_end {
    conversation& self;
    ~at_end() {
      self.link_open_ = false;
      self.look_again();
    }
  } const guard{*this};
  look_again();
  if (!co_await send(*small, greeting())) co_return;
  co_await async::first_of(send_small(*small, *bulk), send_bulk(*small, *bulk), receive(*small), receive(*bulk));
}

async::task<bool> conversation::send(datachannel::channel& c, base::bytes frame) {
  co_return (co_await c.send({std::move(frame), false})).has_value();
}

async::task<> conversation::receive(datachannel::channel& c) {
  while (auto m = co_await c.receive()) take(m->data, false);
}

base::bytes conversation::greeting() const { return encode(outbox_.hello(inbox_.incarnation(), inbox_.window())); }

// Acks, greetings and small messages.
async::task<> conversation::send_small(datachannel::channel& small, datachannel::channel& bulk) {
  const path_terms terms{channel_piece, resend_on_channel, false};
  for (;;) {
    if (inbox_.ack_due() && !answer_by_mail_)
      for (auto& a : inbox_.acks(ack_octets))
        if (!co_await send(small, std::move(a))) co_return;
    const bool in_use = over_link(choice_.now_on());
    const bool asks = in_use && outbox_.take_question();
    if (asks || std::exchange(probe_due_, false))
      if (!co_await send(small, greeting())) co_return;
    auto f = in_use ? outbox_.next(environment_.host.now(), terms) : std::nullopt;
    if (!f) {
      co_await until(small_due_);
      continue;
    }
    time_due_.set();  // there is something to wait for now
    if (!co_await send(f->large ? bulk : small, std::move(f->octets))) co_return;
  }
}

// Pieces of large messages, as fast as their channel takes them.
async::task<> conversation::send_bulk(datachannel::channel& small, datachannel::channel& bulk) {
  const path_terms terms{channel_piece, resend_on_channel, true};
  for (;;) {
    auto f = over_link(choice_.now_on()) ? outbox_.next(environment_.host.now(), terms) : std::nullopt;
    if (!f) {
      co_await until(bulk_due_);
      continue;
    }
    time_due_.set();
    if (!co_await send(f->large ? bulk : small, std::move(f->octets))) co_return;
  }
}

std::vector<base::bytes> conversation::next_letter() {
  std::vector<base::bytes> frames;
  std::size_t octets = 0;
  const auto add = [&](base::bytes f) {
    octets += f.size();
    frames.push_back(std::move(f));
  };
  if (inbox_.ack_due() && (answer_by_mail_ || !link_open_))
    for (auto& a : inbox_.acks(letter_piece)) add(std::move(a));
  if (choice_.now_on() != tier::tasks) return frames;
  const path_terms terms{letter_piece, resend_by_letter, true};
  while (octets < letter_octets) {
    auto f = outbox_.next(environment_.host.now(), terms);
    if (!f) break;
    add(std::move(f->octets));
  }
  const bool asks = outbox_.take_question();
  if (asks || (!frames.empty() && std::exchange(greeting_due_, false))) frames.insert(frames.begin(), greeting());
  return frames;
}

async::task<> conversation::write_letters() {
  base::backoff pauses(least_pause, most_pause);
  for (;;) {
    auto frames = environment_.can_mail(peer_) ? next_letter() : std::vector<base::bytes>();
    if (frames.empty()) {
      co_await until(letters_due_);
      continue;
    }
    time_due_.set();
    if (co_await environment_.mail(peer_, std::move(frames))) {
      ++letters_sent_;
      pauses.reset();
      continue;
    }
    ++letters_refused_;
    co_await async::sleep_for(pauses.next(environment_.host.random_u64()));
    outbox_.go_again(environment_.host.now());
  }
}

base::json conversation::status() const {
  const auto& o = outbox_.counters();
  const auto& i = inbox_.counters();
  return base::json::make({{"tier", to_string(choice_.now_on())},
                           {"waiting", outbox_.waiting()},
                           {"waiting_bytes", outbox_.octets()},
                           {"accepted", o.accepted},
                           {"delivered", o.delivered},
                           {"refused", o.refused},
                           {"expired", o.expired},
                           {"unknown", o.unknown},
                           {"frames_sent", o.frames},
                           {"sent_again", o.sent_again},
                           {"received", i.delivered},
                           {"duplicates", i.duplicates},
                           {"letters_sent", letters_sent_},
                           {"letters_refused", letters_refused_},
                           {"bad_frames", bad_frames_}});
}

}  // namespace strata::mesh
