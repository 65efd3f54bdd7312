#include "spice/codec/glz.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <emmintrin.h>
#include <new>
#include <sys/mman.h>
#include <type_traits>

#include "spice/codec/glz_format.h"

namespace spice::codec {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;
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

// How many of the first `limit` pixels are equal under the mask.
template <std::uint32_t Mask, class Pixel>
std::uint32_t equal_pixels(const Pixel* x, const Pixel* y, std::uint32_t limit) {
  constexpr std::uint32_t kStep = 16 / sizeof(Pixel);
  const auto load = [](const Pixel* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  const auto mask = _mm_set1_epi32(static_cast<int>(Mask));
  std::uint32_t i = 0;
  for (; i + kStep <= limit; i += kStep) {
    const auto difference = _mm_and_si128(_mm_xor_si128(load(x + i), load(y + i)), mask);
    const auto same = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(difference, _mm_setzero_si128())));
    if (same != 0xffff) return i + static_cast<unsigned>(std::countr_one(same)) / unsigned{sizeof(Pixel)};
  }
  while (i < limit && ((x[i] ^ y[i]) & Mask) == 0)
    ++i;
  return i;
}

// Where a match may come from: pixels from `at` on, `limit` of them, `images` back; `position` is what the stream says.
template <class Pixel>
struct Source {
  const Pixel* at = nullptr;
  std::uint32_t limit = 0;
  std::uint32_t images = 0;
  std::uint32_t position = 0;

  unsigned image_bytes() const {
    if (position >= glz::kShortPositions) return glz::bytes_of(images);
    return glz::bytes_of(images / glz::kShortImages);
  }
  // Of a match without the extension of its length.
  unsigned match_bytes() const { return 3 + image_bytes() + (position >= glz::kFarPositions ? 1 : 0); }
};

template <class Pass>
std::uint8_t* put_literals(std::uint8_t* to, const typename Pass::Pixel* from, std::size_t count) {
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

template <class Pixel>
std::uint8_t* put_match(std::uint8_t* to, std::uint32_t coded_length, const Source<Pixel>& source) {
  const bool far = source.position >= glz::kShortPositions;
  *to++ = static_cast<std::uint8_t>(std::min(coded_length, lz::kLengthEscape) << 5 | (far ? 16U : 0U) |
                                    (source.position & 15));
  if (coded_length >= lz::kLengthEscape) {
    const auto rest = coded_length - lz::kLengthEscape;
    if (const auto full = rest / 255; full > 0) {
      std::memset(to, 255, full);
      to += full;
    }
    *to++ = static_cast<std::uint8_t>(rest % 255);
  }
  *to++ = static_cast<std::uint8_t>(source.position >> 4);
  const auto more = source.image_bytes();
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

// A stored row into the dictionary's form: unused bits zero.
void load_row(LzType type, const std::uint8_t* from, std::uint32_t width, std::uint16_t* to) {
  if (type != LzType::Rgb16) return;
  for (std::uint32_t x = 0; x < width; ++x)
    to[x] = lz::load<std::uint16_t>(from + std::size_t{x} * 2) & 0x7fffU;
}

void load_row(LzType type, const std::uint8_t* from, std::uint32_t width, std::uint32_t* to) {
  if (type == LzType::Rgb24) {
    for (std::uint32_t x = 0; x + 1 < width; ++x)
      to[x] = lz::load<std::uint32_t>(from + std::size_t{x} * 3) & 0xffffff;
    to[width - 1] = lz::Rgb24Unit::key(from + std::size_t{width - 1} * 3);
  } else if (type == LzType::Rgb32) {
    for (std::uint32_t x = 0; x < width; ++x)
      to[x] = lz::load<std::uint32_t>(from + std::size_t{x} * 4) & 0xffffff;
  } else {
    std::memcpy(to, from, std::size_t{width} * 4);
  }
}

}  // namespace

// One image against the dictionary. Its rows are copied in shortly before they are looked at, while they are in the
// processor's near caches anyway.
template <class Pixel>
class GlzMatcher {
 public:
  using Entry = GlzDictionary::Entry;

  GlzMatcher(GlzDictionary& dictionary, const LzImage& image, const Entry& entry)
      : dictionary_(dictionary),
        image_(image),
        entry_(entry),
        store_(reinterpret_cast<Pixel*>(dictionary.pixels())),
        slots_(dictionary.slots()),
        long_slots_(dictionary.long_slots()),
        row_slots_(dictionary.row_slots()),
        begin_(first_of(entry)),
        end_(begin_ + entry.pixels),
        ready_(begin_),
        place_(same_place()) {}

  template <class Pass>
  std::uint8_t* run(std::uint8_t* to) {
    guess_ = {};
    row_guess_ = place_;
    load_more();
    const auto* at = begin_ + 1;
    const auto* literals = begin_;
    while (end_ - at >= 3) {
      if (ready_ - at < 3) load_more();
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
    while (ready_ < end_)
      load_more();
    return put_literals<Pass>(to, literals, static_cast<std::size_t>(end_ - literals));
  }

 private:
  struct Match {
    Source<Pixel> source;
    std::uint32_t length = 0;
  };
  // A source that has been good before, for the pixels that follow: the one of pixel p is p - distance.
  struct Guess {
    std::ptrdiff_t distance = 0;   // 0: none
    const Entry* image = nullptr;  // none: this one
  };
  static constexpr unsigned kHalfWords = std::is_same_v<Pixel, std::uint16_t> ? 1 : 2;  // a pixel
  static constexpr std::uint32_t kLoadAtOnce = 8192;                                    // pixels
  static constexpr std::uint32_t kLong = 8;         // pixels, of the hash that finds long matches
  static constexpr std::uint32_t kLeastOfRow = 16;  // where less is equal, something else often fits better
  static constexpr std::uint32_t kSamples = 8;      // of a row
  static constexpr unsigned kLeastAlike = 3;        // of them, more than chance would have

  const Pixel* first_of(const Entry& entry) const { return store_ + std::size_t{entry.index} * (2 / kHalfWords); }

  void load_more() {
    auto* to = store_ + (ready_ - store_);
    for (const auto* enough = to + kLoadAtOnce; to < enough && next_row_ < image_.height; ++next_row_) {
      load_row(image_.type, image_.rows + std::ptrdiff_t{next_row_} * image_.stride, image_.width, to);
      if (ready_ != to) enter(row_slot(to), to);
      to += image_.width;
    }
    if (to != ready_) guess_rows(ready_);
    ready_ = to;
  }

  // Of a table: what a hash leads to, and the bits of the hash by which to know one's own there.
  struct Slot {
    std::uint32_t* at;
    std::uint32_t tag;
  };
  // What is in it counts half words, so that it leads into the store whatever type that is taken for.
  static constexpr unsigned kTagShift = 26;
  static_assert(std::uint64_t{kGlzMaxPixels} * 2 <= std::uint64_t{1} << kTagShift);

  static Slot slot_of(std::uint32_t* table, unsigned bits, std::uint64_t hash) {
    return {table + (hash >> (64 - bits)), static_cast<std::uint32_t>(hash >> 32) << kTagShift};
  }
  void enter(Slot slot, const Pixel* at) const {
    *slot.at = static_cast<std::uint32_t>(at - store_) * kHalfWords | slot.tag;
  }
  static bool is_other(Slot slot) { return (*slot.at ^ slot.tag) >> kTagShift != 0; }

  template <class Pass>
  Slot short_slot(const Pixel* at) const {
    const auto pair = std::uint64_t{at[0] & Pass::mask} | std::uint64_t{at[1] & Pass::mask} << 32;
    const auto mixed = pair * 0x9e3779b97f4a7c15 ^ (at[2] & Pass::mask) * 0xc2b2ae3d27d4eb4f;
    return slot_of(slots_, GlzDictionary::kSlotBits, mixed * 0x9e3779b97f4a7c15);
  }

  template <class Pass>
  Slot long_slot(const Pixel* at) const {
    constexpr auto kMask = Pass::mask | std::uint64_t{Pass::mask} << 32;
    constexpr std::array<std::uint64_t, 4> kOdd = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
                                                   0x27d4eb2f165667c5};
    std::array<std::uint64_t, kLong * sizeof(Pixel) / 8> words;
    std::memcpy(words.data(), at, sizeof words);
    std::uint64_t mixed = 0;
    for (std::size_t i = 0; i < words.size(); ++i)
      mixed += (words[i] & kMask) * kOdd[i];
    return slot_of(long_slots_, GlzDictionary::kLongSlotBits, (mixed ^ mixed >> 29) * kOdd[0]);
  }

  const Pixel& sample(const Pixel* row, std::uint32_t i) const {
    return row[(2 * i + 1) * image_.width / (2 * kSamples)];
  }

  Slot row_slot(const Pixel* row) const {
    std::uint64_t mixed = image_.width;
    for (std::uint32_t i = 0; i < kSamples; ++i)
      mixed = ((mixed ^ mixed >> 29) + sample(row, i)) * 0x9e3779b97f4a7c15;
    return slot_of(row_slots_, GlzDictionary::kRowSlotBits, mixed);
  }

  template <class Pass>
  static bool same(Pixel x, Pixel y) {
    return ((x ^ y) & Pass::mask) == 0;
  }

  bool is_valid(const Entry& entry) const { return entry.start >= dictionary_.first_valid_; }

  // Pictures of the same place often have the same size: then the image before is looked at first.
  Guess same_place() const {
    if (dictionary_.window_.empty()) return {};
    const auto& last = dictionary_.window_.back();
    if (last.type != entry_.type || last.width != entry_.width || last.pixels != entry_.pixels || !is_valid(last))
      return {};
    return {begin_ - first_of(last), &last};
  }

  Source<Pixel> in_this(const Pixel* at, const Pixel* source) const {
    return {source, static_cast<std::uint32_t>(end_ - at), 0, static_cast<std::uint32_t>(at - source - 1)};
  }
  // Nothing where the format cannot say it or the pixels are not those of the image.
  std::optional<Source<Pixel>> in_other(const Pixel* at, const Pixel* source, const Entry& entry) const {
    const auto position = source - first_of(entry);
    // [reference server: never position 0 of another image]
    if (position <= 0 || position >= std::ptrdiff_t{entry.pixels}) return std::nullopt;
    const auto limit = std::min(end_ - at, std::ptrdiff_t{entry.pixels} - position);
    return Source<Pixel>{source, static_cast<std::uint32_t>(limit), static_cast<std::uint32_t>(entry_.id - entry.id),
                         static_cast<std::uint32_t>(position)};
  }

  // The image of the window, of our type, that has this word of the store.
  const Entry* owner(std::uint32_t word) {
    auto start = entry_.start - entry_.index + word;  // if it has been written since the ring began anew
    if (word >= entry_.index) {
      if (start < dictionary_.window_pixels_) return nullptr;
      start -= dictionary_.window_pixels_;
    }
    if (owner_ == nullptr || start < owner_->start || start - owner_->start >= owner_->words) {
      const auto& window = dictionary_.window_;
      auto found = std::upper_bound(window.begin(), window.end(), start,
                                    [](std::uint64_t value, const Entry& entry) { return value < entry.start; });
      if (found == window.begin()) return nullptr;
      --found;
      if (start - found->start >= found->words || !is_valid(*found) || found->type != entry_.type) return nullptr;
      if (entry_.id - found->id > glz::kMaxImageDistance) return nullptr;
      owner_ = &*found;
    }
    return owner_;
  }

  template <class Pass>
  Match measure(const Pixel* at, const Source<Pixel>& source) {
    std::uint32_t length = 0;
    for (;;) {
      const auto loaded = static_cast<std::uint32_t>(std::min(ready_ - at, std::ptrdiff_t{source.limit}));
      length += equal_pixels<Pass::mask>(at + length, source.at + length, loaded - length);
      if (length < loaded || loaded == source.limit) break;
      load_more();
    }
    if (length < Pass::least || length * Pass::literal <= source.match_bytes()) return {};
    return {source, length};
  }

  template <class Pass>
  Match guessed(const Pixel* at, const Guess& guess) {
    if (!reaches(at, guess, 3)) return {};
    const auto* source = at - guess.distance;
    if (!same<Pass>(at[0], source[0]) || !same<Pass>(at[1], source[1]) || !same<Pass>(at[2], source[2])) return {};
    if (guess.image == nullptr) return measure<Pass>(at, in_this(at, source));
    const auto other = in_other(at, source, *guess.image);
    return other ? measure<Pass>(at, *other) : Match{};
  }

  // Whether that many pixels of the guess are there to be looked at.
  bool reaches(const Pixel* at, const Guess& guess, std::uint32_t count) const {
    if (guess.image == nullptr) return guess.distance != 0 && guess.distance <= at - begin_;
    const auto position = at - guess.distance - first_of(*guess.image);
    return position >= 0 && position + std::ptrdiff_t{count} <= std::ptrdiff_t{guess.image->pixels};
  }

  unsigned alike(const Pixel* row, const Guess& guess) const {
    if (!reaches(row, guess, image_.width)) return 0;
    unsigned count = 0;
    for (std::uint32_t i = 0; i < kSamples; ++i)
      count += sample(row, i) == sample(row - guess.distance, i) ? 1 : 0;
    return count;
  }

  // Where most of some rows, of which this is the first, was before: further on as the rows above them, or anywhere
  // else where samples are the same, as after scrolling, or at the same place of the image before.
  void guess_rows(const Pixel* row) {
    const auto slot = row_slot(row);
    const auto as_above = alike(row, row_guess_);
    if (as_above < kSamples) {
      const auto elsewhere = led(slot, row);
      const auto in_place = alike(row, place_);
      if (alike(row, elsewhere) == kSamples) {
        row_guess_ = elsewhere;
      } else if (std::max(as_above, in_place) < kLeastAlike) {
        row_guess_ = {};
      } else if (in_place > as_above) {
        row_guess_ = place_;
      }
    }
    enter(slot, row);
  }

  // Where a slot leads; nowhere if what it leads to is not kept or not seen yet.
  Guess led_in_this(Slot slot, const Pixel* at) const {
    const auto* source = store_ + (*slot.at ^ slot.tag) / kHalfWords;
    if (is_other(slot) || source < begin_ || source >= at) return {};
    return {at - source, nullptr};
  }
  Guess led(Slot slot, const Pixel* at) {
    const auto half_words = *slot.at ^ slot.tag;
    const auto* source = store_ + half_words / kHalfWords;
    if (is_other(slot) || (source >= at && source < end_)) return {};
    if (source >= begin_ && source < at) return {at - source, nullptr};
    const auto* entry = owner(half_words / 2);
    return entry != nullptr ? Guess{at - source, entry} : Guess{};
  }

  template <class Pass>
  Match find(const Pixel* at) {
    if (const auto match = guessed<Pass>(at, row_guess_); match.length >= kLeastOfRow) return match;
    if (const auto match = guessed<Pass>(at, guess_); match.length > 0) return match;
    if (same<Pass>(at[0], at[-1]) && same<Pass>(at[1], at[0]) && same<Pass>(at[2], at[0])) {
      if (const auto match = measure<Pass>(at, in_this(at, at - 1)); match.length > 0) return match;
    }
    const auto slot = short_slot<Pass>(at);
    if (is_other(slot)) {
      enter(slot, at);
      return {};
    }
    // What was seen last of three pixels seldom goes on as it does here: among letters of two colours three are always
    // found, and matches would be of little more.
    if (ready_ - at >= std::ptrdiff_t{kLong}) {
      const auto longer = long_slot<Pass>(at);
      const auto guess = led_in_this(longer, at);
      enter(longer, at);
      if (const auto match = taken<Pass>(at, guess); match.length >= kLong) {
        enter(slot, at);
        return match;
      }
    }
    const auto guess = led(slot, at);
    enter(slot, at);
    return taken<Pass>(at, guess);
  }

  // A match where a slot led: it may go on there.
  template <class Pass>
  Match taken(const Pixel* at, const Guess& guess) {
    const auto match = guessed<Pass>(at, guess);
    if (match.length > 0) guess_ = guess;
    return match;
  }

  // Enters the last two pixels of a match; the others are not worth it.
  template <class Pass>
  void remember_end(const Pixel* at) {
    if (end_ - at < 1) return;
    if (ready_ - at < 2) load_more();
    enter(short_slot<Pass>(at - 2), at - 2);
    if (end_ - at < 2) return;
    enter(short_slot<Pass>(at - 1), at - 1);
  }

  GlzDictionary& dictionary_;
  const LzImage& image_;
  const Entry entry_;
  Pixel* const store_;
  std::uint32_t* const slots_;
  std::uint32_t* const long_slots_;
  std::uint32_t* const row_slots_;
  const Pixel* const begin_;
  const Pixel* const end_;
  const Pixel* ready_;            // pixels before it have been copied in
  std::uint32_t next_row_ = 0;    // to be copied
  Guess guess_;                   // where the last match that was searched for came from
  const Entry* owner_ = nullptr;  // that was found last
  const Guess place_;             // the same place of the image before, if that has the same size
  Guess row_guess_;               // of the row that was copied in last
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
      store_(allocate(window_pixels_)) {}

// Memory comes to be when it is written to first, in large pages where the system has them: a full screen's first image
// would otherwise cost a thousand page faults, which take as long as its encoding.
GlzDictionary::Store GlzDictionary::allocate(std::size_t pixels) {
  const auto bytes = (kTables + pixels) * sizeof(std::uint32_t);
  auto* const store = static_cast<std::uint32_t*>(::operator new(bytes, std::align_val_t{kLargePage}));
  ::madvise(store, bytes, MADV_HUGEPAGE);  // a wish: without it all is the same, but slower
  std::memset(store, 0, kTables * sizeof *store);
  return Store(store);
}

void GlzDictionary::Release::operator()(std::uint32_t* store) const {
  ::operator delete(store, std::align_val_t{kLargePage});
}

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

// An image lies in one piece, so the end of the store may be skipped. What is overwritten stays in the window's count,
// as the client counts it, but is not referred to any more.
std::uint64_t GlzDictionary::place(std::uint32_t words) {
  const auto left = window_pixels_ - next_start_ % window_pixels_;
  if (left < words) next_start_ += left;
  const auto start = next_start_;
  next_start_ += words;
  if (next_start_ > window_pixels_) first_valid_ = std::max(first_valid_, next_start_ - window_pixels_);
  return start;
}

std::optional<GlzEncoded> GlzDictionary::encode(const LzImage& image, std::span<std::uint8_t> out) {
  if (!takes(image) || out.size() < glz_max_bytes(image.type, image.width, image.height)) return std::nullopt;
  const auto pixels = image.width * image.height;
  make_room(pixels);
  const auto words = image.type == LzType::Rgb16 ? (pixels + 1) / 2 : pixels;
  const auto start = place(words);
  const Entry entry{.id = next_id_++,
                    .start = start,
                    .index = static_cast<std::uint32_t>(start % window_pixels_),
                    .pixels = pixels,
                    .words = words,
                    .width = image.width,
                    .type = image.type};
  const auto head = window_.empty() ? 0 : static_cast<std::uint32_t>(entry.id - window_.front().id);

  auto* at = put_be(put_be(out.data(), lz::kMagic), lz::kVersion);
  *at++ = static_cast<std::uint8_t>(static_cast<unsigned>(image.type) | unsigned{image.top_down} << glz::kTopDownBit);
  for (const auto word : {image.width, image.height, static_cast<std::uint32_t>(lz_row_bytes(image.type, image.width))})
    at = put_be(at, word);
  at = put_be(put_be(at, entry.id), head);

  switch (image.type) {
    case LzType::Rgb16: at = GlzMatcher<std::uint16_t>(*this, image, entry).run<glz::Rgb16Pass>(at); break;
    case LzType::Rgba: {
      GlzMatcher<std::uint32_t> matcher(*this, image, entry);
      at = matcher.run<glz::RgbaColourPass>(at);
      at = matcher.run<glz::AlphaPass>(at);
      break;
    }
    default: at = GlzMatcher<std::uint32_t>(*this, image, entry).run<glz::RgbPass>(at);
  }
  window_.push_back(entry);
  kept_pixels_ += pixels;
  return GlzEncoded{static_cast<std::size_t>(at - out.data()), entry.id, head};
}

}  // namespace spice::codec
