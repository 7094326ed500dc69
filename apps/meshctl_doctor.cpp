#include "meshctl_doctor.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "mesh/ipc_client.hpp"
#include "meshctl_messages.hpp"

namespace strata::apps {
namespace {

constexpr auto answer_limit = std::chrono::seconds(15);

struct finding {
  std::string point, found, advice;  // no advice: it is well
};

finding look_at_socket(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0)
    return {"local socket", path + " is not there", "start meshd, or name its socket with --ipc or IPC_SOCKET"};
  if (!S_ISSOCK(about.st_mode)) return {"local socket", path + " is not a socket", "another program's file is in the way"};
  const auto mode = fmt::format("{:o}", about.st_mode & 0777);
  if ((about.st_mode & 0077) != 0)
    return {"local socket", path + " has the mode " + mode, "others than its owner may use it: chmod 600"};
  if (about.st_uid != ::geteuid() && ::geteuid() != 0)
    return {"local socket", path + " belongs to another user", "programs have to run as the user of the meshd"};
  return {"local socket", path + ", mode " + mode, {}};
}

finding look_at_addresses(net::host& h) {
  std::size_t v4 = 0, v6 = 0;
  for (const auto& i : h.interfaces())
    if (i.up && !i.address.is_loopback() && !i.address.is_link_local()) ++(i.address.is_v6() ? v6 : v4);
  if (v4 + v6 == 0) return {"addresses", "none but loopback", "this machine has no network"};
  return {"addresses", fmt::format("{} of IPv4, {} of IPv6", v4, v6), {}};
}

finding look_at_registry(const base::json& node) {
  const auto session = node.text("signaling"), error = node.text("signaling_error");
  if (session == "registered") return {"registry", fmt::format("registered as {}", node.text("peer_id")), {}};
  auto found = fmt::format("{}{}{}", session, error.empty() ? "" : ": ", error);
  if (error.find("401") != error.npos)
    return {"registry", std::move(found),
            "the key or device token is not known there (any more): ask its admin, or join with meshd --pair CODE"};
  return {"registry", std::move(found),
          "look at --signaling-url and --token-url, at the name server, and whether the registry runs"};
}

finding look_at_links(const std::vector<base::json>& links) {
  std::string troubled;
  std::size_t open = 0;
  for (const auto& l : links) {
    if (l.text("state") == "open") ++open;
    else
      troubled += fmt::format("{}{}", troubled.empty() ? "" : ", ", l.text("alias").empty() ? l.text("peer") : l.text("alias"));
  }
  auto found = fmt::format("{} of {} open", open, links.size());
  if (!troubled.empty()) return {"links", found + "; not open: " + troubled, "meshctl explain PEER says why"};
  return {"links", std::move(found), {}};
}

finding look_at_losses(const base::json& node) {
  const auto count = [&](std::string_view name) {
    const auto* v = node.find(name);
    return v != nullptr ? v->as_int().value_or(0) : 0;
  };
  if (count("not_stored") != 0)
    return {"store", fmt::format("{} commits failed", count("not_stored")),
            "look at the disk of --state-dir: full, or read-only"};
  if (count("ipc_overflowed") != 0)
    return {"programs", fmt::format("{} messages found no room", count("ipc_overflowed")),
            "no program was attached for long, or it does not read"};
  return {"programs", fmt::format("{} attached", count("programs")), {}};
}

}  // namespace

async::task<int> examine(net::host& h, std::string ipc_path, bool as_json) {
  std::vector<finding> findings{look_at_socket(ipc_path), look_at_addresses(h)};
  auto client = co_await mesh::ipc_client::attach(h, ipc_path);
  const bool there = client.has_value();
  if (!there) {
    findings.push_back({"meshd", client.error().message(), "nobody listens at the socket: start meshd, and read its log"});
  } else if (co_await (*client)->command("status", base::json::object())) {
    std::vector<base::json> links;
    for (;;) {
      auto e = co_await async::with_timeout(answer_limit, (*client)->next());
      if (!e) {
        findings.push_back({"meshd", e.error().message(), "it does not answer: look at its log and what it is busy with"});
        break;
      }
      if (e->type == "link") links.push_back(std::move(e->payload));
      if (e->type != "status") continue;
      findings.push_back(look_at_registry(e->payload));
      findings.push_back(look_at_links(links));
      findings.push_back(look_at_losses(e->payload));
      break;
    }
  }
  base::json::array all;
  for (const auto& f : findings) {
    if (as_json)
      all.push_back(
          base::json::make({{"point", f.point}, {"found", f.found}, {"well", f.advice.empty()}, {"advice", f.advice}}));
    else
      fmt::print("{} {:14} {}{}{}\n", f.advice.empty() ? "ok  " : "LOOK", f.point, f.found,
                 f.advice.empty() ? "" : "\n                    ", f.advice);
  }
  if (as_json) fmt::print("{}\n", base::json(std::move(all)).dump());
  else fmt::print("the NAT and the servers of this machine: meshctl nat\n");
  const bool well = std::ranges::all_of(findings, [](const finding& f) { return f.advice.empty(); });
  co_return well ? meshctl_exit::done : there ? meshctl_exit::failed : meshctl_exit::no_meshd;
}

}  // namespace strata::apps
