#include "mesh/response_filter.hpp"

namespace strata::mesh {

void response_filter::asked(std::string_view peer, std::string_view request_id) {
  if (request_id.empty()) return;
  key k(peer, request_id);
  if (!open_.emplace(k, true).second) return;
  order_.push_back(std::move(k));
  while (order_.size() > most_) {
    open_.erase(order_.front());
    order_.pop_front();
  }
}

bool response_filter::admit(std::string_view peer, std::string_view request_id) {
  return open_.erase(key(peer, request_id)) != 0;
}

}  // namespace strata::mesh
