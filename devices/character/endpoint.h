// One kind of host end: descriptors to wait on, and how bytes get in and out. Everything is called on the pump's
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace devices::character {

class Endpoint {
 public:
  virtual ~Endpoint() = default;

  virtual std::string name() const = 0;  // for messages: "file:/tmp/log"
  // Looks whether somebody is at the other side now; never blocks.
  virtual bool connect() = 0;
  // While nobody is: becomes readable when connect() is worth another try; -1: never.
  virtual int waits_on() const { return -1; }
  // How often connect() must be tried besides, in milliseconds; -1: never.
  virtual int retry_ms() const { return -1; }
  // While somebody is: descriptors to wait on; -1: this direction does not exist. They may be equal.
  virtual int input() const = 0;
  virtual int output() const = 0;
  // As read(2) and write(2), errno included. Called when poll() said that they would not block.
  virtual std::int64_t read(std::span<std::uint8_t> bytes) = 0;
  virtual std::int64_t write(std::span<const std::uint8_t> bytes) = 0;
  // Whether the end of input means that the other side is gone for both directions.
  virtual bool input_end_disconnects() const = 0;
  virtual void disconnect() = 0;
};

}  // namespace devices::character
