// The process in which NativeCpu runs cases. A program of its own, which no sanitizer is built into: a sanitizer's
// shadow memory would be there for cases to read and write where the software CPU has nothing.
//
// Arguments: the descriptors of the batch, of orders and of answers, each a byte for a batch.
#include <array>
#include <asm/ldt.h>
#include <bit>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <linux/seccomp.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "tests/unit/vmm/cpu/soft/differential/native_batch.h"

namespace vmm::cpu::soft::differential {
namespace {

// Of Linux: selectors of user code and data. [arch/x86/include/asm/segment.h]
constexpr std::uint64_t kCode32Selector = 0x23, kCode64Selector = 0x33, kDataSelector = 0x2b;
// Of our own in the LDT (TI set), CPL 3. [SDM 3A 3.4.2]
constexpr unsigned kCode16Entry = 0, kData16Entry = 1;
constexpr std::uint64_t kCode16Selector = kCode16Entry << 3 | 7, kData16Selector = kData16Entry << 3 | 7;
// Of the XSAVE area in a signal frame, and what Linux tells of it in the part for software. [SDM 1 13.4]
// [arch/x86/include/uapi/asm/sigcontext.h]
constexpr unsigned kXstateBvOffset = 512, kYmmHighOffset = 576, kFrameFeaturesOffset = 472;
constexpr std::uint8_t kXstateAvx = 4;
constexpr std::size_t kSignalStack = 256 * 1024;
constexpr std::array kSignals{SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// REG_* of the registers in encoding order.
constexpr std::array kGeneral{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

struct Range {
  void* start;
  std::size_t bytes;
};

// All that a signal handler knows.
struct Child {
  NativeBatch* batch = nullptr;
  int orders = -1, answers = -1;
  std::uint8_t* code = nullptr;  // where the code page can be written to
  std::uint8_t* data = nullptr;
  std::size_t next = 0;  // case
  bool running = false;  // the case before `next`
  // Mapped right below 2^47, where many random pointers lead and the software CPU has nothing.
  std::array<Range, 8> on_top{};
  bool confined = false;
};
Child child;

[[noreturn]] void leave_child() {
  while (true)
    syscall(SYS_exit, 0);
}

void save_ymm_high(const std::uint8_t* frame, Registers& registers) {
  registers.ymm_high = {};  // where they are in their initial state, the frame has none
  if ((frame[kXstateBvOffset] & kXstateAvx) != 0)
    std::memcpy(registers.ymm_high.data(), frame + kYmmHighOffset, kYmmHighBytes);
}
void load_ymm_high(const Registers& registers, std::uint8_t* frame) {
  if ((frame[kFrameFeaturesOffset] & kXstateAvx) == 0) return;
  frame[kXstateBvOffset] |= kXstateAvx;
  std::memcpy(frame + kYmmHighOffset, registers.ymm_high.data(), kYmmHighBytes);
}

void save_outcome(const ucontext_t& context, Outcome& outcome) {
  const auto& registers = context.uc_mcontext.gregs;
  outcome.vector = static_cast<std::uint8_t>(registers[REG_TRAPNO]);
  outcome.error_code = static_cast<std::uint32_t>(registers[REG_ERR]);
  outcome.address = static_cast<std::uint64_t>(registers[REG_CR2]);
  outcome.rip = static_cast<std::uint64_t>(registers[REG_RIP]);
  for (std::size_t i = 0; i < kGeneral.size(); ++i)
    outcome.after.general[i] = static_cast<std::uint64_t>(registers[kGeneral[i]]);
  outcome.after.flags = static_cast<std::uint32_t>(registers[REG_EFL]);
  std::memcpy(outcome.after.fx.data(), context.uc_mcontext.fpregs, kFxBytes);
  save_ymm_high(reinterpret_cast<const std::uint8_t*>(context.uc_mcontext.fpregs), outcome.after);
  std::memcpy(outcome.memory.data(), child.data, kPage);
}

// 64-bit code has no use for them, and is left alone by what they are.
void load_data_segments(std::uint64_t selector) {
  asm volatile("mov %0, %%ds\n mov %0, %%es" ::"r"(static_cast<std::uint32_t>(selector)));
}

bool make_segment(unsigned entry, std::uint64_t base, unsigned contents) {
  user_desc segment{};
  segment.entry_number = entry;
  segment.base_addr = static_cast<unsigned>(base);
  segment.limit = kLimit16;
  segment.contents = contents & 3;
  constexpr int kWrite = 1;
  return syscall(SYS_modify_ldt, kWrite, &segment, sizeof segment) == 0;
}
bool make_16_bit_segments() {
  return make_segment(kCode16Entry, code_base(Segments::Bits16), MODIFY_LDT_CONTENTS_CODE) &&
         make_segment(kData16Entry, data_base(Segments::Bits16), MODIFY_LDT_CONTENTS_DATA);
}

void load_case(ucontext_t& context, const Case& one) {
  std::memset(child.code, kBreakpoint, kPage);
  std::memcpy(child.code, one.code.data(), one.size);
  std::memcpy(child.data, child.batch->memory.data(), kPage);

  auto& registers = context.uc_mcontext.gregs;
  for (std::size_t i = 0; i < kGeneral.size(); ++i)
    registers[kGeneral[i]] = static_cast<greg_t>(one.before.general[i]);
  registers[REG_RIP] = static_cast<greg_t>(kCodeAddress - code_base(one.segments));
  registers[REG_EFL] = one.before.flags;
  const bool is_16 = one.segments == Segments::Bits16;
  const std::uint64_t code_selector = is_16                              ? kCode16Selector
                                      : one.segments == Segments::Bits32 ? kCode32Selector
                                                                         : kCode64Selector;
  const std::uint64_t data_selector = is_16 ? kData16Selector : kDataSelector;
  registers[REG_CSGSFS] = static_cast<greg_t>((static_cast<std::uint64_t>(registers[REG_CSGSFS]) & 0xffffffff0000) |
                                              code_selector | data_selector << 48);
  load_data_segments(data_selector);  // signal frames have none
  auto* frame = reinterpret_cast<std::uint8_t*>(context.uc_mcontext.fpregs);
  std::memcpy(frame, one.before.fx.data(), kFxBytes);
  frame[kXstateBvOffset] |= 3;  // x87 and SSE are to be loaded, whatever they were
  load_ymm_high(one.before, frame);
}

// The process has no stack but that of signals then, and no way to do anything but this.
void confine() {
  for (const auto& range : child.on_top) {
    if (range.bytes > 0) munmap(range.start, range.bytes);
  }
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) leave_child();
  child.confined = true;
}

void handle_signal(int, siginfo_t*, void* data) {
  if (!child.confined) confine();
  auto& context = *static_cast<ucontext_t*>(data);
  NativeBatch& batch = *child.batch;
  if (child.running) save_outcome(context, batch.outcomes[child.next - 1]);
  if (!child.running || child.next == batch.count) {
    char byte = 0;
    if (child.running && write(child.answers, &byte, 1) != 1) leave_child();
    if (read(child.orders, &byte, 1) != 1) leave_child();
    child.next = 0;
  }
  child.running = true;
  load_case(context, batch.cases[child.next++]);
}

std::uint8_t* map_page(std::uint64_t address, int protection, int file) {
  void* wanted = std::bit_cast<void*>(address);
  void* page = mmap(wanted, kPage, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
  return page == wanted ? static_cast<std::uint8_t*>(page) : nullptr;
}

// The pages that both CPUs have; cases must not change their own code.
bool map_pages() {
  const int code = memfd_create("code", MFD_CLOEXEC), data = memfd_create("data", MFD_CLOEXEC);
  if (ftruncate(code, kPage) != 0 || ftruncate(data, kPage) != 0) return false;
  void* alias = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, code, 0);
  child.code = static_cast<std::uint8_t*>(alias);
  child.data = map_page(kDataAddress, PROT_READ | PROT_WRITE, data);
  return alias != MAP_FAILED && child.data != nullptr && map_page(kCodeAddress, PROT_READ | PROT_EXEC, code) != nullptr;
}

void find_what_is_on_top() {
  std::ifstream maps("/proc/self/maps");
  auto* range = child.on_top.begin();
  for (std::string line; std::getline(maps, line) && range != child.on_top.end();) {
    if (!line.contains("[stack") && !line.contains("[vdso") && !line.contains("[vvar")) continue;
    const auto start = std::stoull(line, nullptr, 16);
    const auto end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    *range++ = {std::bit_cast<void*>(start), end - start};
  }
}

[[noreturn]] void live_in_signals() {
  find_what_is_on_top();
  void* stack = mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const stack_t alternate{.ss_sp = stack, .ss_flags = 0, .ss_size = kSignalStack};
  if (stack == MAP_FAILED || sigaltstack(&alternate, nullptr) != 0) leave_child();
  if (!map_pages()) leave_child();
  struct sigaction action = {};
  action.sa_sigaction = handle_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int signal : kSignals)
    sigaction(signal, &action, nullptr);
  if (!make_16_bit_segments()) leave_child();
  asm volatile("int3");
  leave_child();
}

}  // namespace
}  // namespace vmm::cpu::soft::differential

int main(int count, char** arguments) {
  using namespace vmm::cpu::soft::differential;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count != 4) return EXIT_FAILURE;
  child.orders = std::atoi(arguments[2]);
  child.answers = std::atoi(arguments[3]);
  child.batch = map_batch(std::atoi(arguments[1]));
  if (child.batch != nullptr) live_in_signals();
  return EXIT_FAILURE;
}
