// The LZ vectors of tests/data/codec: images and encodings of them made by another encoder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>
#include <zlib.h>

#include "spice/codec/lz.h"

namespace lz_vectors {

using Bytes = std::vector<std::uint8_t>;

struct Vector {
  std::string name;
  spice::codec::LzType type = spice::codec::LzType::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t stride = 0;
  bool top_down = true;
  Bytes raw;
  std::vector<Bytes> encoded;

  spice::codec::LzImage image() const {
    return {type, width, height, raw.data(), static_cast<std::ptrdiff_t>(stride), top_down};
  }
};

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Bytes read_gzip(const std::filesystem::path& path) {
  Bytes bytes;
  const auto file = ::gzopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::uint8_t piece[65536];
  for (int n = 0; (n = ::gzread(file, piece, sizeof piece)) > 0;)
    bytes.insert(bytes.end(), piece, piece + n);
  ::gzclose(file);
  return bytes;
}

inline std::vector<Vector> load(const std::filesystem::path& folder) {
  std::vector<Vector> vectors;
  std::ifstream index(folder / "lz_index.txt");
  for (std::string line; std::getline(index, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Vector vector;
    unsigned type = 0;
    std::string raw;
    words >> vector.name >> type >> vector.width >> vector.height >> vector.stride >> vector.top_down >> raw;
    vector.type = static_cast<spice::codec::LzType>(type);
    vector.raw = read_gzip(folder / raw);
    for (std::string encoded; words >> encoded;)
      vector.encoded.push_back(read_file(folder / encoded));
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

// The bits of a stored image's byte `index` that its type says mean something.
inline std::uint8_t meaning(spice::codec::LzType type, std::size_t index) {
  switch (type) {
    case spice::codec::LzType::Rgb16: return index % 2 == 1 ? 0x7f : 0xff;
    case spice::codec::LzType::Rgb32: return index % 4 == 3 ? 0 : 0xff;
    case spice::codec::LzType::Xxxa: return index % 4 == 3 ? 0xff : 0;
    default: return 0xff;
  }
}

inline Bytes meaningful(spice::codec::LzType type, Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & meaning(type, i));
  return bytes;
}

}  // namespace lz_vectors
