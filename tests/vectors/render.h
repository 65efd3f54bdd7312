// The verb of spice-vectors that draws: one drawing of tests/data/render, or of vectors like them, on one surface.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace vectors {

// CASE.json FOLDER OUT.raw: draws the case, whose images and surfaces are files of FOLDER, and writes the surface, row
// after row as its description says. 0 if that worked; throws std::exception with a reason otherwise.
int render(const std::vector<std::string>& arguments);

// The surface of a case of cases.json after the drawing. `images`: what cases.json says of its images.
std::vector<std::uint8_t> rendered(const nlohmann::json& description, const nlohmann::json& images,
                                   const std::string& folder);

// A file without its gzip wrapping. Throws if there is no such file.
std::vector<std::uint8_t> read_gzip(const std::string& path);

}  // namespace vectors
