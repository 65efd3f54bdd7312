// QMP commands that press keys and move the mouse.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "vmm/control/key_names.h"
#include "vmm/control/qmp_parts.h"

namespace vmm::control {

using nlohmann::json;

namespace {

// A KeyValue union: {"type": "qcode", "data": "ret"} or {"type": "number", "data": 28}.
std::optional<core::KeyCode> key_of(const json& value) {
  const auto& data = value["data"];
  if (value["type"] == "qcode") return key_by_name(data.get_ref<const std::string&>());
  const auto number = data.get<std::int64_t>();
  if (number < 0 || number > 0xff) return std::nullopt;
  // QEMU's numbers: bit 7 stands for the E0 prefix.
  return static_cast<core::KeyCode>((number & 0x80) != 0 ? 0xe000 | (number & 0x7f) : number);
}

// Collects one input-send-event: keys act at once, mouse parts are joined into one report.
class InputEvents {
 public:
  explicit InputEvents(Context& context) : context_(context), buttons_(context.mouse.buttons()) {}

  bool add(const json& event) {
    const auto& data = event["data"];
    if (event["type"] == "key") return add_key(data);
    moved_ = true;
    if (event["type"] == "rel") {
      add_motion(data);
    } else {
      add_button(data["button"].get_ref<const std::string&>(), data["down"].get<bool>());
    }
    return true;
  }

  void commit() {
    for (const auto& [key, down] : keys_)
      context_.machine.keyboard().key(key, down);
    if (moved_) context_.mouse.move(dx_, dy_, dz_, buttons_);
  }

 private:
  bool add_key(const json& data) {
    const auto key = key_of(data["key"]);
    if (!key) return false;
    keys_.emplace_back(*key, data["down"].get<bool>());
    return true;
  }
  void add_motion(const json& data) {
    constexpr std::int64_t kFarthest = 10'000;
    const auto value = std::clamp(data["value"].get<std::int64_t>(), -kFarthest, kFarthest);
    (data["axis"] == "x" ? dx_ : dy_) += static_cast<std::int32_t>(value);
  }
  void add_button(std::string_view button, bool down) {
    constexpr std::pair<std::string_view, std::uint8_t> kButtons[] = {{"left", core::kLeftButton},
                                                                      {"right", core::kRightButton},
                                                                      {"middle", core::kMiddleButton},
                                                                      {"side", core::kSideButton},
                                                                      {"extra", core::kExtraButton}};
    if (down && button == "wheel-up") --dz_;
    if (down && button == "wheel-down") ++dz_;
    for (const auto& [name, bit] : kButtons) {
      if (button == name) buttons_ = static_cast<std::uint8_t>(down ? buttons_ | bit : buttons_ & ~bit);
    }
  }

  Context& context_;
  std::vector<std::pair<core::KeyCode, bool>> keys_;
  std::int32_t dx_ = 0;
  std::int32_t dy_ = 0;
  std::int32_t dz_ = 0;
  std::uint8_t buttons_;
  bool moved_ = false;
};

}  // namespace

QmpResult run_send_key(Context& context, const json& arguments) {
  constexpr std::size_t kMaxKeys = 16;
  constexpr std::int64_t kDefaultHold = 100, kLongestHold = 60'000;
  const auto hold = arguments.value("hold-time", kDefaultHold);
  if (hold < 0 || hold > kLongestHold) return refuse("Parameter 'hold-time' expects 0 to 60000 ms");
  std::vector<core::KeyCode> keys;
  for (const auto& value : arguments["keys"]) {
    const auto key = key_of(value);
    if (!key) return refuse("Parameter 'data' expects a number from 0 to 255");
    keys.push_back(*key);
  }
  if (keys.empty() || keys.size() > kMaxKeys) return refuse("Parameter 'keys' expects 1 to 16 keys");
  if (!context.typist.press(std::move(keys), std::chrono::milliseconds(hold))) return refuse("Too many keys wait");
  return json::object();
}

QmpResult run_input_send_event(Context& context, const json& arguments) {
  constexpr std::size_t kMaxEvents = 256;
  if (arguments["events"].size() > kMaxEvents) return refuse("Parameter 'events' expects at most 256 events");
  InputEvents input(context);
  for (const auto& event : arguments["events"]) {
    if (!input.add(event)) return refuse("Parameter 'data' expects a number from 0 to 255");
  }
  input.commit();
  return json::object();
}

}  // namespace vmm::control
