#include "spice/codec/glz.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "spice/codec/glz_format.h"

namespace spice::codec {
namespace {

constexpr unsigned kSlotBits = 17;
// Many tiny images shall not take more memory than their pixels do.
constexpr std::size_t kMaxImages = 65536;

std::size_t literal_bytes(LzType type) {
  return type == LzType::Rgb16 ? 2 : 3;
}

template <class T>
std::uint8_t* put_be(std::uint8_t* at, T value) {
  const auto swapped = std::byteswap(value);
  std::memcpy(at, &swapped, sizeof swapped);
  return at + sizeof swapped;
}

std::uint64_t load_pair(const std::uint32_t* from) {
  std::uint64_t pair;
  std::memcpy(&pair, from, sizeof pair);
  return pair;
}

// How many of the first `limit` pixels are equal under the mask.
template <std::uint32_t Mask>
std::uint32_t equal_pixels(const std::uint32_t* x, const std::uint32_t* y, std::uint32_t limit) {
  constexpr std::uint64_t kMask = std::uint64_t{Mask} << 32 | Mask;
  std::uint32_t i = 0;
  for (; i + 8 <= limit; i += 8) {
    const auto a = (load_pair(x + i) ^ load_pair(y + i)) & kMask;
    const auto b = (load_pair(x + i + 2) ^ load_pair(y + i + 2)) & kMask;
    const auto c = (load_pair(x + i + 4) ^ load_pair(y + i + 4)) & kMask;
    const auto d = (load_pair(x + i + 6) ^ load_pair(y + i + 6)) & kMask;
    if ((a | b | c | d) != 0) break;
  }
  while (i < limit && ((x[i] ^ y[i]) & Mask) == 0)
    ++i;
  return i;
}

// Where a match may come from: pixels from `at` on, `limit` of them, `images` back; `position` is what the stream says.
struct Source {
  const std::uint32_t* at = nullptr;
  std::uint32_t limit = 0;
  std::uint32_t images = 0;
  std::uint32_t position = 0;
};

unsigned image_bytes(const Source& source) {
  if (source.position >= glz::kShortPositions) return glz::bytes_of(source.images);
  return glz::bytes_of(source.images / glz::kShortImages);
}

// Bytes of a match without the extension of its length.
unsigned match_bytes(const Source& source) {
  return 3 + image_bytes(source) + (source.position >= glz::kFarPositions ? 1 : 0);
}

template <class Pass>
std::uint8_t* put_literals(std::uint8_t* to, const std::uint32_t* from, std::size_t count) {
  while (count > 0) {
    const auto run = std::min<std::size_t>(count, lz::kMaxLiterals);
    *to++ = static_cast<std::uint8_t>(run - 1);
    for (std::size_t i = 0; i < run; ++i) {
      const auto pixel = from[i];
      if constexpr (Pass::literal == 3) {
        std::memcpy(to, &pixel, sizeof pixel);  // the fourth byte is overwritten by what follows
      } else if constexpr (Pass::literal == 2) {
        to[0] = static_cast<std::uint8_t>(pixel >> 8);
        to[1] = static_cast<std::uint8_t>(pixel);
      } else {
        *to = static_cast<std::uint8_t>(pixel >> 24);
      }
      to += Pass::literal;
    }
    from += run;
    count -= run;
  }
  return to;
}

std::uint8_t* put_match(std::uint8_t* to, std::uint32_t coded_length, const Source& source) {
  const bool far = source.position >= glz::kShortPositions;
  *to++ = static_cast<std::uint8_t>(std::min(coded_length, lz::kLengthEscape) << 5 | (far ? 16U : 0U) |
                                    (source.position & 15));
  if (coded_length >= lz::kLengthEscape) {
    const auto rest = coded_length - lz::kLengthEscape;
    std::memset(to, 255, rest / 255);
    to += rest / 255;
    *to++ = static_cast<std::uint8_t>(rest % 255);
  }
  *to++ = static_cast<std::uint8_t>(source.position >> 4);
  const auto more = image_bytes(source);
  const bool very_far = source.position >= glz::kFarPositions;
  auto images = source.images;
  if (far) {
    *to++ = static_cast<std::uint8_t>(more << 6 | (very_far ? 32U : 0U) | (source.position >> 12 & 31));
  } else {
    *to++ = static_cast<std::uint8_t>(more << 6 | images % glz::kShortImages);
    images /= glz::kShortImages;
  }
  for (unsigned i = 0; i < more; ++i, images >>= 8)
    *to++ = static_cast<std::uint8_t>(images);
  if (very_far) *to++ = static_cast<std::uint8_t>(source.position >> 17);
  return to;
}

}  // namespace

// One image against the dictionary.
class GlzMatcher {
 public:
  using Entry = GlzDictionary::Entry;

  GlzMatcher(GlzDictionary& dictionary, const Entry& image)
      : dictionary_(dictionary),
        image_(image),
        begin_(dictionary.store_.get() + image.start % dictionary.window_pixels_),
        end_(begin_ + image.pixels) {}

  template <class Pass>
  std::uint8_t* run(std::uint8_t* to) {
    const auto* at = begin_ + 1;
    const auto* literals = begin_;
    guess_ = first_guess();
    while (end_ - at >= 3) {
      const auto match = find<Pass>(at);
      if (match.length == 0) {
        ++at;
        continue;
      }
      to = put_literals<Pass>(to, literals, static_cast<std::size_t>(at - literals));
      to = put_match(to, match.length - Pass::bias, match.source);
      at += match.length;
      literals = at;
      remember_end<Pass>(at);
    }
    return put_literals<Pass>(to, literals, static_cast<std::size_t>(end_ - literals));
  }

 private:
  struct Match {
    Source source;
    std::uint32_t length = 0;
  };
  // A source that has been good before, for the pixels that follow: the one of pixel p is p - distance.
  struct Guess {
    std::ptrdiff_t distance = 0;  // 0: none
    const Entry* image = nullptr;  // none: this one
  };

  template <class Pass>
  static std::uint32_t hash(const std::uint32_t* at) {
    constexpr std::uint64_t kMask = std::uint64_t{Pass::mask} << 32 | Pass::mask;
    const auto mixed = (load_pair(at) & kMask) * 0x9e3779b97f4a7c15 ^ (at[2] & Pass::mask) * 0xc2b2ae3d27d4eb4f;
    return static_cast<std::uint32_t>((mixed * 0x9e3779b97f4a7c15) >> (64 - kSlotBits));
  }

  template <class Pass>
  static bool same_three(const std::uint32_t* x, const std::uint32_t* y) {
    return ((x[0] ^ y[0]) & Pass::mask) == 0 && ((x[1] ^ y[1]) & Pass::mask) == 0 && ((x[2] ^ y[2]) & Pass::mask) == 0;
  }

  std::uint32_t index_of(const std::uint32_t* at) const {
    return static_cast<std::uint32_t>(at - dictionary_.store_.get());
  }

  // Pictures of the same place often have the same size: then the image before is looked at first.
  Guess first_guess() const {
    if (dictionary_.window_.empty()) return {};
    const auto& last = dictionary_.window_.back();
    if (last.type != image_.type || last.width != image_.width || last.pixels != image_.pixels || !is_valid(last))
      return {};
    return {begin_ - (dictionary_.store_.get() + last.start % dictionary_.window_pixels_), &last};
  }

  bool is_valid(const Entry& entry) const { return entry.start >= dictionary_.first_valid_; }

  Source in_this(const std::uint32_t* at, const std::uint32_t* source) const {
    return {source, static_cast<std::uint32_t>(end_ - at), 0, static_cast<std::uint32_t>(at - source - 1)};
  }
  // Nothing where the format cannot say it or the pixels are not those of the image.
  std::optional<Source> in_other(const std::uint32_t* at, const std::uint32_t* source, const Entry& entry) const {
    const auto* first = dictionary_.store_.get() + entry.start % dictionary_.window_pixels_;
    const auto position = source - first;
    // [reference server: never position 0 of another image]
    if (position <= 0 || position >= std::ptrdiff_t{entry.pixels}) return std::nullopt;
    const auto limit = std::min(end_ - at, std::ptrdiff_t{entry.pixels} - position);
    return Source{source, static_cast<std::uint32_t>(limit), static_cast<std::uint32_t>(image_.id - entry.id),
                  static_cast<std::uint32_t>(position)};
  }

  // The image of the window, of our type, that has this pixel.
  const Entry* owner(std::uint32_t index) {
    const auto lap = image_.start / dictionary_.window_pixels_;
    auto start = lap * dictionary_.window_pixels_ + index;
    if (start >= image_.start) {
      if (lap == 0) return nullptr;
      start -= dictionary_.window_pixels_;
    }
    if (owner_ == nullptr || start < owner_->start || start - owner_->start >= owner_->pixels) {
      const auto& window = dictionary_.window_;
      auto found = std::upper_bound(window.begin(), window.end(), start,
                                    [](std::uint64_t value, const Entry& entry) { return value < entry.start; });
      if (found == window.begin()) return nullptr;
      --found;
      if (start - found->start >= found->pixels || !is_valid(*found) || found->type != image_.type) return nullptr;
      if (image_.id - found->id > glz::kMaxImageDistance) return nullptr;
      owner_ = &*found;
    }
    return owner_;
  }

  template <class Pass>
  Match measure(const std::uint32_t* at, const Source& source) const {
    const auto length = equal_pixels<Pass::mask>(at, source.at, source.limit);
    if (length < Pass::least || length * Pass::literal <= match_bytes(source)) return {};
    return {source, length};
  }

  template <class Pass>
  Match guessed(const std::uint32_t* at) const {
    const auto* source = at - guess_.distance;
    if (!same_three<Pass>(at, source)) return {};
    if (guess_.image == nullptr) return measure<Pass>(at, in_this(at, source));
    const auto other = in_other(at, source, *guess_.image);
    return other ? measure<Pass>(at, *other) : Match{};
  }

  template <class Pass>
  bool is_run(const std::uint32_t* at) const {
    return ((at[0] ^ at[-1]) & Pass::mask) == 0 && ((at[1] ^ at[0]) & Pass::mask) == 0 &&
           ((at[2] ^ at[0]) & Pass::mask) == 0;
  }

  template <class Pass>
  Match find(const std::uint32_t* at) {
    if (guess_.distance != 0 && guess_reaches(at)) {
      if (const auto match = guessed<Pass>(at); match.length > 0) return match;
    }
    if (is_run<Pass>(at)) {
      if (const auto match = measure<Pass>(at, in_this(at, at - 1)); match.length > 0) return match;
    }
    auto& slot = dictionary_.slots_[hash<Pass>(at)];
    const auto index = slot;
    slot = index_of(at);
    const auto* source = dictionary_.store_.get() + index;
    if (((source[0] ^ at[0]) & Pass::mask) != 0) return {};
    if (source >= begin_ && source < at) {
      const auto match = measure<Pass>(at, in_this(at, source));
      if (match.length > 0) guess_ = {at - source, nullptr};
      return match;
    }
    const auto* entry = source >= at && source < end_ ? nullptr : owner(index);
    if (entry == nullptr) return {};
    const auto other = in_other(at, source, *entry);
    const auto match = other ? measure<Pass>(at, *other) : Match{};
    if (match.length > 0) guess_ = {at - source, entry};
    return match;
  }

  // Whether the three pixels of the guess are there to be looked at.
  bool guess_reaches(const std::uint32_t* at) const {
    if (guess_.image == nullptr) return guess_.distance <= at - begin_;
    const auto* first = dictionary_.store_.get() + guess_.image->start % dictionary_.window_pixels_;
    const auto position = at - guess_.distance - first;
    return position >= 0 && position + 3 <= std::ptrdiff_t{guess_.image->pixels};
  }

  // Enters the last two pixels of a match; the others are not worth it.
  template <class Pass>
  void remember_end(const std::uint32_t* at) {
    if (end_ - at < 1) return;
    dictionary_.slots_[hash<Pass>(at - 2)] = index_of(at - 2);
    if (end_ - at < 2) return;
    dictionary_.slots_[hash<Pass>(at - 1)] = index_of(at - 1);
  }

  GlzDictionary& dictionary_;
  const Entry image_;
  const std::uint32_t* const begin_;
  const std::uint32_t* const end_;
  Guess guess_;
  const Entry* owner_ = nullptr;  // that was found last
};

std::size_t glz_max_bytes(LzType type, std::uint32_t width, std::uint32_t height) {
  const auto pixels = std::size_t{width} * height;
  const auto controls = [pixels] { return (pixels + lz::kMaxLiterals - 1) / lz::kMaxLiterals; };
  constexpr std::size_t kSpare = 4;  // literals are written four bytes at a time
  const auto colours = pixels * literal_bytes(type) + controls();
  const auto alpha = type == LzType::Rgba ? pixels + controls() : 0;
  return kGlzHeaderBytes + colours + alpha + kSpare;
}

GlzDictionary::GlzDictionary(std::uint32_t window_pixels, std::uint64_t next_id)
    : window_pixels_(std::clamp(window_pixels, 1U, kGlzMaxPixels)),
      next_id_(next_id),
      // Looking at three pixels from any index on stays inside.
      store_(std::make_unique_for_overwrite<std::uint32_t[]>(std::size_t{window_pixels_} + 4)),
      slots_(std::make_unique<std::uint32_t[]>(std::size_t{1} << kSlotBits)) {}
GlzDictionary::~GlzDictionary() = default;
GlzDictionary::GlzDictionary(GlzDictionary&&) noexcept = default;
GlzDictionary& GlzDictionary::operator=(GlzDictionary&&) noexcept = default;

bool GlzDictionary::takes(const LzImage& image) const {
  if (!glz_has(image.type) || image.width == 0 || image.height == 0) return false;
  return std::uint64_t{image.width} * image.height < window_pixels_;
}

void GlzDictionary::restart(std::uint64_t next_id) {
  window_.clear();
  kept_pixels_ = 0;
  next_start_ = 0;
  first_valid_ = 0;
  next_id_ = next_id;
}

void GlzDictionary::make_room(std::uint32_t pixels) {
  while (kept_pixels_ + pixels > window_pixels_ || window_.size() >= kMaxImages) {
    kept_pixels_ -= window_.front().pixels;
    window_.pop_front();
  }
}

// An image lies in one piece, so the end of the store may be skipped. What is overwritten stays in the window's count, as
// the client counts it, but is not referred to any more.
std::uint64_t GlzDictionary::place(std::uint32_t pixels) {
  const auto left = window_pixels_ - next_start_ % window_pixels_;
  if (left < pixels) next_start_ += left;
  const auto start = next_start_;
  next_start_ += pixels;
  if (next_start_ > window_pixels_) first_valid_ = std::max(first_valid_, next_start_ - window_pixels_);
  return start;
}

void GlzDictionary::copy_in(const LzImage& image, std::uint32_t* to) const {
  for (std::uint32_t y = 0; y < image.height; ++y, to += image.width) {
    const auto* from = image.rows + std::ptrdiff_t{y} * image.stride;
    switch (image.type) {
      case LzType::Rgb16:
        for (std::uint32_t x = 0; x < image.width; ++x)
          to[x] = lz::load<std::uint16_t>(from + std::size_t{x} * 2) & 0x7fffU;
        break;
      case LzType::Rgb24:
        for (std::uint32_t x = 0; x + 1 < image.width; ++x)
          to[x] = lz::load<std::uint32_t>(from + std::size_t{x} * 3) & 0xffffff;
        to[image.width - 1] = lz::Rgb24Unit::key(from + std::size_t{image.width - 1} * 3);
        break;
      case LzType::Rgb32:
        for (std::uint32_t x = 0; x < image.width; ++x)
          to[x] = lz::load<std::uint32_t>(from + std::size_t{x} * 4) & 0xffffff;
        break;
      default: std::memcpy(to, from, std::size_t{image.width} * 4);
    }
  }
}

std::optional<GlzEncoded> GlzDictionary::encode(const LzImage& image, std::span<std::uint8_t> out) {
  if (!takes(image) || out.size() < glz_max_bytes(image.type, image.width, image.height)) return std::nullopt;
  const auto pixels = image.width * image.height;
  make_room(pixels);
  const Entry entry{next_id_++, place(pixels), pixels, image.type, image.width};
  const auto head = window_.empty() ? 0 : static_cast<std::uint32_t>(entry.id - window_.front().id);
  copy_in(image, store_.get() + entry.start % window_pixels_);

  auto* at = put_be(put_be(out.data(), lz::kMagic), lz::kVersion);
  *at++ = static_cast<std::uint8_t>(static_cast<unsigned>(image.type) | unsigned{image.top_down} << glz::kTopDownBit);
  for (const auto word : {image.width, image.height, static_cast<std::uint32_t>(lz_row_bytes(image.type, image.width))})
    at = put_be(at, word);
  at = put_be(put_be(at, entry.id), head);

  GlzMatcher matcher(*this, entry);
  switch (image.type) {
    case LzType::Rgb16: at = matcher.run<glz::Rgb16Pass>(at); break;
    case LzType::Rgba:
      at = matcher.run<glz::RgbaColourPass>(at);
      at = matcher.run<glz::AlphaPass>(at);
      break;
    default: at = matcher.run<glz::RgbPass>(at);
  }
  window_.push_back(entry);
  kept_pixels_ += pixels;
  return GlzEncoded{static_cast<std::size_t>(at - out.data()), entry.id, head};
}

}  // namespace spice::codec
