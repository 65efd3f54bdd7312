#include "spice/wire/encoder.h"

#include <algorithm>
#include <cstring>

namespace spice::wire {

void Gather::append(const Payload& payload) {
  if (payload.size() < kCopiedBelow) {
    if (payload.size() > 0) std::memcpy(append(payload.size()), payload.bytes().data(), payload.size());
    return;
  }
  payload_bytes_ += payload.size();
  splices_.push_back({end_, payload});
}

void Gather::prepend_header(std::span<const std::uint8_t> header) {
  begin_ -= header.size();
  std::ranges::copy(header, head_.begin() + static_cast<std::ptrdiff_t>(begin_));
}

template <class F>
void Gather::for_each_piece(F f) const {
  auto position = begin_;
  const auto head = std::span(head_).first(end_);
  for (const auto& splice : splices_) {
    f(head.subspan(position, splice.head_position - position));
    f(splice.payload.bytes());
    position = splice.head_position;
  }
  f(head.subspan(position));
}

std::size_t Gather::pieces_into(std::size_t skip, std::span<std::span<const std::uint8_t>> out) const {
  std::size_t count = 0;
  for_each_piece([&](std::span<const std::uint8_t> piece) {
    const auto skipped = std::min(skip, piece.size());
    skip -= skipped;
    if (skipped < piece.size() && count < out.size()) out[count++] = piece.subspan(skipped);
  });
  return count;
}

std::vector<std::uint8_t> Gather::flatten() const {
  std::vector<std::uint8_t> all;
  all.reserve(total_size());
  append_to(all);
  return all;
}

void Gather::append_to(std::vector<std::uint8_t>& out) const {
  for_each_piece([&out](std::span<const std::uint8_t> piece) { out.insert(out.end(), piece.begin(), piece.end()); });
}

void Encoder::text32(const char*, const std::string& field) {
  value("", static_cast<std::uint32_t>(field.size() + 1));
  std::ranges::copy(field, out_.append(field.size() + 1));
}

void Encoder::text32_bare(const char*, const std::string& field) {
  value("", static_cast<std::uint32_t>(field.size()));
  std::ranges::copy(field, out_.append(field.size() + 1));
}

void Encoder::finish() {
  // Writing one may postpone more, which then come behind.
  for (std::size_t i = 0; i < postponed_.size(); ++i) {
    const auto next = postponed_[i];
    core::store_le(out_.head_at(next.head_position), static_cast<std::uint32_t>(out_.size()));
    next.write(*this, next.target);
  }
  postponed_.clear();
}

}  // namespace spice::wire
