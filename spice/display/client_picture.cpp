#include "spice/display/client_picture.h"

#include <algorithm>

#include "spice/display/update_plan.h"

namespace spice::display {

ClientPicture::ClientPicture(const core::Rect& bounds) : bounds_(bounds), lacking_(bounds), first_picture_(bounds) {
  set_up({Kind::InvalidatePalettes, Kind::CreateSurface});
}

void ClientPicture::changed(const canvas::Region& region) {
  withdraw_plan();
  lacking_.add(region);
  lacking_.intersect(bounds_);
  lacking_.limit_rects(kMaxLackingRects);
}

void ClientPicture::mode_set(const core::Rect& bounds) {
  const bool is_new_client = !first_picture_.empty();
  bounds_ = bounds;
  plan_.clear();
  lacking_ = canvas::Region(bounds);
  resume_y_ = 0;
  if (client_bounds_ == bounds) {
    // A switch that was not sent yet is not needed any more; a new client's picture begins again.
    setup_.clear();
    if (is_new_client)
      first_picture_ = canvas::Region(bounds);
    else if (mark_owed_)
      set_up({Kind::MonitorsConfig, Kind::Mark});
  } else if (client_bounds_) {
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

std::optional<ClientPicture::Step> ClientPicture::next() {
  if (!setup_.empty()) return next_setup();
  if (plan_.empty()) make_plan();
  if (plan_.empty()) return std::nullopt;
  return next_draw();
}

ClientPicture::Step ClientPicture::next_setup() {
  const auto kind = setup_.front();
  setup_.pop_front();
  if (kind == Kind::DestroySurface) client_bounds_.reset();
  if (kind == Kind::CreateSurface) {
    client_bounds_ = bounds_;
    mark_owed_ = true;
  }
  if (kind == Kind::Mark) mark_owed_ = false;
  return {kind, bounds_};
}

ClientPicture::Step ClientPicture::next_draw() {
  const auto area = plan_.back();
  plan_.pop_back();
  resume_y_ = area.bottom;
  if (!first_picture_.empty()) {
    first_picture_.subtract(area);
    if (first_picture_.empty()) set_up({Kind::MonitorsConfig, Kind::Mark});
  }
  return {Kind::Draw, area};
}

void ClientPicture::withdraw_plan() {
  for (const auto& rect : plan_)
    lacking_.add(rect);
  plan_.clear();
}

void ClientPicture::make_plan() {
  const bool nothing_drawn = first_picture_ == canvas::Region(bounds_);
  if (nothing_drawn && first_picture_.area() <= kMaxFirstPicturePixels) {
    lacking_.clear();
    plan_ = {bounds_};
    return;
  }
  plan_ = plan_updates(lacking_.take());
  std::ranges::sort(plan_, {}, &core::Rect::top);
  std::ranges::stable_partition(plan_, [this](const core::Rect& rect) { return rect.top >= resume_y_; });
  std::ranges::reverse(plan_);
}

}  // namespace spice::display
