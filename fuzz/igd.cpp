// What a UPnP gateway says, in three documents: the answer to a search, its description, the answer to a call. Nobody who
// writes them decides which host is asked next; XML that was read is written and read as the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "check.hpp"
#include "portmap/igd.hpp"
#include "portmap/ssdp.hpp"
#include "portmap/xml.hpp"

using namespace strata;
using namespace strata::portmap;

namespace {

bool same(const xml::element& a, const xml::element& b) {
  if (a.name != b.name || a.text != b.text || a.children.size() != b.children.size()) return false;
  for (std::size_t n = 0; n < a.children.size(); ++n)
    if (!same(a.children[n], b.children[n])) return false;
  return true;
}

void write(const xml::element& e, std::string& out) {
  out += "<" + e.name + ">" + xml::escape(e.text);
  for (const auto& c : e.children) write(c, out);
  out += "</" + e.name + ">";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const base::byte_view data(input, size);
  const auto text = base::as_text(data);
  static const auto gateway = base::ip_address::v4(192, 168, 1, 1);
  static const auto location = *http::url::parse("http://192.168.1.1:5000/desc/root.xml");
  if (const auto a = ssdp::read_answer(data, gateway))
    STRATA_FUZZ_CHECK(a->location.host == "192.168.1.1" && a->location.scheme == "http");
  if (const auto s = igd::find_service(text, location))
    STRATA_FUZZ_CHECK(s->control.host == "192.168.1.1" && s->control.scheme == "http");
  for (const int status : {200, 500}) {
    (void)igd::read_external_address(status, text);
    const auto port = igd::read_added({"x", location, true}, status, text, 1);
    STRATA_FUZZ_CHECK(!port || (*port != 0 && status == 200));
  }
  const auto e = xml::parse(text);
  if (!e) {
    STRATA_FUZZ_CHECK(e.error().offset <= size);
    return 0;
  }
  std::string again;
  write(*e, again);
  const auto second = xml::parse(again);
  STRATA_FUZZ_CHECK(second.has_value() && same(*e, *second));
  return 0;
}
