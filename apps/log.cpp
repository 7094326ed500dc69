#include "log.hpp"

#include <chrono>
#include <cstdio>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/json.hpp"

namespace strata::apps {
namespace {

// What a peer wrote may stand in a line: it must not begin another one, nor speak to the terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) out += fmt::format("\\x{:02x}", octet);
    else out += c;
  }
  return out;
}

std::string timestamp(base::wall_time at) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)),
                     milliseconds % 1000);
}

base::wall_time wall_now() { return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()); }

void write_line(log_level l, std::string_view layer, std::string_view connection, std::string_view text) {
  // What ends the daemon, or keeps it from its work, is written in any case.
  if (l != log_level::error && l > logging().level) return;
  const auto line = log_line(logging(), wall_now(), l, layer, connection, text) + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

struct about {
  log_level level = log_level::quiet;  // quiet: not for the log
  std::string_view layer;
};

about about_event(const trace::event& e) {
  if (const auto* change = std::get_if<trace::state_change>(&e)) return {log_level::info, to_string(change->where)};
  if (const auto* note = std::get_if<trace::note>(&e)) return {log_level::info, to_string(note->where)};
  if (const auto* drop = std::get_if<trace::drop>(&e)) return {log_level::warning, to_string(drop->where)};
  if (const auto* phase = std::get_if<trace::phase>(&e)) return {log_level::debug, to_string(phase->where)};
  return {};
}

}  // namespace

std::optional<log_level> log_level_from(std::string_view text) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (word == "off" || word == "quiet") return log_level::quiet;
    if (word == "error") return log_level::error;
    if (word == "warn" || word == "warning") return log_level::warning;
    if (word == "info") return log_level::info;
    if (word == "debug" || word == "trace") return log_level::debug;
    if (word.find('=') == std::string_view::npos) return std::nullopt;
    if (text.empty()) return log_level::info;  // parts were named, and nothing of the whole
  }
  return std::nullopt;
}

std::string_view to_string(log_level l) noexcept {
  switch (l) {
    case log_level::quiet: return "quiet";
    case log_level::error: return "error";
    case log_level::warning: return "warning";
    case log_level::info: return "info";
    case log_level::debug: return "debug";
  }
  return "";
}

log_settings& logging() noexcept {
  static log_settings all;
  return all;
}

std::string log_line(const log_settings& how, base::wall_time at, log_level l, std::string_view layer,
                     std::string_view connection, std::string_view text) {
  if (how.format == log_format::json) {
    base::json line;
    line.set("time", timestamp(at));
    line.set("level", to_string(l));
    line.set("program", how.program);
    if (!layer.empty()) line.set("layer", layer);
    if (!connection.empty()) line.set("connection", connection);
    line.set("message", printable(text));
    return line.dump();
  }
  const auto who = connection.empty() ? std::string_view(how.program) : connection;
  return fmt::format("{} {:7} {}: {}", timestamp(at), to_string(l), printable(who), printable(text));
}

void say(log_level l, std::string_view text) { write_line(l, "", "", text); }

bool log_sink::admits_drop(base::instant at) {
  constexpr unsigned in_a_second = 20;
  if (at - second_ >= std::chrono::seconds(1)) {
    if (drops_ > in_a_second) say(log_level::warning, fmt::format("{} more drops", drops_ - in_a_second));
    second_ = at;
    drops_ = 0;
  }
  return ++drops_ <= in_a_second;
}

void log_sink::on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) {
  if (also_) also_->on_event(at, connection, e);
  const auto [level, layer] = about_event(e);
  if (level == log_level::quiet || level > logging().level) return;
  if (std::holds_alternative<trace::drop>(e) && !admits_drop(at)) return;
  write_line(level, layer, connection, trace::describe(e));
}

}  // namespace strata::apps
