#include "store/sqlite.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "store/state_file.hpp"

namespace strata::store {
namespace {

constexpr int application = 0x53747261;                   // "Stra", in the header of the file
constexpr int patience = 5000;                            // milliseconds for somebody who reads beside us (a copy, an audit)
constexpr std::size_t largest = 256u << 20;               // octets of a value; SQLite's own limit is near 1 GB
constexpr std::size_t transaction_bytes = 8u << 20;       // what one transaction takes along
constexpr const char* log_after_checkpoint = "67108864";  // octets that the log may keep when it is begun anew

base::error to_error(const SQLite::Exception& e, int system_errno) {
  switch (e.getErrorCode() & 0xff) {
    case SQLITE_FULL: return errc::disk_full;
    case SQLITE_READONLY:
    case SQLITE_PERM: return errc::read_only;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return errc::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return errc::locked;
    case SQLITE_TOOBIG: return errc::too_large;
    default: break;
  }
  // What SQLite does beside the file itself (growing the index of the log, making it) fails with less telling codes.
  switch (system_errno) {
    case ENOSPC:
    case EDQUOT: return errc::disk_full;
    case EROFS:
    case EACCES:
    case EPERM: return errc::read_only;
    default: return errc::io;
  }
}

// After these nobody knows what is on the disk: a flush that failed once reports success the next time, without having
// written anything.
bool is_final(const SQLite::Exception& e) {
  const int extended = e.getExtendedErrorCode();
  return extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC || (extended & 0xff) == SQLITE_CORRUPT;
}

struct statements {
  explicit statements(SQLite::Database& db, const std::string& table)
      : put(db,
            "INSERT INTO \"" + table + "\"(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value"),
        remove(db, "DELETE FROM \"" + table + "\" WHERE name = ?") {}
  SQLite::Statement put, remove;
};

// The file as SQLite sees it. One thread at a time; whoever calls sees to that.
class database {
 public:
  database(const std::string& path, const sqlite_options& o)
      : db_(path, o.read_only ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, patience) {}

  base::result<void> prepare(const schema& s, const sqlite_options& o, bool in_memory) {
    return guarded([&]() -> base::result<void> {
      db_.exec("PRAGMA trusted_schema = OFF");
      const int version = number("PRAGMA user_version");
      const bool fresh = number("SELECT count(*) FROM sqlite_schema") == 0 && version == 0;
      if (!fresh) {
        if (number("PRAGMA application_id") != application) return base::fail(errc::foreign);
        if (db_.execAndGet("PRAGMA quick_check(1)").getString() != "ok") return base::fail(errc::corrupt);
        if (version > s.version()) return base::fail(errc::newer);
      }
      if (o.read_only) return version == s.version() ? base::result<void>() : base::fail(errc::older);
      if (!in_memory && db_.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal")
        return base::fail(base::errc::unsupported, base::error::nowhere, "a file system that shares memory between processes");
      db_.exec("PRAGMA synchronous = FULL");
      db_.exec(std::string("PRAGMA journal_size_limit = ") + log_after_checkpoint);
      if (o.most_pages != 0) db_.exec("PRAGMA max_page_count = " + std::to_string(o.most_pages));
      if (auto done = bring_up_to_date(s, fresh ? s.version() : version); !done) return done;
      for (const auto& t : s.tables) statements_.emplace(t, std::make_unique<statements>(db_, t));
      return {};
    });
  }

  base::result<std::vector<record>> read(std::string_view table) {
    return guarded([&]() -> base::result<std::vector<record>> {
      std::vector<record> all;
      SQLite::Statement every(db_, "SELECT name, value FROM \"" + std::string(table) + "\" ORDER BY name");
      while (every.executeStep()) all.push_back({every.getColumn(0).getString(), every.getColumn(1).getString()});
      return all;
    });
  }

  // All of them in one transaction.
  base::result<void> write(const std::vector<const changes*>& groups) {
    if (broken_) return base::fail(*broken_);
    return guarded([&]() -> base::result<void> {
      db_.exec("BEGIN IMMEDIATE");
      for (const auto* group : groups)
        for (const auto& c : *group) apply(c, *statements_.at(c.table));
      db_.exec("COMMIT");
      return {};
    });
  }

 private:
  template <class F>
  auto guarded(F f) -> decltype(f()) {
    try {
      auto done = f();
      if (!done) roll_back();
      return done;
    } catch (const SQLite::Exception& e) {
      const auto why = to_error(e, ::sqlite3_system_errno(db_.getHandle()));
      if (is_final(e)) broken_ = why;
      roll_back();
      return base::fail(why);
    }
  }
  void roll_back() noexcept {
    // Some failures have rolled back already.
    if (::sqlite3_get_autocommit(db_.getHandle()) == 0) db_.tryExec("ROLLBACK");
  }
  int number(const char* query) { return db_.execAndGet(query).getInt(); }

  static void apply(const change& c, statements& s) {
    auto& statement = c.value ? s.put : s.remove;
    statement.tryReset();
    statement.bindNoCopy(1, c.name);
    if (c.value) statement.bindNoCopy(2, *c.value);
    statement.exec();
    statement.tryReset();
  }

  void make_table(const std::string& name) {
    db_.exec("CREATE TABLE IF NOT EXISTS \"" + name + "\"(name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)");
  }

  // In one transaction: a program that is killed meanwhile finds the old store.
  base::result<void> bring_up_to_date(const schema& s, int version) {
    db_.exec("BEGIN IMMEDIATE");
    for (; version < s.version(); ++version)
      if (auto done = migrate(s.migrations[static_cast<std::size_t>(version) - 1]); !done) return done;
    for (const auto& t : s.tables) make_table(t);
    db_.exec("PRAGMA application_id = " + std::to_string(application));
    db_.exec("PRAGMA user_version = " + std::to_string(s.version()));
    db_.exec("COMMIT");
    return {};
  }

  base::result<void> migrate(const migration& m) {
    if (!m.step) return {};
    const auto todo = m.step([this](std::string_view table) -> base::result<std::vector<record>> {
      if (!is_table_name(table)) return base::fail(errc::no_table);
      if (!db_.tableExists(std::string(table))) return std::vector<record>();
      return read(table);
    });
    if (!todo) return base::fail(todo.error());
    for (const auto& c : *todo) {
      if (!is_table_name(c.table)) return base::fail(errc::no_table);
      make_table(c.table);
      statements once(db_, c.table);
      apply(c, once);
    }
    return {};
  }

  SQLite::Database db_;
  std::unordered_map<std::string, std::unique_ptr<statements>> statements_;
  std::optional<base::error> broken_;
};

// A commit on its way to the disk.
struct pending {
  changes what;
  std::size_t bytes = 0;
  std::atomic<bool> decided = false;  // set when the outcome is there
  base::result<void> outcome = {};
};

class sqlite_engine final : public engine {
 public:
  sqlite_engine(net::host& h, std::optional<state_file> claimed, const std::string& path, const schema& s,
                const sqlite_options& o)
      : host_(h), options_(o), tables_(s.tables), claimed_(std::move(claimed)), database_(path, o) {}

  ~sqlite_engine() override {
    // Commits that were begun and never awaited.
    while (write_some()) {
    }
  }

  base::result<void> prepare(const schema& s, bool in_memory) { return database_.prepare(s, options_, in_memory); }

  base::result<std::vector<record>> load(std::string_view table) override {
    if (!has(table)) return base::fail(errc::no_table);
    const std::lock_guard lock(database_in_use_);
    return database_.read(table);
  }

  // No coroutine: what it does is done by the call, and only the waiting by the await.
  async::task<base::result<void>> commit(changes c) override {
    auto mine = std::make_shared<pending>();
    mine->what = std::move(c);
    if (auto good = check(*mine); !good) {
      mine->decided = true;
      mine->outcome = std::move(good);
    } else {
      const std::lock_guard lock(queue_in_use_);
      if (queued_bytes_ != 0 && queued_bytes_ + mine->bytes > options_.waiting_bytes) {
        mine->decided = true;
        mine->outcome = base::fail(base::errc::would_block, base::error::nowhere, "fewer commits that wait for the disk");
      } else {
        queued_bytes_ += mine->bytes;
        queue_.push_back(mine);
      }
    }
    return decision(std::move(mine));
  }

 private:
  async::task<base::result<void>> decision(std::shared_ptr<pending> mine) {
    if (mine->decided) co_return mine->outcome;
    co_await host_.run_blocking([this, mine] {
      // Often an earlier call has taken this one along.
      while (!mine->decided && write_some()) {
      }
    });
    co_return mine->outcome;
  }

  [[nodiscard]] bool has(std::string_view table) const {
    return std::find(tables_.begin(), tables_.end(), table) != tables_.end();
  }

  base::result<void> check(pending& p) const {
    if (options_.read_only) return base::fail(errc::read_only);
    for (const auto& c : p.what) {
      if (!has(c.table)) return base::fail(errc::no_table);
      if (c.name.size() > largest || (c.value && c.value->size() > largest)) return base::fail(errc::too_large);
      p.bytes += sizeof c + c.name.size() + (c.value ? c.value->size() : 0);
    }
    return {};
  }

  // Writes what waits, up to the size of a transaction. False: nothing waits.
  bool write_some() {
    std::vector<std::shared_ptr<pending>> batch;
    std::size_t bytes = 0;
    {
      const std::lock_guard lock(queue_in_use_);
      while (!queue_.empty() && (batch.empty() || bytes + queue_.front()->bytes <= transaction_bytes)) {
        bytes += queue_.front()->bytes;
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      queued_bytes_ -= bytes;
    }
    if (batch.empty()) return false;
    const std::lock_guard lock(database_in_use_);
    std::vector<const changes*> groups;
    for (const auto& p : batch) groups.push_back(&p->what);
    if (const auto all = database_.write(groups); all || batch.size() == 1) {
      for (const auto& p : batch) p->outcome = all;
    } else {
      for (const auto& p : batch) p->outcome = database_.write({&p->what});
    }
    for (const auto& p : batch) p->decided = true;
    return true;
  }

  net::host& host_;
  const sqlite_options options_;
  const std::vector<std::string> tables_;
  const std::optional<state_file> claimed_;  // outlives the database
  std::mutex database_in_use_;
  database database_;
  std::mutex queue_in_use_;
  std::deque<std::shared_ptr<pending>> queue_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace

base::result<std::unique_ptr<engine>> open_sqlite(net::host& h, const std::string& path, schema s, sqlite_options o) {
  if (!std::all_of(s.tables.begin(), s.tables.end(), is_table_name))
    return base::fail(base::errc::invalid, base::error::nowhere, "table names of lower-case letters, digits and underscores");
  const bool in_memory = path == ":memory:";
  std::optional<state_file> claimed;
  if (!in_memory && !o.read_only) {
    auto file = state_file::claim(path);
    if (!file) return base::fail(file.error());
    claimed.emplace(std::move(*file));
  }
  try {
    auto made = std::make_unique<sqlite_engine>(h, std::move(claimed), path, s, o);
    if (auto good = made->prepare(s, in_memory); !good) return base::fail(good.error());
    return made;
  } catch (const SQLite::Exception& e) {
    return base::fail(to_error(e, errno));
  }
}

}  // namespace strata::store
