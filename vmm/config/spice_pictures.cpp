#include "vmm/config/spice_pictures.h"

#include <algorithm>
#include <string>

namespace vmm::config {

namespace {

template <auto Member>
void set(SpicePictures& pictures, std::size_t value) {
  using Value = std::remove_reference_t<decltype(pictures.*Member)>;
  pictures.*Member = static_cast<Value>(value);
}

template <auto Member>
std::size_t place(const SpicePictures& pictures) {
  return static_cast<std::size_t>(pictures.*Member);
}

template <auto Member>
constexpr SpicePictureOption option(std::string_view name, std::span<const std::string_view> values) {
  return {name, values, set<Member>, place<Member>};
}

constexpr SpicePictureOption kOptions[] = {
    option<&SpicePictures::compression>("image-compression", kSpiceCompressionNames),
    option<&SpicePictures::jpeg>("jpeg-wan-compression", kSpiceOnSlowLinesNames),
    option<&SpicePictures::streaming>("streaming-video", kSpiceStreamingNames),
    option<&SpicePictures::zlib_glz>("zlib-glz-wan-compression", kSpiceOnSlowLinesNames),
};

template <class Range, class Name>
std::string listed(const Range& all, Name name) {
  std::string text;
  const auto count = std::size(all);
  for (std::size_t i = 0; i < count; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == count ? " or " : ", ", name(all[i]));
  return text;
}

}  // namespace

std::span<const SpicePictureOption> spice_picture_options() {
  return kOptions;
}

core::Result<> set_spice_picture(SpicePictures& pictures, std::string_view name, std::string_view value) {
  const auto* const option = std::ranges::find(kOptions, name, &SpicePictureOption::name);
  if (option == std::end(kOptions)) {
    return core::fail("no setting \"{}\"; give {}", name,
                      listed(spice_picture_options(), [](const auto& one) { return one.name; }));
  }
  const auto found = std::ranges::find(option->values, value);
  if (found == option->values.end())
    return core::fail("{}={}: give {}", name, value, listed(option->values, [](std::string_view one) { return one; }));
  option->set(pictures, static_cast<std::size_t>(found - option->values.begin()));
  return {};
}

}  // namespace vmm::config
