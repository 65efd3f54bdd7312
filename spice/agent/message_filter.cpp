#include "spice/agent/message_filter.h"

#include "spice/agent/agent_abi.h"

namespace spice::agent {

using namespace abi;

MessageFilter::Verdict MessageFilter::feed(std::span<const std::uint8_t> piece, bool takes_monitors) {
  if (piece.size() > VD_AGENT_MAX_DATA_SIZE) return Verdict::Broken;
  begins_ = left_ == 0;
  if (begins_) {
    if (piece.size() < sizeof(VDAgentMessage)) return Verdict::Broken;
    if (core::load_le<std::uint32_t>(piece.data()) != VD_AGENT_PROTOCOL) return Verdict::Broken;
    type_ = core::load_le<std::uint32_t>(piece.data() + offsetof(VDAgentMessage, type));
    size_ = core::load_le<std::uint32_t>(piece.data() + offsetof(VDAgentMessage, size));
    left_ = size_;
    piece = piece.subspan(sizeof(VDAgentMessage));
    verdict_ = discards_ ? Verdict::Discard : verdict_of_type(takes_monitors);
  }
  if (piece.size() > left_) return Verdict::Broken;
  left_ -= static_cast<std::uint32_t>(piece.size());
  return verdict_;
}

void MessageFilter::discard(bool on) {
  discards_ = on;
  if (on) verdict_ = Verdict::Discard;
}

MessageFilter::Verdict MessageFilter::verdict_of_type(bool takes_monitors) const {
  switch (type_) {
    case VD_AGENT_CLIPBOARD:
    case VD_AGENT_CLIPBOARD_GRAB:
    case VD_AGENT_CLIPBOARD_REQUEST:
    case VD_AGENT_CLIPBOARD_RELEASE: return rules_.copy_paste ? Verdict::Pass : Verdict::Discard;
    case VD_AGENT_FILE_XFER_START:
    case VD_AGENT_FILE_XFER_STATUS:
    case VD_AGENT_FILE_XFER_DATA: return rules_.file_transfer ? Verdict::Pass : Verdict::Discard;
    case VD_AGENT_MONITORS_CONFIG: return takes_monitors ? Verdict::Monitors : Verdict::Pass;
    case VD_AGENT_MOUSE_STATE:
    case VD_AGENT_CLIENT_DISCONNECTED:
    case VD_AGENT_GRAPHICS_DEVICE_INFO: return rules_.from_client ? Verdict::Discard : Verdict::Pass;
    default: return Verdict::Pass;
  }
}

}  // namespace spice::agent
