// The C++ side of start.S; see bare.h.
#include "tests/guest/bare/bare.h"

extern "C" {

extern void (*first_constructor[])();
extern void (*last_constructor[])();

[[noreturn]] void guest_entry(unsigned cpu);
void bare_interrupt(std::uint64_t vector);

// The compiler calls these four by itself.
void* memset(void* to, int value, std::size_t count) {
  auto* start = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  return start;
}
void* memcpy(void* to, const void* from, std::size_t count) {
  auto* start = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
  return start;
}
void* memmove(void* to, const void* from, std::size_t count) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out <= in) return memcpy(to, from, count);
  while (count-- > 0)
    *(out + count) = *(in + count);
  return to;
}
int memcmp(const void* a, const void* b, std::size_t count) {
  const auto* x = static_cast<const volatile unsigned char*>(a);
  const auto* y = static_cast<const volatile unsigned char*>(b);
  for (; count > 0; --count, ++x, ++y) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}
}

namespace bare {

namespace {

constexpr std::uint32_t kApicEoi = 0xb0;
constexpr std::uint32_t kApicSpurious = 0xf0;
constexpr std::uint32_t kApicCommand = 0x300;
constexpr std::uint32_t kApicCommandHigh = 0x310;
constexpr std::uint32_t kApicTimer = 0x320;
constexpr std::uint32_t kApicLint0 = 0x350;
constexpr std::uint32_t kApicTimerCount = 0x380;
constexpr std::uint32_t kApicTimerDivide = 0x3e0;
constexpr std::uint32_t kMasked = 1u << 16;
constexpr std::uint8_t kFirstVector = 0x40;
constexpr unsigned kVectors = 32;
constexpr std::uint32_t kStartPage = 0x08;  // start.S lies at 8000h

Handler handlers[kVectors];
void (*volatile next_program)();

void command(unsigned cpu, std::uint32_t what) {
  local_apic(kApicCommandHigh) = cpu << 24;
  local_apic(kApicCommand) = what;
}

void open_local_apic() {
  local_apic(kApicLint0) = kMasked;
  local_apic(kApicSpurious) = 0x1ff;
}

}  // namespace

void print(const char* text) {
  for (; *text != '\0'; ++text)
    out8(0x402, static_cast<std::uint8_t>(*text));
}

void print_number(std::uint64_t n) {
  char digits[21];
  auto* at_digit = digits + 20;
  *at_digit = '\0';
  do {
    *--at_digit = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n > 0);
  print(at_digit);
}

void exit(std::uint32_t code) {
  out32(0xf4, code);
  for (;;)
    relax();
}

void expect(bool holds, const char* what) {
  if (holds) return;
  print("expected: ");
  print(what);
  print("\n");
  exit(1);
}

void on_interrupt(std::uint8_t vector, Handler handler) {
  handlers[vector - kFirstVector] = handler;
}

void start_timer(std::uint8_t vector, std::uint32_t count) {
  local_apic(kApicTimerDivide) = 0xb;
  local_apic(kApicTimer) = 1u << 17 | vector;  // periodic
  local_apic(kApicTimerCount) = count;
}

void send_interrupt(unsigned cpu, std::uint8_t vector) {
  command(cpu, vector);
}

void enter_next(void (*program)()) {
  next_program = program;
}

void start_cpu(unsigned cpu, void (*program)()) {
  enter_next(program);
  command(cpu, 0x4500);               // INIT, assert
  command(cpu, 0x4600 | kStartPage);  // SIPI
  while (next_program != nullptr)
    relax();
}

}  // namespace bare

// Handlers run with the interrupt in service, as in an operating system.
void bare_interrupt(std::uint64_t vector) {
  if (const auto handler = bare::handlers[vector - bare::kFirstVector]; handler != nullptr) handler();
  bare::local_apic(bare::kApicEoi) = 0;
}

void guest_entry(unsigned cpu) {
  if (cpu == 0) {
    bare::open_local_apic();
    for (auto constructor = first_constructor; constructor != last_constructor; ++constructor)
      (*constructor)();
    guest_main();
    bare::exit(0);
  }
  bare::open_local_apic();
  const auto program = bare::next_program;
  bare::next_program = nullptr;
  program();
  for (;;)
    bare::relax();
}
