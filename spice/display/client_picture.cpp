#include "spice/display/client_picture.h"

#include <algorithm>

#include "spice/display/update_plan.h"

namespace spice::display {

ClientPicture::ClientPicture(const core::Rect& bounds, Format format) : shape_{bounds, format}, first_picture_(bounds) {
  debt_.restart(bounds);
  if (bounds.empty())
    set_up({Kind::InvalidatePalettes});
  else
    set_up({Kind::InvalidatePalettes, Kind::CreateSurface});
}

void ClientPicture::changed(const canvas::Region& region) {
  debt_.add(region, shape_.bounds);
}

void ClientPicture::mode_set(const core::Rect& bounds, Format format) {
  const bool is_new_client = !first_picture_.empty();
  shape_ = {bounds, format};
  debt_.restart(bounds);
  if (client_shape_ == shape_) {
    // A switch that was not sent yet is not needed any more; a new client's picture begins again.
    setup_.clear();
    if (is_new_client)
      first_picture_ = canvas::Region(bounds);
    else if (mark_owed_)
      set_up({Kind::MonitorsConfig, Kind::Mark});
  } else if (client_shape_) {
    first_picture_.clear();
    set_up({Kind::DestroySurface, Kind::InvalidatePalettes, Kind::DestroyStreams, Kind::CreateSurface,
            Kind::MonitorsConfig, Kind::Mark});
  } else if (is_new_client) {
    first_picture_ = canvas::Region(bounds);
    set_up({Kind::InvalidatePalettes, Kind::CreateSurface});
  } else {  // in the middle of another switch
    set_up({Kind::InvalidatePalettes, Kind::DestroyStreams, Kind::CreateSurface, Kind::MonitorsConfig, Kind::Mark});
  }
}

void ClientPicture::surface_gone() {
  shape_ = {};
  debt_.restart({});
  first_picture_.clear();
  setup_.clear();
  if (client_shape_) set_up({Kind::DestroySurface});
}

void ClientPicture::monitors_changed() {
  const bool follows_anyway =
      !first_picture_.empty() || std::ranges::find(setup_, Kind::MonitorsConfig) != setup_.end();
  if (!follows_anyway && !shape_.bounds.empty()) setup_.push_back(Kind::MonitorsConfig);
}

bool ClientPicture::is_ready() const {
  return !shape_.bounds.empty() && setup_.empty() && first_picture_.empty() && client_shape_ == shape_;
}

std::optional<ClientPicture::Step> ClientPicture::next() {
  if (!setup_.empty()) return next_setup();
  return next_draw();
}

ClientPicture::Step ClientPicture::next_setup() {
  const auto kind = setup_.front();
  setup_.pop_front();
  if (kind == Kind::DestroySurface) client_shape_.reset();
  if (kind == Kind::CreateSurface) {
    client_shape_ = shape_;
    mark_owed_ = true;
  }
  if (kind == Kind::Mark) mark_owed_ = false;
  return {kind, shape_.bounds};
}

std::optional<ClientPicture::Step> ClientPicture::next_draw() {
  const bool nothing_drawn = !first_picture_.empty() && first_picture_ == canvas::Region(shape_.bounds);
  const auto area = nothing_drawn && first_picture_.area() <= kMaxFirstPicturePixels
                        ? std::optional(debt_.whole(shape_.bounds))
                        : debt_.next();
  if (!area) return std::nullopt;
  if (!first_picture_.empty()) {
    first_picture_.subtract(*area);
    if (first_picture_.empty()) set_up({Kind::MonitorsConfig, Kind::Mark});
  }
  return Step{Kind::Draw, *area};
}

}  // namespace spice::display
