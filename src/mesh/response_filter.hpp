// One answer for one request. The upstream client dies when a response arrives twice, and takes a response from
// anybody who knows the request id; so meshd remembers what was asked of whom, and lets each answer pass once.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace strata::mesh {

class response_filter {
 public:
  explicit response_filter(std::size_t most = 65'536) : most_(most) {}

  void asked(std::string_view peer, std::string_view request_id);
  // True when this response may be handed to the program: it was asked of that peer and has not been answered.
  bool admit(std::string_view peer, std::string_view request_id);
  [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }

 private:
  using key = std::pair<std::string, std::string>;
  std::size_t most_;
  std::map<key, bool> open_;
  std::deque<key> order_;  // the oldest are forgotten first
};

}  // namespace strata::mesh
