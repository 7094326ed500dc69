// What a daemon says of itself: one line an event on stderr, for a person or as JSON.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trace/sink.hpp"

namespace strata::apps {

// What is written: the level and those above it. Every event has one: error: the daemon cannot do its work; warning: input
// that was dropped, trouble it lives with; info: what changes state; debug: the phases of setting links up. Packets are
// written into a capture file only.
enum class log_level : unsigned char { quiet, error, warning, info, debug };
// error, warn or warning, info, debug, trace (as debug), off or quiet. Of a list of upstream's kind ("strata=debug,info") the
// word that stands alone counts.
std::optional<log_level> log_level_from(std::string_view text);
std::string_view to_string(log_level l) noexcept;

enum class log_format : unsigned char { text, json };

// One for the process: it has one stderr.
struct log_settings {
  std::string program;  // "registryd"
  log_level level = log_level::info;
  log_format format = log_format::text;
};
log_settings& logging() noexcept;

// A line of the daemon's own; nothing is left of control characters in it.
void say(log_level l, std::string_view text);

// One line without its end: "2026-11-23T18:00:00.123Z info    bob: ice agent: …" or {"time": …, "level": …, …}.
std::string log_line(const log_settings& how, base::wall_time at, log_level l, std::string_view layer,
                     std::string_view connection, std::string_view text);

// Events as lines. Drops are what anybody on the network can cause: of those a few are written in a second, and the others
// counted, so that nobody fills a disk.
class log_sink final : public trace::sink {
 public:
  explicit log_sink(std::unique_ptr<trace::sink> also = nullptr) : also_(std::move(also)) {}
  void on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) override;

 private:
  [[nodiscard]] bool admits_drop(base::instant at);

  std::unique_ptr<trace::sink> also_;
  base::instant second_{};  // when the present second of drops began
  unsigned drops_ = 0;      // in it
};

}  // namespace strata::apps
