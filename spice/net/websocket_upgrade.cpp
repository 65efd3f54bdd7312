#include "spice/net/websocket_upgrade.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <expected>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <optional>
#include <vector>

namespace spice::net {

namespace {

constexpr std::string_view kMethod = "GET ";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kRequestEnd = "\r\n\r\n";
constexpr std::string_view kSubProtocol = "binary";
constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // beside letters and digits [RFC 9110 5.6.2]

struct Field {
  std::string_view name;
  std::string_view value;
};

struct Request {
  std::string_view target;
  std::string_view version;
  std::vector<Field> fields;
};

struct Refusal {
  std::string_view status;
  std::string_view fields;
  std::string_view text;
};

constexpr Refusal bad_request(std::string_view text) {
  return {"400 Bad Request", "", text};
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

// Up to `separator`, which is taken from `text` with it.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + separator.size(), text.size()));
  return part;
}

bool is_token(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || kTokenMarks.find(static_cast<char>(c)) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

// Its lines up to and with the empty one [RFC 9112 2].
std::expected<Request, Refusal> parse(std::string_view text) {
  Request request;
  auto line = take_until(text, kLineEnd);
  if (!line.starts_with(kMethod) || !is_printable(line)) return std::unexpected(bad_request("The request is no GET."));
  line.remove_prefix(kMethod.size());
  request.target = take_until(line, " ");
  request.version = line;
  for (line = take_until(text, kLineEnd); !line.empty(); line = take_until(text, kLineEnd)) {
    if (request.fields.size() == WebSocketUpgrade::kMaxFields) {
      return std::unexpected(Refusal{"431 Request Header Fields Too Large", "", "Too many header fields."});
    }
    const auto name = take_until(line, ":");
    if (!is_token(name) || !is_printable(line)) return std::unexpected(bad_request("A header field is malformed."));
    request.fields.push_back({name, trimmed(line)});
  }
  return request;
}

std::size_t count_of(const Request& request, std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::count_if(request.fields, [&](const Field& field) { return same_word(field.name, name); }));
}

// Of a field that is there once; else nothing.
std::string_view only(const Request& request, std::string_view name) {
  if (count_of(request, name) != 1) return {};
  return std::ranges::find_if(request.fields, [&](const Field& field) { return same_word(field.name, name); })->value;
}

// Whether one of the field's comma-separated words is this one.
bool lists(const Request& request, std::string_view name, std::string_view word) {
  for (const auto& field : request.fields) {
    if (!same_word(field.name, name)) continue;
    auto rest = field.value;
    while (!rest.empty())
      if (same_word(trimmed(take_until(rest, ",")), word)) return true;
  }
  return false;
}

// 16 bytes in base64 [RFC 6455 4.1].
bool is_key(std::string_view text) {
  constexpr std::size_t kSize = 24;
  const auto in_alphabet = [](unsigned char c) { return (c < 0x80 && std::isalnum(c) != 0) || c == '+' || c == '/'; };
  return text.size() == kSize && text.ends_with("==") && std::ranges::all_of(text.substr(0, kSize - 2), in_alphabet);
}

// What proves that we understood [RFC 6455 4.2.2].
std::string accept_value(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto text = fmt::format("{}{}", key, kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (::EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return {};
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  const auto length = ::EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {base64.begin(), base64.begin() + length};
}

// Whether a page comes from this host; "null" is one that hides where it is from.
bool is_local_origin(std::string_view origin) {
  take_until(origin, "://");
  const auto end = origin.starts_with('[') ? origin.find(']') + 1 : origin.find(':');
  const auto host = origin.substr(0, end);
  const bool is_number = std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return same_word(host, "localhost") || host == "[::1]" || (is_number && host.starts_with("127."));
}

std::optional<Refusal> fault(const Request& request, WebSocketUpgrade::Pages pages) {
  constexpr Refusal kUpgradeRequired{"426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                                     "This is a SPICE server, which speaks WebSocket (version 13) here."};
  if (request.target.empty() || request.version != "HTTP/1.1") return bad_request("Not an HTTP/1.1 request.");
  if (only(request, "Host").empty()) return bad_request("There must be one Host field.");
  const bool is_upgrade = lists(request, "Upgrade", "websocket") && lists(request, "Connection", "upgrade");
  if (!is_upgrade || only(request, "Sec-WebSocket-Version") != "13") return kUpgradeRequired;
  if (!is_key(only(request, "Sec-WebSocket-Key"))) return bad_request("Sec-WebSocket-Key is missing or malformed.");
  constexpr std::string_view kProtocolField = "Sec-WebSocket-Protocol";
  if (count_of(request, kProtocolField) > 0 && !lists(request, kProtocolField, kSubProtocol)) {
    return bad_request("The only sub-protocol is binary.");
  }
  constexpr std::string_view kOrigin = "Origin";
  if (pages == WebSocketUpgrade::Pages::Local && count_of(request, kOrigin) > 0 &&
      !is_local_origin(only(request, kOrigin))) {
    return Refusal{
        "403 Forbidden", "",
        "Pages of other hosts may connect only if this server is given password, sasl or disable-ticketing."};
  }
  return std::nullopt;
}

}  // namespace

WebSocketUpgrade::Opening WebSocketUpgrade::opening(std::span<const std::uint8_t> input) {
  const auto size = std::min(input.size(), kMethod.size());
  if (!std::ranges::equal(input.first(size), kMethod.substr(0, size))) return Opening::Other;
  return size == kMethod.size() ? Opening::Http : Opening::Unknown;
}

std::size_t WebSocketUpgrade::receive(std::span<const std::uint8_t> input) {
  if (state_ != State::Reading) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), std::min(input.size(), kMaxRequest));
  const auto end = text.find(kRequestEnd, searched_);
  if (end == std::string_view::npos) {
    searched_ = text.size() - std::min(text.size(), kRequestEnd.size() - 1);
    if (input.size() < kMaxRequest) return 0;
    refuse("431 Request Header Fields Too Large", "", "The request is too long.");
    return text.size();
  }
  const auto size = end + kRequestEnd.size();
  const auto request = parse(text.substr(0, size));
  const auto refusal = request ? fault(*request, pages_) : std::optional(request.error());
  if (refusal) {
    refuse(refusal->status, refusal->fields, refusal->text);
    return size;
  }
  const bool names_protocol = count_of(*request, "Sec-WebSocket-Protocol") > 0;
  answer_ = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
      "{}\r\n{}\r\n",
      accept_value(only(*request, "Sec-WebSocket-Key")),
      names_protocol ? fmt::format("Sec-WebSocket-Protocol: {}\r\n", kSubProtocol) : "");
  state_ = State::Open;
  return size;
}

void WebSocketUpgrade::refuse(std::string_view status, std::string_view fields, std::string_view text) {
  // Upgrade is an option of this connection [RFC 9110 7.8].
  answer_ =
      fmt::format("HTTP/1.1 {}\r\n{}Connection: {}close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}\n",
                  status, fields, fields.empty() ? "" : "Upgrade, ", text.size() + 1, text);
  state_ = State::Refused;
}

}  // namespace spice::net
