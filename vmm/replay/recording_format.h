// Our own recording of what a display was asked to show: a binary file, little-endian, that a later version of the
// program may refuse but never misreads.
//
//   file    "MVDISPLY", version (4 bytes), records to the end
//   record  length of the body (4 bytes), body: one Call
//
// In a body, integers and enumerations have the width of their type, truths one byte; a list has its count (4 bytes),
// an optional or shared value one byte that says whether it is there, a choice its number (1 byte), each before what it
// announces; structures are their fields in the order of call_fields.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vmm/replay/call.h"

namespace vmm::replay {

constexpr std::string_view kRecordingMagic = "MVDISPLY";
constexpr std::uint32_t kRecordingVersion = 1;
constexpr std::size_t kRecordingHeaderBytes = 12;
// No surface's pixels are more (spice/canvas/surface.h), and what comes with them is small.
constexpr std::uint32_t kMaxRecordBytes = 0x8000'0000;

std::vector<std::uint8_t> recording_header();
// A whole record.
std::vector<std::uint8_t> encode_record(const Call& call);
// Of a record's body; false if it makes no sense, with `call` in any state.
bool decode_record(std::span<const std::uint8_t> body, Call& call);

}  // namespace vmm::replay
