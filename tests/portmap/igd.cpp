// UPnP: the answers of gateways, the little XML they are written in, and those that are better not believed.
#include "portmap/igd.hpp"

#include <doctest/doctest.h>

#include "portmap/ssdp.hpp"
#include "portmap/xml.hpp"

using namespace strata;
using namespace strata::portmap;

namespace {

const auto gateway = *base::ip_address::parse("192.168.1.1");
const auto location = *http::url::parse("http://192.168.1.1:5000/desc/root.xml");

std::string found(std::string_view where, std::string_view target = ssdp::gateway_1) {
  return "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: " + std::string(target) +
         "\r\nUSN: uuid:1\r\nEXT:\r\nSERVER: x UPnP/1.1\r\nLOCATION: " + std::string(where) + "\r\n\r\n";
}

std::string service(std::string_view type, std::string_view control) {
  return "<service><serviceType>urn:schemas-upnp-org:service:" + std::string(type) +
         "</serviceType><serviceId>x</serviceId><SCPDURL>/s.xml</SCPDURL><controlURL>" + std::string(control) +
         "</controlURL><eventSubURL>/e</eventSubURL></service>";
}

std::string description(std::string_view services, std::string_view more = {}) {
  return "<?xml version=\"1.0\"?>\n<root "
         "xmlns=\"urn:schemas-upnp-org:device-1-0\"><specVersion><major>1</major></specVersion>" +
         std::string(more) + "<device><deviceType>IGD</deviceType><deviceList><device><deviceList><device><serviceList>" +
         std::string(services) + "</serviceList></device></deviceList></device></deviceList></device></root>";
}

std::string envelope(std::string_view inside) {
  return "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" +
         std::string(inside) + "</s:Body></s:Envelope>";
}

std::string fault(int code) {
  return envelope(
      "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError "
      "xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>" +
      std::to_string(code) + "</errorCode><errorDescription>no</errorDescription></UPnPError></detail></s:Fault>");
}

}  // namespace

TEST_CASE("the search is a head of HTTP to the group") {
  const auto search = ssdp::search(ssdp::gateway_1);
  const auto text = base::as_text(search);
  CHECK(text.starts_with("M-SEARCH * HTTP/1.1\r\n"));
  CHECK(text.find("MAN: \"ssdp:discover\"\r\n") != std::string::npos);
  CHECK(text.ends_with("ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"));
  CHECK(ssdp::group().to_string() == "239.255.255.250");
}

TEST_CASE("a gateway answers about itself") {
  const auto a = ssdp::read_answer(base::as_bytes(found("http://192.168.1.1:5000/desc/root.xml")), gateway);
  REQUIRE(a);
  CHECK(a->location == location);
  CHECK(ssdp::read_answer(base::as_bytes(found("http://192.168.1.1/x", ssdp::gateway_2)), gateway));
}

TEST_CASE("answers that lead elsewhere, or are no answers of a gateway, are not believed") {
  for (const auto& text :
       {found("http://192.168.1.2:5000/x"), found("http://example.com/x"), found("https://192.168.1.1/x"), found("file:///etc"),
        found("http://192.168.1.1:99999/"), found(""), found("http://192.168.1.1/x", "upnp:rootdevice"),
        found("http://192.168.1.1/x", ""), std::string("NOTIFY * HTTP/1.1\r\nHOST: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\n"), std::string("HTTP/1.1 404 Not Found\r\n\r\n"), std::string(),
        std::string(2000, 'x'), std::string("\x16\x03\x01")})
    CHECK_FALSE(ssdp::read_answer(base::as_bytes(text), gateway));
}

TEST_CASE("the service is found wherever it hangs, the better one first, and its URL is made whole") {
  struct row {
    std::string description, type, control;
    bool any_port;
  };
  const auto one = service("WANIPConnection:1", "/ctl/IPConn"), two = service("WANIPConnection:2", "/ctl/two"),
             ppp = service("WANPPPConnection:1", "/ctl/ppp"), other = service("Layer3Forwarding:1", "/ctl/L3");
  const row rows[]{
      {description(other + one), "WANIPConnection:1", "http://192.168.1.1:5000/ctl/IPConn", false},
      {description(one + two), "WANIPConnection:2", "http://192.168.1.1:5000/ctl/two", true},
      {description(ppp + one), "WANIPConnection:1", "http://192.168.1.1:5000/ctl/IPConn", false},
      {description(ppp), "WANPPPConnection:1", "http://192.168.1.1:5000/ctl/ppp", false},
      {description(service("WANIPConnection:1", "ctl")), "WANIPConnection:1", "http://192.168.1.1:5000/desc/ctl", false},
      {description(service("WANIPConnection:1", "http://192.168.1.1:6000/ctl")), "WANIPConnection:1",
       "http://192.168.1.1:6000/ctl", false},
      {description(one, "<URLBase>http://192.168.1.1:49152/</URLBase>"), "WANIPConnection:1",
       "http://192.168.1.1:49152/ctl/IPConn", false},
  };
  for (const auto& r : rows) {
    const auto s = igd::find_service(r.description, location);
    REQUIRE(s);
    CHECK(s->type == "urn:schemas-upnp-org:service:" + r.type);
    CHECK(s->control.to_string() == r.control);
    CHECK(s->any_port == r.any_port);
  }
}

TEST_CASE("a description does not send its reader to another host") {
  for (const auto& text :
       {description(service("WANIPConnection:1", "http://192.168.1.9/ctl")),
        description(service("WANIPConnection:1", "http://example.com/ctl")),
        description(service("WANIPConnection:1", "https://192.168.1.1/ctl")),
        description(service("WANIPConnection:1", "/ctl"), "<URLBase>http://192.168.1.9/</URLBase>"),
        description(service("WANIPConnection:1", "/ctl"), "<URLBase>nonsense</URLBase>"),
        description(service("WANIPConnection:1", "")), description(service("WANIPConnection:1", "file:///x"))})
    CHECK(igd::find_service(text, location).error() == errc::malformed);
  CHECK(igd::find_service(description(""), location).error() == errc::unsupported);
  CHECK(igd::find_service("<html><body>Log in</body></html>", location).error() == errc::malformed);
}

TEST_CASE("calls are SOAP with the service's name, and what is in them is escaped") {
  const igd::service s{"urn:schemas-upnp-org:service:WANIPConnection:1", location, false};
  const auto c = igd::add_mapping(s, *base::endpoint::parse("192.168.1.7:4000"), 5000, 3600);
  CHECK(c.action == "\"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\"");
  const auto parsed = xml::parse(c.body);
  REQUIRE(parsed);
  const auto* action = parsed->child("Body")->child("AddPortMapping");
  REQUIRE(action != nullptr);
  CHECK(action->text_of("NewExternalPort") == "5000");
  CHECK(action->text_of("NewInternalClient") == "192.168.1.7");
  CHECK(action->text_of("NewInternalPort") == "4000");
  CHECK(action->text_of("NewProtocol") == "UDP");
  CHECK(action->text_of("NewLeaseDuration") == "3600");
  CHECK(action->child("NewRemoteHost") != nullptr);
  const auto odd = xml::parse(igd::make_call(s, "X", {{"A", "<&\">"}}).body);
  REQUIRE(odd);
  CHECK(odd->child("Body")->child("X")->text_of("A") == "<&\">");
}

TEST_CASE("answers to calls") {
  const igd::service one{"urn:schemas-upnp-org:service:WANIPConnection:1", location, false};
  const igd::service two{"urn:schemas-upnp-org:service:WANIPConnection:2", location, true};
  CHECK(igd::read_external_address(200,
                                   envelope("<u:GetExternalIPAddressResponse xmlns:u=\"x\"><NewExternalIPAddress> 203.0.113.9 "
                                            "</NewExternalIPAddress></u:GetExternalIPAddressResponse>"))
            ->to_string() == "203.0.113.9");
  for (const auto* nothing : {"", "0.0.0.0", "router"})
    CHECK(igd::read_external_address(200,
                                     envelope("<u:GetExternalIPAddressResponse><NewExternalIPAddress>" + std::string(nothing) +
                                              "</NewExternalIPAddress></u:GetExternalIPAddressResponse>"))
              .error() == errc::network_failure);
  CHECK(igd::read_added(one, 200, envelope("<u:AddPortMappingResponse/>"), 5000) == 5000);
  CHECK(igd::read_added(
            two, 200,
            envelope("<AddAnyPortMappingResponse><NewReservedPort>6000</NewReservedPort></AddAnyPortMappingResponse>"),
            5000) == 6000);
  CHECK(igd::read_added(two, 200,
                        envelope("<AddAnyPortMappingResponse><NewReservedPort>0</NewReservedPort></AddAnyPortMappingResponse>"),
                        5000)
            .error() == errc::malformed);
  CHECK(igd::read_added(one, 200, envelope("<DeletePortMappingResponse/>"), 5000).error() == errc::malformed);
  for (const auto& [code, why] : {std::pair{718, errc::conflict},
                                  {729, errc::conflict},
                                  {725, errc::permanent_only},
                                  {728, errc::no_resources},
                                  {606, errc::not_authorized},
                                  {401, errc::unsupported},
                                  {402, errc::refused},
                                  {501, errc::refused}})
    CHECK(igd::read_added(one, 500, fault(code), 5000).error() == why);
  CHECK(igd::read_added(one, 500, envelope("<s:Fault/>"), 5000).error() == errc::refused);
  CHECK(igd::read_added(one, 500, "Internal Server Error", 5000).error() == errc::malformed);
}

TEST_CASE("XML: names, text, entities, comments and CDATA") {
  const auto e = xml::parse(
      "\xef\xbb\xbf<?xml version='1.0'?><!-- hello --><a:b x='1>2' y = \"q\"><c/> one &amp; &#x74;wo <!-- no "
      "--><![CDATA[<3>]]><c "
      ">4</c></a:b>\n<!-- end -->\n");
  REQUIRE(e);
  CHECK(e->name == "b");
  CHECK(e->text == "one & two <3>");
  REQUIRE(e->children.size() == 2);
  CHECK(e->children[1].text == "4");
  CHECK(xml::parse("<a>&#8364;&lt;&gt;&quot;&apos;</a>")->text == "\xe2\x82\xac<>\"'");
}

TEST_CASE("XML that is none is refused where it goes wrong") {
  for (const auto* text : {"",
                           " ",
                           "text",
                           "<",
                           "<a",
                           "<a>",
                           "<a></b>",
                           "<a><b></a></b>",
                           "<a/><b/>",
                           "<a/>text",
                           "<a x></a>",
                           "<a x=1></a>",
                           "<a x='1></a>",
                           "<a x='1'y='2'/>",
                           "<1 2>",
                           "< a/>",
                           "<a>&nbsp;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>&amp</a>",
                           "<a>& </a>",
                           "<a><!-- </a>",
                           "<a><![CDATA[x</a>",
                           "<?xml",
                           "<!DOCTYPE a><a/>",
                           "<!DOCTYPE lolz [<!ENTITY lol 'lol'>]><a>&lol;</a>",
                           "<a:/>",
                           "<a>&#99999999999;</a>"}) {
    CAPTURE(text);
    const auto e = xml::parse(text);
    REQUIRE_FALSE(e);
    CHECK(e.error() == errc::malformed);
  }
  std::string deep;
  for (int n = 0; n < 40; ++n) deep += "<a>";
  CHECK_FALSE(xml::parse(deep));
  std::string many = "<r>";
  for (int n = 0; n < 5000; ++n) many += "<a/>";
  CHECK_FALSE(xml::parse(many + "</r>"));
}
