#include "spice/server/cyrus_sasl.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <sasl/sasl.h>
#include <utility>

#include "core/base/log.h"

namespace spice::server {

namespace {

constexpr const char* kService = "spice";
constexpr const char* kApplication = "qemu";
constexpr unsigned kLeastStrength = 56;
constexpr unsigned kMostStrength = 100'000;  // no limit
constexpr unsigned kBufferSize = 8192;       // of one wrapped run of bytes
// What is told of an encrypted carrier; every suite of TLS 1.2 that anybody uses has this much or more.
constexpr sasl_ssf_t kCarrierStrength = 128;

struct Dispose {
  void operator()(sasl_conn_t* connection) const { ::sasl_dispose(&connection); }
};
using Connection = std::unique_ptr<sasl_conn_t, Dispose>;

// Connections are wrapped and unwrapped on the threads of their channels; plug-ins ask for this to guard what they
// share.
void* make_mutex() {
  return new std::mutex;
}
int lock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->lock();
  return SASL_OK;
}
int unlock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->unlock();
  return SASL_OK;
}
void free_mutex(void* mutex) {
  delete static_cast<std::mutex*>(mutex);
}

// Levels beyond SASL_LOG_DEBUG may hold passwords.
int log_message(void*, int level, const char* message) {
  if (message == nullptr || level == SASL_LOG_NONE || level > SASL_LOG_DEBUG) return SASL_OK;
  if (level == SASL_LOG_ERR) {
    MV_LOG_LIMITED(Warn, "spice", "SASL: {}", message);
  } else {
    MV_LOG_LIMITED(Debug, "spice", "SASL: {}", message);
  }
  return SASL_OK;
}

int start_library() {
  ::sasl_set_mutex(make_mutex, lock_mutex, unlock_mutex, free_mutex);
  // The library casts it back to what its number says.
  const auto log_callback = reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(&log_message));
  static const sasl_callback_t kCallbacks[] = {{SASL_CB_LOG, log_callback, nullptr},
                                               {SASL_CB_LIST_END, nullptr, nullptr}};
  return ::sasl_server_init(kCallbacks, kApplication);
}

// "address;port", or nothing for a Unix socket.
std::string name_of(const net::Endpoint& end) {
  return end.family == "unix" ? "" : fmt::format("{};{}", end.host, end.port);
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// Everything behind the handshake. It is no layer that encrypts() in the monitor's sense, which means TLS.
class SaslLayer final : public net::Layer {
 public:
  SaslLayer(Connection connection, unsigned longest) : connection_(std::move(connection)), longest_(longest) {}

  bool receive(std::span<const std::uint8_t> bytes, net::Bytes& up, net::Bytes&) override {
    if (broken_) return false;
    if (bytes.empty()) return true;
    const char* plain = nullptr;
    unsigned size = 0;
    const int error = ::sasl_decode(connection_.get(), reinterpret_cast<const char*>(bytes.data()),
                                    static_cast<unsigned>(bytes.size()), &plain, &size);
    broken_ = error != SASL_OK;
    if (!broken_) up.insert(up.end(), plain, plain + size);
    return !broken_;
  }

  void send(std::span<const std::uint8_t> bytes, net::Bytes& down) override {
    while (!broken_ && !bytes.empty()) {
      const auto count = std::min<std::size_t>(bytes.size(), longest_);
      const char* wrapped = nullptr;
      unsigned size = 0;
      const int error = ::sasl_encode(connection_.get(), reinterpret_cast<const char*>(bytes.data()),
                                      static_cast<unsigned>(count), &wrapped, &size);
      broken_ = error != SASL_OK;
      if (!broken_) down.insert(down.end(), wrapped, wrapped + size);
      bytes = bytes.subspan(count);
    }
  }

 private:
  Connection connection_;
  unsigned longest_;     // that the client takes in one run
  bool broken_ = false;  // what follows would make no sense to the other side
};

class CyrusExchange final : public SaslExchange {
 public:
  CyrusExchange(Connection connection, bool wants_layer, std::string mechanisms)
      : connection_(std::move(connection)), wants_layer_(wants_layer), mechanisms_(std::move(mechanisms)) {}

  const std::string& mechanisms() const override { return mechanisms_; }

  Answer start(const std::string& mechanism, Data data) override {
    const char* out = nullptr;
    unsigned size = 0;
    const int result = ::sasl_server_start(connection_.get(), mechanism.c_str(), data ? data->data() : nullptr,
                                           data ? static_cast<unsigned>(data->size()) : 0, &out, &size);
    return answer(result, out, size);
  }

  Answer step(Data data) override {
    const char* out = nullptr;
    unsigned size = 0;
    const int result = ::sasl_server_step(connection_.get(), data ? data->data() : nullptr,
                                          data ? static_cast<unsigned>(data->size()) : 0, &out, &size);
    return answer(result, out, size);
  }

  std::string user() const override { return user_; }

  std::unique_ptr<net::Layer> take_layer() override {
    if (!wants_layer_) return nullptr;
    const void* longest = nullptr;
    ::sasl_getprop(connection_.get(), SASL_MAXOUTBUF, &longest);
    const auto limit = longest != nullptr ? *static_cast<const unsigned*>(longest) : 0;
    return std::make_unique<SaslLayer>(std::move(connection_), std::clamp(limit, 1U, kBufferSize));
  }

 private:
  Answer answer(int result, const char* out, unsigned size) {
    std::string data = out != nullptr ? std::string(out, size) : std::string();
    if (result == SASL_CONTINUE) return {Verdict::Continue, std::move(data)};
    if (result != SASL_OK) {
      MV_LOG_LIMITED(Info, "spice", "a client is refused by SASL: {}", ::sasl_errstring(result, nullptr, nullptr));
      return {Verdict::Denied, {}};
    }
    const void* name = nullptr;
    if (::sasl_getprop(connection_.get(), SASL_USERNAME, &name) != SASL_OK || name == nullptr) return {};
    user_ = static_cast<const char*>(name);
    return {wants_layer_ && strength() < kLeastStrength ? Verdict::Weak : Verdict::Accepted, std::move(data)};
  }

  sasl_ssf_t strength() const {
    const void* value = nullptr;
    const bool known = ::sasl_getprop(connection_.get(), SASL_SSF, &value) == SASL_OK && value != nullptr;
    return known ? *static_cast<const sasl_ssf_t*>(value) : 0;
  }

  Connection connection_;
  bool wants_layer_;
  std::string mechanisms_;
  std::string user_;
};

bool set_properties(sasl_conn_t* connection, bool encrypted) {
  sasl_security_properties_t properties{};
  properties.maxbufsize = kBufferSize;
  if (encrypted)
    return ::sasl_setprop(connection, SASL_SSF_EXTERNAL, &kCarrierStrength) == SASL_OK &&
           ::sasl_setprop(connection, SASL_SEC_PROPS, &properties) == SASL_OK;
  properties.min_ssf = kLeastStrength;
  properties.max_ssf = kMostStrength;
  properties.security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_NOPLAINTEXT;
  return ::sasl_setprop(connection, SASL_SEC_PROPS, &properties) == SASL_OK;
}

}  // namespace

core::Result<std::unique_ptr<CyrusSasl>> CyrusSasl::create() {
  static const int kStarted = start_library();
  if (kStarted != SASL_OK) {
    return core::fail("spice: SASL cannot start: {}", ::sasl_errstring(kStarted, nullptr, nullptr));
  }
  return std::unique_ptr<CyrusSasl>(new CyrusSasl);
}

std::unique_ptr<SaslExchange> CyrusSasl::begin(const Carrier& carrier) {
  const auto local = name_of(carrier.local);
  const auto remote = name_of(carrier.remote);
  sasl_conn_t* made = nullptr;
  const int error =
      ::sasl_server_new(kService, nullptr, nullptr, or_null(local), or_null(remote), nullptr, SASL_SUCCESS_DATA, &made);
  Connection connection(made);
  if (error != SASL_OK || !set_properties(made, carrier.encrypted)) {
    MV_LOG_LIMITED(Warn, "spice", "SASL cannot serve a client: {}", ::sasl_errstring(error, nullptr, nullptr));
    return nullptr;
  }
  const char* list = nullptr;
  if (::sasl_listmech(made, nullptr, ",", ",", ",", &list, nullptr, nullptr) != SASL_OK || list == nullptr) {
    MV_LOG_LIMITED(Warn, "spice", "SASL has no mechanism for a connection {} TLS; see docs/spice.md",
                   carrier.encrypted ? "with" : "without");
    return nullptr;
  }
  return std::make_unique<CyrusExchange>(std::move(connection), !carrier.encrypted, list);
}

}  // namespace spice::server
