#include "http/date.hpp"

#include <array>
#include <string_view>

namespace strata::http {

std::string format_date(base::wall_time t) {
  static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(t - day));
  const auto padded = [](long n, std::size_t width) {
    auto digits = std::to_string(n);
    return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
  };
  std::string out(days[std::chrono::weekday(day).c_encoding()]);
  out += ", " + padded(static_cast<unsigned>(date.day()), 2) + ' ';
  out += months[static_cast<unsigned>(date.month()) - 1];
  out += ' ' + padded(static_cast<int>(date.year()), 4) + ' ' + padded(time.hours().count(), 2) + ':' +
         padded(time.minutes().count(), 2) + ':' + padded(time.seconds().count(), 2) + " GMT";
  return out;
}

}  // namespace strata::http
