// What a bare 64-bit guest has: ports, device memory, interrupts, other CPUs, a console and an exit. It runs at CPL 3
// (start.S says why): no cli, no sti, no syscalls. Its program is guest_main(), which every guest defines.
#pragma once

#include <cstddef>
#include <cstdint>

void guest_main();

namespace bare {

inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
inline void out16(std::uint16_t port, std::uint16_t value) {
  asm volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint16_t in16(std::uint16_t port) {
  std::uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline void in_string8(std::uint16_t port, void* to, std::size_t count) {
  asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
inline void in_string16(std::uint16_t port, void* to, std::size_t count) {
  asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
inline void in_string32(std::uint16_t port, void* to, std::size_t count) {
  asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
inline void out_string8(std::uint16_t port, const void* from, std::size_t count) {
  asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}
inline void out_string16(std::uint16_t port, const void* from, std::size_t count) {
  asm volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

inline void out_string32(std::uint16_t port, const void* from, std::size_t count) {
  asm volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

// A device register or a piece of memory by its physical address.
template <class T>
volatile T& at(std::uintptr_t address) {
  return *reinterpret_cast<volatile T*>(address);
}

inline void relax() {
  asm volatile("pause" ::: "memory");
}

void print(const char* text);                // debug console, port 402h
void print_number(std::uint64_t n);          // decimal
[[noreturn]] void exit(std::uint32_t code);  // debug exit, port F4h
// Ends the guest with code 1, saying what was expected.
void expect(bool holds, const char* what);

// Vectors 40h-5Fh. The handler runs on the interrupted stack and may itself be interrupted by higher vectors; the end
// of interrupt is sent after it returns.
using Handler = void (*)();
void on_interrupt(std::uint8_t vector, Handler handler);

constexpr std::uintptr_t kLocalApic = 0xfee00000;
inline volatile std::uint32_t& local_apic(std::uint32_t offset) {
  return at<std::uint32_t>(kLocalApic + offset);
}
// Fires `vector` every `count` ticks of the local APIC's timer (divided by one).
void start_timer(std::uint8_t vector, std::uint32_t count);
void send_interrupt(unsigned cpu, std::uint8_t vector);
// Runs `program` on CPU `cpu` (1-3, by local APIC id), its interrupts open. CPUs are started in order.
void start_cpu(unsigned cpu, void (*program)());
// Who enters the guest at kEntry in real mode next runs `program`, with the tables and stack of the next CPU: what
// firmware does that wakes the machine from sleep.
constexpr std::uint32_t kEntry = 0x8000;
void enter_next(void (*program)());

}  // namespace bare
