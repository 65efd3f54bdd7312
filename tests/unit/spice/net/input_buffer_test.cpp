#include "spice/net/input_buffer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

namespace spice::net {
namespace {

using Bytes = InputBuffer::Bytes;

// Bytes that tell their places in the stream.
class Stream {
 public:
  // What a read of at most `size` bytes puts into the buffer.
  std::size_t read(InputBuffer& buffer, std::size_t size) {
    const auto room = buffer.room();
    const auto part = room.first(std::min(room.size(), size));
    std::iota(part.begin(), part.end(), static_cast<std::uint8_t>(written_));
    written_ += part.size();
    buffer.add(part.size());
    return part.size();
  }
  void expect(const InputBuffer& buffer) const {
    const auto bytes = buffer.bytes();
    ASSERT_EQ(bytes.size(), written_ - taken_);
    auto place = taken_;
    for (const auto byte : bytes)
      ASSERT_EQ(byte, static_cast<std::uint8_t>(place++));
  }
  void take(InputBuffer& buffer, std::size_t count) {
    buffer.consume(count);
    taken_ += count;
  }

 private:
  std::size_t written_ = 0;
  std::size_t taken_ = 0;
};

TEST(InputBuffer, begins_small) {
  InputBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.bytes().empty());
  EXPECT_EQ(buffer.room().size(), InputBuffer::kLeast);
}

TEST(InputBuffer, bytes_come_in_order_whatever_is_read_and_taken) {
  InputBuffer buffer;
  Stream stream;
  for (std::size_t step = 1; step < 400; ++step) {
    stream.read(buffer, step * 7919 % 100'000);
    stream.expect(buffer);
    const auto here = buffer.bytes().size();
    stream.take(buffer, step % 5 == 0 ? here : here * (step % 4) / 4);
    stream.expect(buffer);
  }
}

TEST(InputBuffer, a_flood_is_read_in_ever_larger_parts) {
  InputBuffer buffer;
  Stream stream;
  std::size_t largest = 0;
  for (int i = 0; i < 10; ++i) {
    largest = std::max(largest, stream.read(buffer, 1 << 20));
    stream.take(buffer, buffer.bytes().size());
  }
  EXPECT_EQ(largest, InputBuffer::kMost);
}

TEST(InputBuffer, a_long_message_is_read_in_few_parts_and_leaves_no_memory) {
  constexpr std::size_t kMessage = 1 << 20;
  InputBuffer buffer;
  Stream stream;
  int reads = 0;
  while (buffer.bytes().size() < kMessage) {
    stream.read(buffer, kMessage - buffer.bytes().size());
    ++reads;
  }
  EXPECT_LT(reads, 16);
  stream.expect(buffer);
  stream.take(buffer, kMessage);
  EXPECT_EQ(buffer.room().size(), InputBuffer::kMost);
}

TEST(InputBuffer, after_a_flood_a_trickle_gives_the_memory_back) {
  InputBuffer buffer;
  Stream stream;
  for (int i = 0; i < 10; ++i) {
    stream.read(buffer, 1 << 20);
    stream.take(buffer, buffer.bytes().size());
  }
  for (int i = 0; i < 10; ++i) {
    stream.read(buffer, 20);
    stream.take(buffer, 20);
  }
  EXPECT_EQ(buffer.room().size(), InputBuffer::kLeast);
}

TEST(InputBuffer, takes_what_is_there_already_and_gives_all_away) {
  InputBuffer buffer(Bytes{1, 2, 3});
  buffer.consume(1);
  buffer.append(Bytes{4, 5});
  EXPECT_EQ(buffer.take(), (Bytes{2, 3, 4, 5}));
  EXPECT_TRUE(buffer.empty());
  buffer.append({});
  buffer.append(Bytes(300'000, 7));
  EXPECT_EQ(buffer.bytes().size(), 300'000U);
}

}  // namespace
}  // namespace spice::net
