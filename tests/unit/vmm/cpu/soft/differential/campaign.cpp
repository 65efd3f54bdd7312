#include "tests/unit/vmm/cpu/soft/differential/campaign.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "tests/unit/vmm/cpu/soft/differential/generator.h"
#include "tests/unit/vmm/cpu/soft/differential/native.h"
#include "tests/unit/vmm/cpu/soft/differential/soft.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft::differential {
namespace {

constexpr std::uint64_t kDefaultSeed = 20240229;
constexpr std::size_t kMaxReports = 12;
constexpr std::uint8_t kNop = 0x90;
constexpr std::array<const char*, 16> kNames{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                             "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

std::string_view name_of(Segments segments) {
  return segments == Segments::Bits16 ? "16:" : segments == Segments::Bits32 ? "32:" : "64:";
}
// Of a regression; without one it is 64-bit code.
Segments segments_in(std::string_view code) {
  return code.starts_with("16:") ? Segments::Bits16 : code.starts_with("32:") ? Segments::Bits32 : Segments::Bits64;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

std::string hex(std::uint64_t value) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return std::string(text.data(), end);
}

// What is not zero.
std::string describe_fx(const Registers& registers) {
  std::string text = "    control " + hex(registers.fx_field<std::uint16_t>(kFxControl)) + " status " +
                     hex(registers.fx_field<std::uint16_t>(kFxStatus)) + " tag " +
                     hex(registers.fx_field<std::uint8_t>(kFxTag)) + " mxcsr " +
                     hex(registers.fx_field<std::uint32_t>(kFxMxcsr)) + "\n   ";
  for (unsigned at = kFxSt; at < kFxBytes; at += 16) {
    const auto low = registers.fx_field<std::uint64_t>(at), high = registers.fx_field<std::uint64_t>(at + 8);
    if (low == 0 && high == 0) continue;
    text += at < kFxXmm ? " st" + std::to_string((at - kFxSt) / 16) : " xmm" + std::to_string((at - kFxXmm) / 16);
    text += "=" + hex(high) + ":" + hex(low);
  }
  for (unsigned at = 0; at < kYmmHighBytes; at += 16) {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), registers.ymm_high.data() + at, sizeof halves);
    if (halves[0] != 0 || halves[1] != 0)
      text += " ymm" + std::to_string(at / 16) + "h=" + hex(halves[1]) + ":" + hex(halves[0]);
  }
  return text + "\n";
}

// One line for each difference.
class Differences {
 public:
  void compare(const std::string& what, std::uint64_t native, std::uint64_t soft) {
    if (native != soft) text_ += "    " + what + ": host " + hex(native) + ", soft " + hex(soft) + "\n";
  }
  void compare_bytes(const std::string& what, std::span<const std::uint8_t> native,
                     std::span<const std::uint8_t> soft) {
    if (std::memcmp(native.data(), soft.data(), native.size()) == 0) return;
    for (std::size_t i = 0; i < native.size(); i += 8) {
      std::uint64_t a = 0, b = 0;
      std::memcpy(&a, &native[i], sizeof a);
      std::memcpy(&b, &soft[i], sizeof b);
      compare(what + "+" + hex(i), a, b);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Runner {
 public:
  explicit Runner(const Campaign& campaign) : campaign_(campaign) {}

  // False: the host's side is gone.
  bool run(std::span<const Case> cases, const Memory& memory) {
    const std::span<const Outcome> outcomes = native_.run(cases, memory);
    if (outcomes.size() != cases.size()) {
      failures_["(host)"] = native_.error() + "\n";
      return false;
    }
    // Shrinking runs other cases in the same place.
    std::vector<std::size_t> different;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (!differences(cases[i], memory, outcomes[i]).empty()) different.push_back(i);
    }
    for (const std::size_t i : different) {
      if (failures_.size() < kMaxReports) report(cases[i], memory);
    }
    return true;
  }
  std::string failures() const {
    std::string text;
    for (const auto& [mnemonic, report] : failures_)
      text += report;
    return text;
  }

 private:
  std::string differences(const Case& one, const Memory& memory, const Outcome& host);
  void report(const Case& one, const Memory& memory);
  bool outcome_of(const Case& one, const Memory& memory, Outcome& outcome) {
    const auto outcomes = native_.run({&one, 1}, memory);
    if (outcomes.size() == 1) outcome = outcomes[0];
    return outcomes.size() == 1;
  }

  const Campaign& campaign_;
  NativeCpu native_;
  SoftCpu soft_;
  Outcome soft_outcome_;
  std::map<std::string, std::string> failures_;  // by mnemonic: one of each will do
};

std::string Runner::differences(const Case& one, const Memory& memory, const Outcome& host) {
  soft_.run(one, memory, soft_outcome_);
  Outcome& soft = soft_outcome_;
  std::unique_ptr<Outcome> changed;
  const Outcome* native = &host;
  if (campaign_.forgive) {
    changed = std::make_unique<Outcome>(host);
    campaign_.forgive(one, *changed, soft);
    native = changed.get();
  }
  Differences found;
  found.compare("vector", native->vector, soft.vector);
  if (native->vector != soft.vector) return found.text();
  const bool faulted = native->vector != kDone;
  // After the breakpoint RIP is behind it.
  found.compare("rip", faulted ? native->rip : native->rip - 1, soft.rip);
  if (native->vector == static_cast<std::uint8_t>(Vector::PageFault))
    found.compare("address", native->address, soft.address);
  if (faulted) found.compare("error code", native->error_code, soft.error_code);
  const bool is_64 = one.segments == Segments::Bits64;
  const std::uint64_t mask = is_64 ? ~std::uint64_t{0} : 0xffffffff;
  for (unsigned i = 0; i < (is_64 ? 16 : 8); ++i)
    found.compare(kNames[i], native->after.general[i] & mask, soft.after.general[i] & mask);
  if (((native->after.flags ^ soft.after.flags) & (kArithmeticFlags | kDf | kAc | kId)) != 0) {
    const UnknownFlags unknown = unknown_flags(one);
    const std::uint32_t defined = (kArithmeticFlags | kDf | kAc | kId) & ~(faulted ? unknown.ever : unknown.now);
    found.compare("flags", native->after.flags & defined, soft.after.flags & defined);
  }
  if (campaign_.fpu) {
    // AMD's processors save the last instruction's opcode and addresses only with an exception pending [APM 2 11.5.3];
    // between them and ST(0) are MXCSR, which is compared, and its mask, which tells of the processor.
    const auto compare_fx = [&](const char* what, unsigned from, unsigned size) {
      found.compare_bytes(what, std::span(native->after.fx).subspan(from, size),
                          std::span(soft.after.fx).subspan(from, size));
    };
    found.compare("x87 control", native->after.fx_field<std::uint16_t>(kFxControl),
                  soft.after.fx_field<std::uint16_t>(kFxControl));
    found.compare("x87 status", native->after.fx_field<std::uint16_t>(kFxStatus),
                  soft.after.fx_field<std::uint16_t>(kFxStatus));
    found.compare("x87 tag", native->after.fx_field<std::uint8_t>(kFxTag), soft.after.fx_field<std::uint8_t>(kFxTag));
    found.compare("mxcsr", native->after.fx_field<std::uint32_t>(kFxMxcsr),
                  soft.after.fx_field<std::uint32_t>(kFxMxcsr));
    compare_fx("st", kFxSt, kFxXmm - kFxSt);
    compare_fx("xmm", kFxXmm, kFxBytes - kFxXmm);
    found.compare_bytes("upper halves of ymm", native->after.ymm_high, soft.after.ymm_high);
  }
  found.compare_bytes("memory", native->memory, soft.memory);
  return found.text();
}

// The first instruction after which the two differ, alone, with what the host had before it.
void Runner::report(const Case& one, const Memory& memory) {
  Case single = one;
  Memory before = memory;
  Decoded decoded;
  Outcome outcome;
  for (unsigned at = 0; at < one.size; at += decoded.instruction.length) {
    if (!decode_for_test({one.code.data() + at, static_cast<std::size_t>(one.size - at)}, one.segments, decoded)) break;
    // Where it was, so that addresses relative to RIP are the same.
    std::fill_n(single.code.begin(), at, kNop);
    std::copy_n(one.code.begin() + at, decoded.instruction.length, single.code.begin() + at);
    single.size = static_cast<std::uint8_t>(at + decoded.instruction.length);
    if (!outcome_of(single, before, outcome)) return;
    const std::string text = differences(single, before, outcome);
    if (!text.empty()) {
      std::string& report = failures_[ZydisMnemonicGetString(decoded.instruction.mnemonic)];
      if (!report.empty()) return;
      report = std::string(name_of(one.segments)) + " " + disassemble(single, at) + text + "    before:";
      for (unsigned i = 0; i < 16; ++i)
        report += std::string(" ") + kNames[i] + "=" + hex(single.before.general[i]);
      report += " flags=" + hex(single.before.flags) + "\n";
      if (campaign_.fpu) report += describe_fx(single.before);
      return;
    }
    if (outcome.vector != kDone) break;
    single.before = outcome.after;
    single.before.flags &= ~kTf;
    before = outcome.memory;
  }
  failures_["sequence"] = "Only as a whole:\n" + disassemble(one, 0) + [&] {
    return outcome_of(one, memory, outcome) ? differences(one, memory, outcome) : std::string();
  }();
}

}  // namespace

std::string run_campaign(const Campaign& campaign) {
  const std::uint64_t seed = from_environment("MINIVMM_DIFFERENTIAL_SEED", kDefaultSeed);
  const std::uint64_t count = from_environment("MINIVMM_DIFFERENTIAL_CASES", campaign.cases);
  Generator generator(campaign.forms, seed);
  generator.use_fpu(campaign.fpu);
  const auto runner = std::make_unique<Runner>(campaign);
  std::vector<Case> cases;
  for (std::uint64_t done = 0; done < count; done += cases.size()) {
    cases.clear();
    while (cases.size() < NativeCpu::kBatch)
      cases.push_back(generator.make(campaign.max_instructions));
    if (!runner->run(cases, generator.make_memory())) break;
  }
  const std::string failures = runner->failures();
  return failures.empty() ? "" : "seed " + std::to_string(seed) + "\n" + failures;
}

std::string run_regressions(std::span<const std::string_view> codes, const Campaign& campaign) {
  constexpr unsigned kStates = 64;
  Generator generator({}, kDefaultSeed);
  generator.use_fpu(campaign.fpu);
  const auto runner = std::make_unique<Runner>(campaign);
  for (const std::string_view code : codes) {
    Case one;
    one.segments = segments_in(code);
    for (std::size_t at = code.find(':') + 1; at + 1 < code.size(); at += 2) {
      while (at < code.size() && code[at] == ' ')
        ++at;
      std::from_chars(code.data() + at, code.data() + at + 2, one.code[one.size++], 16);
    }
    std::vector<Case> cases(kStates, one);
    for (Case& each : cases) {
      each.before = generator.make_registers(one.segments);
    }
    if (!runner->run(cases, generator.make_memory())) break;
  }
  return runner->failures();
}

}  // namespace vmm::cpu::soft::differential
