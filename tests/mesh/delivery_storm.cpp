#include "delivery_storm.hpp"

#include <algorithm>

namespace delivery {

using namespace std::chrono_literals;

storm::storm(std::uint64_t seed, weather w) : random_(seed), weather_(w) {
  alice_limits_ = {200'000, 4, 2000, 3, 8};
  bob_limits_.window = 40'000;
  bob_limits_.guaranteed = 8000;
  bob_limits_.streams = 4;
  bob_limits_.gaps = 4;
  bob_limits_.fates = 3;
  bob_limits_.marked = 4;
  bob_limits_.idle = 20s;
  start_alice();
  start_bob();
  new_path();
}

void storm::fail(const std::string& what, const fact* f) {
  if (!wrong_.empty()) return;
  wrong_ = what;
  if (f != nullptr)
    wrong_ += " (message " + std::to_string(f->number) + " of stream " + std::to_string(f->stream) +
              (f->durable ? ", durable" : "") + ")";
}

mesh::message_id storm::id_of(std::uint64_t number) {
  mesh::message_id id;
  for (std::size_t i = 0; i < 8; ++i) id.octets[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

base::bytes storm::octets_of(std::uint64_t number, std::size_t size) {
  base::bytes octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(number * 131 + i * 7 + (i >> 8));
  return octets;
}

void storm::start_alice() {
  ++alice_life_;
  alice_clock_ = std::chrono::seconds(below(100'000));  // a monotonic clock begins anywhere
  alice_ = std::make_unique<mesh::outbox>("bob", random_(), alice_limits_);
  if (!alice_->load(alice_store_.records(mesh::outbox_table), alice_now(), base::wall_time(now_)))
    fail("Alice's records are damaged");
}

void storm::start_bob() {
  ++bob_life_;
  bob_clock_ = std::chrono::seconds(below(100'000));
  bob_ = std::make_unique<mesh::inbox>("alice", random_(), room_, bob_limits_);
  if (!bob_->load(bob_store_.records(mesh::inbox_table))) fail("Bob's records are damaged");
}

void storm::kill_alice() {
  ++totals_.kills;
  if (alice_commit_ && chance(50)) alice_store_.commit(*alice_commit_);
  alice_commit_.reset();
  start_alice();
  for (auto& [id, f] : facts_)
    if (!f.told && !alice_->has(id)) {
      if (f.safe && !f.cancelled) fail("a message that was called safe is gone", &f);
      f.lost = true;  // if it was cancelled: as its program wished
    }
  new_path();
}

void storm::kill_bob() {
  ++totals_.kills;
  if (bob_commit_ && chance(50)) bob_store_.commit(*bob_commit_);
  bob_commit_.reset();
  // What was on its way to the program may have been read or not, up to any point.
  for (; !hands_.empty() && chance(50); hands_.pop_front()) had(hands_.front());
  hands_.clear();
  last_any_.clear();
  bob_.reset();
  if (weather_.bob_loses_store) {
    ++store_losses_;
    bob_store_ = {};
    std::erase_if(air_, [](const flying& f) { return f.to_bob; });
  }
  start_bob();
  new_path();
}

void storm::new_path() {
  constexpr std::size_t sizes[] = {512, 700, 1100, 4000, 16'384};
  terms_.piece_octets = sizes[below(std::size(sizes))];
  terms_.resend_after = std::chrono::milliseconds(200 + below(3000));
  if (chance(50)) air_.clear();
  throw_on(true, mesh::encode(alice_->hello(1, 1)));
  throw_on(false, mesh::encode(mesh::hello_frame{1, bob_->incarnation(), bob_->window()}));
  alice_->go_again(alice_now());
}

void storm::throw_on(bool to_bob, base::bytes frame) {
  if (!calm_ && chance(weather_.loss_percent)) return;
  if (!calm_ && chance(weather_.repeat_percent)) air_.push_back({to_bob, frame});
  air_.push_back({to_bob, std::move(frame)});
}

void storm::submit() {
  fact f;
  f.number = next_number_++;
  f.stream = static_cast<std::uint32_t>(below(4));
  f.durable = chance(70);
  f.bob_life = bob_life_;
  constexpr std::size_t sizes[] = {0, 1, 100, 1000, 2000, 2001, 5000, 19'000};
  f.octets = sizes[below(std::size(sizes))];
  mesh::submission m;
  m.id = id_of(f.number);
  m.stream = f.stream;
  m.how = static_cast<mesh::urgency>(below(3));
  m.durable = f.durable;
  if (chance(20)) {
    f.has_deadline = true;
    m.time_left = std::chrono::milliseconds(1 + below(20'000));
  }
  m.octets = octets_of(f.number, f.octets);
  if (!alice_->accept(std::move(m), alice_now(), base::wall_time(now_))) return;
  ++totals_.accepted;
  facts_.emplace(id_of(f.number), f);
}

void storm::cancel() {
  if (facts_.empty()) return;
  auto at = std::next(facts_.begin(), static_cast<std::ptrdiff_t>(below(facts_.size())));
  const auto id = at->first;
  if (alice_->cancel(id)) at->second.cancelled = true;
  listen();
}

void storm::commit_alice(bool late) {
  if (!alice_commit_) {
    auto keep = alice_->unsaved();
    if (keep.empty()) return;
    alice_commit_ = std::move(keep);
    if (late) return;
  }
  if (!calm_ && chance(10)) {
    alice_->not_saved();
  } else {
    alice_store_.commit(*alice_commit_);
    for (const auto& id : alice_->saved()) facts_.at(id).safe = true;
    listen();
  }
  alice_commit_.reset();
}

void storm::commit_bob(bool late) {
  if (!bob_commit_) {
    const bool all = calm_ || chance(70);
    auto keep = bob_->unsaved(bob_now(), [all](std::uint32_t stream) { return all || stream != 1; });
    if (keep.empty()) return;
    bob_commit_ = std::move(keep);
    if (late) return;
  }
  if (!calm_ && chance(10)) {
    bob_->not_saved();
  } else {
    bob_store_.commit(*bob_commit_);
    bob_->saved();
  }
  bob_commit_.reset();
}

void storm::send(int most) {
  terms_.large = calm_ || chance(80);
  for (; most > 0; --most) {
    auto f = alice_->next(alice_now(), terms_);
    if (!f) return;
    if (f->octets.size() > std::max<std::size_t>(terms_.piece_octets, mesh::smallest_piece) + mesh::data_header)
      fail("a piece is too large");
    throw_on(true, std::move(f->octets));
  }
}

void storm::answer() {
  for (auto& octets : bob_->acks(chance(50) ? 100 : 1200)) throw_on(false, std::move(octets));
}

void storm::take() {
  const bool all = calm_ || chance(70);
  for (auto& d : bob_->take(bob_now(), [all](std::uint32_t stream) { return all || stream != 1; }))
    hands_.push_back(std::move(d));
}

void storm::program() {
  if (hands_.empty()) return;
  if (!calm_ && chance(5)) {
    // It goes away before it has read the rest.
    for (; !hands_.empty(); hands_.pop_back())
      if (!bob_->put_back(std::move(hands_.back()))) fail("what was taken cannot be put back");
    return;
  }
  const auto d = std::move(hands_.front());
  hands_.pop_front();
  had(d);
  auto& f = facts_.at(d.id);
  f.refused = chance(10);
  if (!bob_->finish(d, f.refused ? mesh::fate::refused : mesh::fate::delivered, f.refused ? "no" : ""))
    fail("what was taken cannot be finished", &f);
}

void storm::had(const mesh::delivery& d) {
  const auto known = facts_.find(d.id);
  if (known == facts_.end()) return fail("a message from nowhere");
  auto& f = known->second;
  if (d.octets != octets_of(f.number, f.octets) || d.stream != f.stream || d.durable != f.durable)
    fail("a message is not what was sent", &f);
  ++f.had;
  if (f.durable && f.had > 1 + store_losses_) fail("a durable message came twice", &f);
  if (f.had > bob_life_) fail("a message came more often than Bob lived", &f);
  const bool remembered = (f.durable && store_losses_ == 0) || f.bob_life == bob_life_;
  if (remembered && f.told && !f.told->may_have_arrived) fail("a message came after its outcome was told", &f);
  if (f.durable && store_losses_ == 0) {
    if (f.number <= last_durable_[f.stream]) fail("durable messages came in the wrong order", &f);
    last_durable_[f.stream] = f.number;
  }
  if (f.number <= last_any_[f.stream]) fail("messages came in the wrong order", &f);
  last_any_[f.stream] = f.number;
}

void storm::listen() {
  for (const auto& o : alice_->take_outcomes()) told(o);
}

void storm::told(const mesh::outcome& o) {
  const auto known = facts_.find(o.id);
  if (known == facts_.end()) return fail("an outcome of no message");
  auto& f = known->second;
  const bool may = o.what == mesh::fate::expired && o.may_have_arrived;
  switch (o.what) {
    case mesh::fate::delivered:
      if (f.had == 0 || (f.had == 1 && f.refused)) fail("called delivered, but it was not", &f);
      break;
    case mesh::fate::refused:
      if (!f.refused || o.why != "no") fail("called refused, but it was not", &f);
      break;
    case mesh::fate::expired:
      if (!o.may_have_arrived && f.had != 0) fail("called expired, but it arrived", &f);
      if (!f.has_deadline && !f.cancelled) fail("expired without a deadline", &f);
      break;
    case mesh::fate::unknown:
      if (!o.may_have_arrived) fail("unknown may have arrived", &f);
      if (f.bob_life == bob_life_) fail("unknown although Bob was not killed", &f);
      break;
  }
  if (f.told) {
    if (f.alice_told == alice_life_) fail("an outcome was told twice", &f);
    if (!(o == *f.told) && !may && !f.told->may_have_arrived) fail("two outcomes contradict each other", &f);
  } else {
    ++totals_.told;
    if (o.what == mesh::fate::delivered) ++totals_.delivered;
    if (o.what == mesh::fate::unknown) ++totals_.unknown;
  }
  f.alice_told = alice_life_;
  if (!f.told || f.told->may_have_arrived) f.told = o;
}

void storm::arrive() {
  if (air_.empty()) return;
  // Mostly near the front, sometimes from anywhere.
  const auto at = chance(70) ? below(std::min<std::size_t>(air_.size(), 4)) : below(air_.size());
  const auto f = std::move(air_[at]);
  air_.erase(air_.begin() + static_cast<std::ptrdiff_t>(at));
  deliver(f);
}

void storm::deliver(const flying& f) {
  const auto read = mesh::decode(f.frame);
  if (!read) return fail("a frame does not decode: " + read.error().message());
  if (const auto* d = std::get_if<mesh::data_frame>(&*read)) {
    const auto t = bob_->on_data(*d, bob_now());
    if (t == mesh::taken::contradiction || t == mesh::taken::old_epoch || t == mesh::taken::too_many_streams)
      fail("a frame of an honest sender was called: " + std::string(to_string(t)));
  } else if (const auto* c = std::get_if<mesh::cancel_frame>(&*read)) {
    bob_->on_cancel(*c);
  } else if (const auto* a = std::get_if<mesh::ack_frame>(&*read)) {
    alice_->on_ack(*a, alice_now());
    listen();
  } else if (const auto* h = std::get_if<mesh::hello_frame>(&*read)) {
    if (f.to_bob) bob_->on_hello(*h);
    else alice_->on_hello(*h, alice_now());
  }
}

void storm::tick() {
  alice_->tick(alice_now());
  listen();
  bob_->tick(bob_now());
  if (alice_->take_question()) throw_on(true, mesh::encode(alice_->hello(1, 1)));
}

void storm::bounds() {
  if (alice_->octets() > alice_limits_.octets) fail("the outbox holds too much");
  if (bob_->held() > bob_limits_.window + bob_limits_.window / 8) fail("the inbox holds too much");
  if (room_.used() > 60'000) fail("the shared room is too small");
}

void storm::rage(int steps) {
  for (; steps > 0 && wrong_.empty(); --steps) {
    switch (below(16)) {
      case 0:
      case 1: submit(); break;
      case 2:
        if (chance(30)) cancel();
        break;
      case 3: commit_alice(chance(50)); break;
      case 4: commit_bob(chance(50)); break;
      case 5:
      case 6: send(static_cast<int>(1 + below(8))); break;
      case 7: answer(); break;
      case 8: take(); break;
      case 9: program(); break;
      case 10:
      case 11:
      case 12:
        for (auto n = below(6); n > 0; --n) arrive();
        break;
      case 13:
        now_ += std::chrono::milliseconds(below(400));
        tick();
        break;
      case 14:
        if (others_room_ == 0 && chance(20)) {
          const auto most = 60'000 - room_.used();
          if (most != 0 && room_.take(most)) others_room_ = most;
        } else if (chance(30)) {
          room_.give_back(std::exchange(others_room_, 0));
        }
        break;
      default:
        if (weather_.alice_killed && chance(10)) kill_alice();
        else if (weather_.bob_killed && chance(10)) kill_bob();
        else if (chance(20)) new_path();
        break;
    }
    bounds();
  }
}

void storm::calm() {
  calm_ = true;
  room_.give_back(std::exchange(others_room_, 0));
  new_path();
  for (int turns = 0; wrong_.empty(); ++turns) {
    if (turns == 3000) return fail("it does not come to an end");
    bool moved = false;
    for (int quiet = 0; quiet < 2;) {
      const auto before = std::tuple(air_.size(), alice_->octets(), bob_->held(), alice_->counters().frames, hands_.size());
      commit_alice(false);
      send(1000);
      while (!air_.empty()) arrive();
      commit_bob(false);
      take();
      while (!hands_.empty()) program();
      commit_bob(false);
      answer();
      while (!air_.empty()) arrive();
      const bool same =
          before == std::tuple(air_.size(), alice_->octets(), bob_->held(), alice_->counters().frames, hands_.size());
      quiet = same ? quiet + 1 : 0;
      moved = moved || !same;
    }
    bounds();
    const auto wake =
        std::min(alice_->next_wakeup() == base::never ? base::duration::max() : alice_->next_wakeup() - alice_now(),
                 bob_->next_wakeup() == base::never ? base::duration::max() : bob_->next_wakeup() - bob_now());
    if (alice_->empty() && bob_->held() == 0) break;
    if (wake == base::duration::max()) return fail("something is left, and nobody wants to be woken");
    now_ += std::max(wake, base::duration(1));
    tick();
  }
  commit_alice(false);
  for (const auto& [id, f] : facts_)
    if (!f.told && !f.lost) fail("nobody was told what became of it", &f);
  if (room_.used() != 0) fail("shared room was not given back");
  for (const auto& r : alice_store_.records(mesh::outbox_table))
    if (r.name.find(" m ") != std::string::npos) fail("a settled message stays in the store: " + r.name);
}

}  // namespace delivery
