#include "portmap/igd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace strata::portmap::igd {
namespace {

constexpr std::array<std::string_view, 3> services{"urn:schemas-upnp-org:service:WANIPConnection:2",
                                                   "urn:schemas-upnp-org:service:WANIPConnection:1",
                                                   "urn:schemas-upnp-org:service:WANPPPConnection:1"};

// RFC 3986 §5.2, as far as descriptions go: an absolute URL, an absolute path, or a path beside the document.
std::optional<http::url> resolve(const http::url& document, std::string_view reference) {
  if (reference.empty()) return std::nullopt;
  if (reference.find("://") != std::string_view::npos) {
    const auto absolute = http::url::parse(reference);
    if (!absolute) return std::nullopt;
    return *absolute;
  }
  const auto folder = document.path.substr(0, document.path.rfind('/') + 1);
  const auto path = reference.front() == '/' ? std::string(reference) : folder + std::string(reference);
  const bool literal_v6 = document.host.find(':') != std::string::npos;
  const auto host = literal_v6 ? "[" + document.host + "]" : document.host;
  const auto whole = http::url::parse(document.scheme + "://" + host + ":" + std::to_string(document.port) + path);
  if (!whole) return std::nullopt;
  return *whole;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// UPnP IGD 2, WANIPConnection:2 §2.5 and Device Architecture §3.2.2.
errc meaning(int code) noexcept {
  switch (code) {
    case 401:
    case 602: return errc::unsupported;
    case 606: return errc::not_authorized;
    case 718:
    case 729: return errc::conflict;
    case 725: return errc::permanent_only;
    case 728: return errc::no_resources;
    default: return errc::refused;
  }
}

const xml::element* body_of(const xml::element& envelope) {
  return envelope.name == "Envelope" ? envelope.child("Body") : nullptr;
}

}  // namespace

base::result<service> find_service(std::string_view description, const http::url& location) {
  const auto root = xml::parse(description);
  if (!root) return base::fail(root.error());
  if (root->name != "root") return base::fail(errc::malformed, 0, "the description of a device");
  auto document = location;
  if (const auto base_url = root->text_of("URLBase"); !base_url.empty()) {
    const auto parsed = http::url::parse(base_url);
    if (!parsed) return base::fail(errc::malformed, base::error::nowhere, "URLBase");
    document = *parsed;
  }
  std::vector<const xml::element*> all;
  root->collect("service", all);
  for (const auto wanted : services)
    for (const auto* s : all) {
      if (s->text_of("serviceType") != wanted) continue;
      const auto control = resolve(document, s->text_of("controlURL"));
      if (!control || control->scheme != "http" || control->host != location.host)
        return base::fail(errc::malformed, base::error::nowhere, "a control URL on the host of the description");
      return service{std::string(wanted), *control, wanted == services[0]};
    }
  return base::fail(errc::unsupported, base::error::nowhere, "WANIPConnection");
}

call make_call(const service& s, std::string_view action, arguments a) {
  std::string inner;
  for (const auto& [name, value] : a)
    inner += "<" + std::string(name) + ">" + xml::escape(value) + "</" + std::string(name) + ">";
  call c;
  c.action = "\"" + s.type + "#" + std::string(action) + "\"";
  c.body =
      "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
      "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:" +
      std::string(action) + " xmlns:u=\"" + s.type + "\">" + inner + "</u:" + std::string(action) +
      "></s:Body></s:Envelope>\r\n";
  return c;
}

base::result<xml::element> read_answer(int status, std::string_view body, std::string_view action) {
  auto envelope = xml::parse(body);
  if (!envelope) return envelope;
  const auto* inside = body_of(*envelope);
  if (inside == nullptr) return base::fail(errc::malformed, base::error::nowhere, "a SOAP body");
  if (status == 200) {
    const auto* answer = inside->child(std::string(action) + "Response");
    if (answer == nullptr) return base::fail(errc::malformed, base::error::nowhere, "the answer to the call");
    return *answer;
  }
  std::vector<const xml::element*> errors;
  inside->collect("errorCode", errors);
  const auto code = errors.empty() ? std::nullopt : number(errors.front()->text);
  return base::fail(code ? meaning(*code) : errc::refused);
}

call get_external_address(const service& s) { return make_call(s, "GetExternalIPAddress", {}); }

base::result<base::ip_address> read_external_address(int status, std::string_view body) {
  const auto answer = read_answer(status, body, "GetExternalIPAddress");
  if (!answer) return base::fail(answer.error());
  const auto address = base::ip_address::parse(answer->text_of("NewExternalIPAddress"));
  // A gateway without a connection says nothing, or 0.0.0.0.
  if (!address || address->is_unspecified()) return base::fail(errc::network_failure);
  return *address;
}

call add_mapping(const service& s, const base::endpoint& inside, std::uint16_t outside, std::uint32_t lifetime) {
  return make_call(s, s.any_port ? "AddAnyPortMapping" : "AddPortMapping",
                   {{"NewRemoteHost", ""},
                    {"NewExternalPort", std::to_string(outside)},
                    {"NewProtocol", "UDP"},
                    {"NewInternalPort", std::to_string(inside.port)},
                    {"NewInternalClient", inside.address.to_string()},
                    {"NewEnabled", "1"},
                    {"NewPortMappingDescription", "strata"},
                    {"NewLeaseDuration", std::to_string(lifetime)}});
}

base::result<std::uint16_t> read_added(const service& s, int status, std::string_view body, std::uint16_t asked) {
  const auto answer = read_answer(status, body, s.any_port ? "AddAnyPortMapping" : "AddPortMapping");
  if (!answer) return base::fail(answer.error());
  if (!s.any_port) return asked;
  const auto port = base::parse_port(answer->text_of("NewReservedPort"));
  if (!port || *port == 0) return base::fail(errc::malformed, base::error::nowhere, "NewReservedPort");
  return *port;
}

call delete_mapping(const service& s, std::uint16_t outside) {
  return make_call(s, "DeletePortMapping",
                   {{"NewRemoteHost", ""}, {"NewExternalPort", std::to_string(outside)}, {"NewProtocol", "UDP"}});
}

}  // namespace strata::portmap::igd
