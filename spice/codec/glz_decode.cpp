#include <algorithm>
#include <bit>

#include "spice/codec/glz.h"
#include "spice/codec/glz_format.h"
#include "spice/codec/lz_input.h"

namespace spice::codec {
namespace {

using Status = std::expected<void, GlzError>;
using lz::Input;

template <class Pass>
void store_literal(std::uint32_t* to, const std::uint8_t* from) {
  if constexpr (Pass::literal == 2) {
    *to = std::uint32_t{from[0]} << 8 | from[1];
  } else if constexpr (Pass::literal == 3) {
    *to = from[0] | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16;
  } else {
    *to |= std::uint32_t{*from} << 24;  // the colours have been there since the first pass
  }
}

template <class Pass>
void copy_pixels(std::uint32_t* to, const std::uint32_t* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (Pass::literal == 1) {
      to[i] |= from[i] & Pass::mask;
    } else {
      to[i] = from[i] & Pass::mask;
    }
  }
}

struct Match {
  std::size_t length = 0;  // without the bias
  std::size_t position = 0;
  std::uint64_t images = 0;
};

Match read_match(Input& in, std::uint32_t control, std::size_t limit) {
  Match match{.length = control >> 5, .position = control & 15};
  const bool far = (control & 16) != 0;
  if (match.length == lz::kLengthEscape) {
    std::uint32_t more = 0;
    do {
      more = in.byte();
      match.length += more;
    } while (more == 255 && match.length <= limit);
  }
  match.position |= std::size_t{in.byte()} << 4;
  const auto flags = in.byte();
  unsigned shift = 0;
  if (far) {
    match.position |= std::size_t{flags & 31} << 12;
  } else {
    match.images = flags & 63;
    shift = 6;
  }
  for (unsigned i = 0; i < flags >> 6; ++i, shift += 8)
    match.images |= std::uint64_t{in.byte()} << shift;
  if (far && (flags & 32) != 0) match.position |= std::size_t{in.byte()} << 17;
  return match;
}

}  // namespace

// Reads one image against a window.
class GlzReader {
 public:
  GlzReader(const GlzWindow& window, const GlzHeader& header, Input& in, std::span<std::uint32_t> out)
      : window_(window), header_(header), in_(in), out_(out) {}

  Status read() {
    switch (header_.type) {
      case LzType::Rgb16: return pass<glz::Rgb16Pass>();
      case LzType::Rgba: {
        const auto colours = pass<glz::RgbaColourPass>();
        return colours ? pass<glz::AlphaPass>() : colours;
      }
      default: return pass<glz::RgbPass>();
    }
  }

 private:
  template <class Pass>
  Status pass() {
    std::size_t position = 0;
    while (position < out_.size()) {
      const auto control = in_.byte();
      if (!in_.ok()) return std::unexpected(GlzError::Truncated);
      const auto done =
          control < lz::kMaxLiterals ? literals<Pass>(control + 1, position) : match<Pass>(control, position);
      if (!done) return std::unexpected(done.error());
      position += *done;
    }
    return {};
  }

  template <class Pass>
  std::expected<std::size_t, GlzError> literals(std::size_t count, std::size_t position) {
    if (in_.left() < count * Pass::literal) return std::unexpected(GlzError::Truncated);
    if (count > out_.size() - position) return std::unexpected(GlzError::TrailingData);
    const auto* from = in_.take(count * Pass::literal);
    for (std::size_t i = 0; i < count; ++i)
      store_literal<Pass>(out_.data() + position + i, from + i * Pass::literal);
    return count;
  }

  template <class Pass>
  std::expected<std::size_t, GlzError> match(std::uint32_t control, std::size_t position) {
    const auto match = read_match(in_, control, out_.size());
    if (!in_.ok()) return std::unexpected(GlzError::Truncated);
    const auto length = match.length + Pass::bias;
    if (length > out_.size() - position) return std::unexpected(GlzError::BadMatch);
    auto* const to = out_.data() + position;
    if (match.images == 0) {
      if (match.position >= position) return std::unexpected(GlzError::BadMatch);
      copy_pixels<Pass>(to, to - match.position - 1, length);
      return length;
    }
    if (match.images > header_.id) return std::unexpected(GlzError::MissingImage);
    const auto source = window_.images_.find(header_.id - match.images);
    if (source == window_.images_.end()) return std::unexpected(GlzError::MissingImage);
    const auto& pixels = source->second.pixels;
    if (source->second.type != header_.type || match.position >= pixels.size() ||
        length > pixels.size() - match.position)
      return std::unexpected(GlzError::BadMatch);
    copy_pixels<Pass>(to, pixels.data() + match.position, length);
    return length;
  }

  const GlzWindow& window_;
  const GlzHeader& header_;
  Input& in_;
  std::span<std::uint32_t> out_;
};

std::expected<GlzHeader, GlzError> glz_read_header(std::span<const std::uint8_t> data) {
  if (data.size() < kGlzHeaderBytes) return std::unexpected(GlzError::Truncated);
  Input in(data);
  const auto magic = in.be<std::uint32_t>();
  const auto version = in.be<std::uint32_t>();
  const auto type = in.byte();
  GlzHeader header;
  header.type = static_cast<LzType>(type & 15);
  header.top_down = type >> glz::kTopDownBit == 1;
  header.width = in.be<std::uint32_t>();
  header.height = in.be<std::uint32_t>();
  const auto stride = in.be<std::uint32_t>();
  header.id = in.be<std::uint64_t>();
  header.head_distance = in.be<std::uint32_t>();
  if (magic != lz::kMagic || version != lz::kVersion || type >> glz::kTopDownBit > 1 || !glz_has(header.type) ||
      header.width == 0 || header.height == 0 || stride != lz_row_bytes(header.type, header.width) ||
      stride >= kLzMaxImageBytes / header.height)
    return std::unexpected(GlzError::BadHeader);
  return header;
}

std::expected<GlzHeader, GlzError> GlzWindow::decode(std::span<const std::uint8_t> data) {
  const auto header = glz_read_header(data);
  if (!header) return header;
  if (header->pixels() > max_pixels_ - std::min(max_pixels_, kept_pixels_) || images_.contains(header->id))
    return std::unexpected(GlzError::BadHeader);
  Image image{header->type, header->head_distance, std::vector<std::uint32_t>(header->pixels())};
  Input in(data.subspan(kGlzHeaderBytes));
  const auto read = GlzReader(*this, *header, in, image.pixels).read();
  if (!read) return std::unexpected(read.error());
  if (in.left() > 0) return std::unexpected(GlzError::TrailingData);
  kept_pixels_ += header->pixels();
  images_.emplace(header->id, std::move(image));
  drop_unneeded();
  return header;
}

// Only the newest image without a gap before it counts: those behind a gap may need what it does not.
void GlzWindow::drop_unneeded() {
  const Image* newest = nullptr;
  for (auto next = images_.find(next_id_); next != images_.end() && next->first == next_id_; ++next, ++next_id_)
    newest = &next->second;
  if (newest == nullptr || newest->head_distance >= next_id_) return;
  const auto end = images_.lower_bound(next_id_ - 1 - newest->head_distance);
  for (auto image = images_.begin(); image != end; image = images_.erase(image))
    kept_pixels_ -= image->second.pixels.size();
}

std::span<const std::uint32_t> GlzWindow::pixels(std::uint64_t id) const {
  const auto found = images_.find(id);
  if (found == images_.end()) return {};
  return found->second.pixels;
}

}  // namespace spice::codec
