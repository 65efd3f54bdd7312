#include "spice/server/sasl_stage.h"

#include <utility>

#include "core/base/endian.h"

namespace spice::server {

namespace {
constexpr std::size_t kWordSize = 4;
constexpr std::string_view kReason = "Authentication failed";
}  // namespace

SaslStage::SaslStage(std::unique_ptr<SaslExchange> exchange) : exchange_(std::move(exchange)) {
  const auto& mechanisms = exchange_->mechanisms();
  output_word(static_cast<std::uint32_t>(mechanisms.size()));
  output_text(mechanisms);
}

std::size_t SaslStage::receive(std::span<const std::uint8_t> input) {
  std::size_t taken = 0;
  while (!finished()) {
    const auto count = receive_some(input.subspan(taken));
    if (count == 0) break;
    taken += count;
  }
  return taken;
}

std::vector<std::uint8_t> SaslStage::take_output() {
  return std::exchange(output_, {});
}

std::size_t SaslStage::receive_some(std::span<const std::uint8_t> input) {
  if (input.size() < kWordSize) return 0;
  const auto size = core::load_le<std::uint32_t>(input.data());
  const bool is_name = state_ == State::Name;
  if (size > (is_name ? kMaxName : kMaxData)) {
    state_ = State::Invalid;
    return kWordSize;
  }
  if (input.size() < kWordSize + size) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + kWordSize, size);
  if (is_name) {
    receive_name(text);
  } else {
    receive_data(text);
  }
  return kWordSize + size;
}

// One word of our list.
void SaslStage::receive_name(std::string_view name) {
  const auto listed = "," + std::string(name) + ",";
  const bool is_word = !name.empty() && name.find(',') == std::string_view::npos;
  if (!is_word || exchange_->mechanisms().find(listed) == std::string::npos) {
    state_ = State::Invalid;
    return;
  }
  mechanism_ = name;
  state_ = State::Start;
}

void SaslStage::receive_data(std::string_view data) {
  SaslExchange::Data given;
  if (!data.empty()) given = data.substr(0, data.size() - 1);
  reply(state_ == State::Start ? exchange_->start(mechanism_, given) : exchange_->step(given));
}

void SaslStage::reply(const SaslExchange::Answer& answer) {
  using Verdict = SaslExchange::Verdict;
  if (answer.data.empty()) {
    output_word(0);
  } else {
    output_word(static_cast<std::uint32_t>(answer.data.size() + 1));
    output_text(answer.data);
    output_.push_back(0);
  }
  const bool complete = answer.verdict != Verdict::Continue;
  output_.push_back(complete ? 1 : 0);
  if (!complete) {
    state_ = State::Step;
    return;
  }
  const bool accepted = answer.verdict == Verdict::Accepted;
  output_word(accepted ? 0 : 1);
  if (!accepted) {
    output_word(static_cast<std::uint32_t>(kReason.size() + 1));
    output_text(kReason);
    output_.push_back(0);
  }
  state_ = accepted ? State::Accepted : State::Denied;
}

void SaslStage::output_word(std::uint32_t word) {
  output_.resize(output_.size() + kWordSize);
  core::store_le(output_.data() + output_.size() - kWordSize, word);
}

void SaslStage::output_text(std::string_view text) {
  output_.insert(output_.end(), text.begin(), text.end());
}

}  // namespace spice::server
