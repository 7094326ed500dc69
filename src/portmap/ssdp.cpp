#include "portmap/ssdp.hpp"

#include "http/head.hpp"

namespace strata::portmap::ssdp {

base::ip_address group() noexcept { return base::ip_address::v4(239, 255, 255, 250); }

base::bytes search(std::string_view target) {
  return base::to_bytes("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " +
                        std::string(target) + "\r\n\r\n");
}

base::result<answer> read_answer(base::byte_view datagram, const base::ip_address& from) {
  const auto size = http::find_head_end(datagram);
  if (!size) return base::fail(errc::malformed, size.error().offset, "the head of an HTTP answer");
  if (!*size) return base::fail(errc::malformed, datagram.size(), "an empty line");
  const auto head = http::parse_response_head(datagram.first(**size));
  if (!head || head->status != 200) return base::fail(errc::malformed, 0, "HTTP/1.1 200 OK");
  const auto target = head->headers.get("ST");
  if (target != gateway_1 && target != gateway_2) return base::fail(errc::unsupported, base::error::nowhere, "a gateway");
  const auto location = http::url::parse(head->headers.get("LOCATION"));
  if (!location) return base::fail(errc::malformed, base::error::nowhere, "LOCATION");
  if (location->scheme != "http" || base::ip_address::parse(location->host) != from)
    return base::fail(errc::not_authorized, base::error::nowhere, "a description at the address that answers");
  return answer{std::string(target), *location};
}

}  // namespace strata::portmap::ssdp
