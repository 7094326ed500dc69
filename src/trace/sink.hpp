// Where events go. A tracer is the cheap value that layers hold: the sink, and whose events these are.
#pragma once

#include <string>

#include "base/time.hpp"
#include "trace/event.hpp"

namespace strata::trace {

// A connection's identity in the trace: "bob", "bob#2". Empty for events that belong to no connection.
using subject_id = std::string;

class sink {
 public:
  virtual ~sink() = default;
  virtual void on_event(base::instant at, const subject_id& connection, const event& e) = 0;
};

// Copyable; a default-constructed tracer swallows everything at the cost of one branch.
class tracer {
 public:
  tracer() = default;
  tracer(sink& s, subject_id connection) : sink_(&s), connection_(std::move(connection)) {}

  [[nodiscard]] bool enabled() const noexcept { return sink_ != nullptr; }
  [[nodiscard]] const subject_id& connection() const noexcept { return connection_; }
  void operator()(base::instant at, const event& e) const {
    if (sink_ != nullptr) sink_->on_event(at, connection_, e);
  }

 private:
  sink* sink_ = nullptr;
  subject_id connection_;
};

}  // namespace strata::trace
