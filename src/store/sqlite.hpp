// The store of a daemon: SQLite with a write-ahead log that is flushed before a commit returns.
//
//   auto store = store::open_sqlite(host, "/var/lib/registryd/state.db", {.tables = {"keys", "tasks"}});
//   if (!store) complain(path + ": " + store.error().message());
//
// The file and what stands beside it (-wal, -shm, .lock) belong to one process at a time and are the owner's alone (0600); a
// folder that is missing is made with 0700. Writing is done on the host's thread for what blocks. All commits that wait when
// the disk is free are written as one transaction, so that under load one flush serves many; should it fail, each is tried
// alone, and one that is too large for the disk costs the others nothing.
//
// A commit begins when commit() is called, not when it is awaited, and is never taken back: memory has already changed, and
// what follows builds on it. Who is cancelled meanwhile does not learn the outcome. The engine must outlive those who await it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "net/host.hpp"
#include "store/error.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"

namespace strata::store {

struct sqlite_options {
  // A look into a store beside the daemon that owns it, as an audit takes: load() only.
  bool read_only = false;
  // Of 4096 octets each; what does not fit is errc::disk_full. 0: as many as the disk has.
  std::size_t most_pages = 0;
  // Of commits that wait for the disk; beyond them base::errc::would_block.
  std::size_t waiting_bytes = 64u << 20;
};

// ":memory:" is a store that ends with the engine, for tests and the simulator. Blocks: for the start.
[[nodiscard]] base::result<std::unique_ptr<engine>> open_sqlite(net::host& h, const std::string& path, schema s,
                                                                sqlite_options o = {});

}  // namespace strata::store
