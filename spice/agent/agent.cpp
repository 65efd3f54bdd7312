#include "spice/agent/agent.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/log.h"
#include "core/event/loop_timer.h"
#include "spice/agent/agent_abi.h"

namespace spice::agent {

namespace {

constexpr std::size_t kReadBytes = 4 * abi::VD_AGENT_MAX_DATA_SIZE;
constexpr std::size_t kMostPlaces = 16;  // of the pointer, that wait for the guest

std::unique_ptr<core::Timeout> make_timeout(const Agent::Wiring& wiring, std::move_only_function<void()> fire) {
  if (wiring.make_timeout) return wiring.make_timeout(std::move(fire));
  return std::make_unique<core::LoopTimer>(wiring.loop, std::move(fire));
}

}  // namespace

Agent::Agent(const Config& config, const Wiring& wiring)
    : config_(config),
      port_(wiring.port),
      displays_(wiring.displays),
      starvation_(make_timeout(wiring,
                               [this] {
                                 if (client_ != nullptr) client_->refuse("it gives the agent no tokens");
                               })),
      // Those that came together go together: each turn of the guest's costs as much as many bytes.
      pieces_came_(wiring.loop, [this] { push(); }),
      from_guest_({config.copy_paste, config.file_transfer, false}),
      from_client_({config.copy_paste, config.file_transfer, true}) {
  from_guest_.discard(true);
  from_client_.discard(true);
  port_.set_present(true);
  port_.serve(this);
}

Agent::~Agent() {
  port_.serve(nullptr);
}

// --- comings and goings ----------------------------------------------------------------------------------------------

void Agent::guest_opened(bool open) {
  if (is_present_) lose();
  if (!open) return;
  is_present_ = true;
  reader_ = ChunkReader();
  from_guest_ = MessageFilter({config_.copy_paste, config_.file_transfer, false});
  from_guest_.discard(true);
  if (client_ != nullptr) client_->agent_came();
  if (presence_changed_) presence_changed_();
}

void Agent::lose() {
  is_present_ = false;
  is_started_ = false;
  input_.clear();
  input_begin_ = 0;
  owed_.reset();
  outbox_.clear();
  places_.clear();
  must_say_disconnected_ = false;
  must_say_displays_ = false;
  // What was meant for this agent still comes from the client, and is not for the next.
  from_client_.discard(true);
  watch_starvation();
  if (client_ != nullptr) client_->agent_went();
  if (presence_changed_) presence_changed_();
}

void Agent::set_client(AgentClient* client) {
  if (client == client_) return;
  client_ = client;
  outbox_.drop_pieces();
  // The next client's stream begins anew, and so does what the agent has of it once it hears that this one is gone.
  from_client_ = MessageFilter({config_.copy_paste, config_.file_transfer, true});
  from_client_.discard(true);
  from_guest_.discard(true);
  owed_.reset();
  monitors_.clear();
  must_say_disconnected_ = must_say_disconnected_ || (is_present_ && std::exchange(is_started_, false));
  is_started_ = false;
  watch_starvation();
  take_from_guest();
  push();
}

// --- from the guest --------------------------------------------------------------------------------------------------

void Agent::guest_wrote() {
  take_from_guest();
}

void Agent::take_from_guest() {
  while (deliver()) {
    if (input_begin_ == input_.size()) {
      input_ = port_.read(kReadBytes);
      input_begin_ = 0;
      if (input_.empty()) break;
    }
    if (!is_present_) {  // it has broken the rules
      input_begin_ = input_.size();
      continue;
    }
    auto rest = std::span<const std::uint8_t>(input_).subspan(input_begin_);
    const auto status = reader_.feed(rest);
    input_begin_ = input_.size() - rest.size();
    const bool is_fine = status != ChunkReader::Status::Broken &&
                         (status != ChunkReader::Status::Piece || take_piece(std::move(reader_.piece())));
    if (is_fine) continue;
    MV_LOG_LIMITED(Warn, "spice",
                   "the guest's agent does not keep to its protocol: it is ignored until it starts anew");
    lose();
  }
  watch_starvation();
}

// False: it breaks the protocol.
bool Agent::take_piece(Bytes piece) {
  const auto verdict = from_guest_.feed(piece);
  if (verdict == MessageFilter::Verdict::Broken) return false;
  if (from_guest_.begins() && from_guest_.type() == abi::VD_AGENT_ANNOUNCE_CAPABILITIES) {
    if (!config_.displays.empty() && announces(piece, abi::VD_AGENT_CAP_GRAPHICS_DEVICE_INFO)) {
      must_say_displays_ = true;
      push();
    }
    restrict_capabilities(piece, {config_.copy_paste, config_.file_transfer});
  }
  if (verdict == MessageFilter::Verdict::Pass) owed_ = std::move(piece);
  return true;
}

// Whether nothing is owed to the client any more.
bool Agent::deliver() {
  if (owed_ && (credit_ == 0 || !client_->takes_agent_data())) return false;
  if (auto piece = std::exchange(owed_, std::nullopt)) {
    --credit_;
    client_->agent_data(std::move(*piece));
  }
  return true;
}

void Agent::watch_starvation() {
  const bool is_starving = owed_ && credit_ == 0;
  if (!is_starving) return starvation_->cancel();
  if (!starvation_->armed()) starvation_->arm(kStarvation);
}

// --- from the client -------------------------------------------------------------------------------------------------

void Agent::start(std::uint32_t tokens) {
  if (!is_present_) return;
  credit_ = 0;
  if (!std::exchange(is_started_, true)) {
    bank_.refill();
    from_client_.discard(false);
    from_guest_.discard(false);
  }
  take_tokens(tokens);
}

void Agent::add_tokens(std::uint32_t tokens) {
  take_tokens(tokens);
}

void Agent::take_tokens(std::uint32_t tokens) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  credit_ = tokens > kMost - credit_ ? kMost : credit_ + tokens;
  // It is a client that reads: if these do not last, it starves anew.
  if (tokens > 0) starvation_->cancel();
  take_from_guest();
}

void Agent::client_ready() {
  take_from_guest();
}

bool Agent::data(std::span<const std::uint8_t> piece) {
  const auto verdict = from_client_.feed(piece, displays_take_monitors());
  if (verdict == MessageFilter::Verdict::Broken) return false;
  // What was sent before the client heard of this agent was paid for with tokens that it has forgotten.
  if (!is_started_) return true;
  if (!bank_.spend()) return false;
  if (verdict == MessageFilter::Verdict::Pass) {
    pass_on(piece);
    return true;
  }
  if (verdict == MessageFilter::Verdict::Monitors) collect_monitors(piece);
  give_tokens(1);
  return true;
}

void Agent::pass_on(std::span<const std::uint8_t> piece) {
  Bytes trimmed;
  if (from_client_.type() == abi::VD_AGENT_MONITORS_CONFIG) {
    trimmed = monitor_trim_.feed(piece, from_client_.begins());
    if (trimmed.empty()) return give_tokens(1);
    piece = trimmed;
  }
  outbox_.add_piece(piece);
  pieces_came_.ring();
}

void Agent::give_tokens(std::uint32_t count) {
  const auto given = bank_.refund(count);
  if (given > 0 && is_started_ && client_ != nullptr) client_->agent_tokens(given);
}

bool Agent::displays_take_monitors() const {
  return !displays_.empty() && std::ranges::all_of(displays_, &core::DisplaySource::takes_client_monitors);
}

void Agent::collect_monitors(std::span<const std::uint8_t> piece) {
  if (from_client_.begins()) {
    monitors_.clear();
    piece = piece.subspan(sizeof(abi::VDAgentMessage));
  }
  if (from_client_.body_size() > kMostMonitorBytes) return;
  monitors_.insert(monitors_.end(), piece.begin(), piece.end());
  if (!from_client_.ends()) return;
  const auto wanted = parse_monitors(std::exchange(monitors_, {}));
  if (!wanted) {
    MV_LOG_LIMITED(Warn, "spice", "a client asks for monitors that cannot be");
    return;
  }
  if (displays_.size() == 1) return displays_.front()->set_client_monitors(*wanted);
  for (std::size_t i = 0; i < displays_.size(); ++i) {
    const auto own = std::span(*wanted).subspan(std::min(i, wanted->size()));
    displays_[i]->set_client_monitors(own.first(std::min<std::size_t>(own.size(), 1)));
  }
}

// --- to the guest ----------------------------------------------------------------------------------------------------

void Agent::guest_has_room() {
  push();
}

void Agent::push() {
  if (!is_present_) return;
  const auto taken = outbox_.pump({.write = [this](std::span<const std::uint8_t> bytes) { return port_.give(bytes); },
                                   .next_message = [this] { return next_message(); }});
  give_tokens(taken);
}

std::optional<Bytes> Agent::next_message() {
  if (std::exchange(must_say_disconnected_, false)) return client_disconnected();
  if (std::exchange(must_say_displays_, false)) return graphics_device_info(config_.displays);
  if (places_.empty()) return std::nullopt;
  const auto place = places_.front();
  places_.pop_front();
  return mouse_state(place);
}

void Agent::point(const MouseState& state) {
  if (!is_present_) return;
  const bool replaces = !places_.empty() && (places_.back().buttons == state.buttons || places_.size() >= kMostPlaces);
  if (replaces) {
    places_.back() = state;
  } else {
    places_.push_back(state);
  }
  push();
}

}  // namespace spice::agent
