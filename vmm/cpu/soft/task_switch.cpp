#include "vmm/cpu/soft/task_switch.h"

#include <algorithm>
#include <array>

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack_frame.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint64_t kDr7Local = 0x155;  // L0-L3, LE
constexpr std::uint64_t kDr6TaskSwitch = 1u << 15;

// Offsets in a task state segment. [SDM 3A figures 7-2 and 7-10]
struct Layout {
  unsigned size;
  unsigned width;  // of most fields
  unsigned cr3;    // 0: none
  unsigned rip;    // RIP, RFLAGS, eight registers, and segment selectors follow each other from here on
  unsigned segments;
  unsigned selectors;  // ES, CS, SS, DS, and FS, GS
  unsigned ldt;
  unsigned trap;  // 0: none
};
constexpr Layout kLayout32{104, 4, 0x1c, 0x20, 0x48, 6, 0x60, 0x64};
constexpr Layout kLayout16{44, 2, 0, 0x0e, 0x22, 4, 0x2a, 0};

const Layout& layout_of(std::uint32_t type) {
  return (type & 8) != 0 ? kLayout32 : kLayout16;
}

struct TaskState {
  std::uint32_t cr3 = 0, rip = 0, flags = 0;
  std::array<std::uint32_t, 8> general{};
  std::array<std::uint16_t, 6> selectors{};
  std::uint16_t ldt = 0;
  bool trap = false;
};

using Image = std::array<std::uint8_t, 104>;

std::uint32_t field(const Image& image, unsigned offset, unsigned width) {
  std::uint32_t value = 0;
  std::memcpy(&value, image.data() + offset, width);
  return value;
}

TaskState parse(const Image& image, const Layout& layout) {
  const unsigned w = layout.width;
  TaskState state;
  state.rip = field(image, layout.rip, w);
  state.flags = field(image, layout.rip + w, w);
  for (unsigned i = 0; i < 8; ++i)
    state.general[i] = field(image, layout.rip + (2 + i) * w, w) | (w == 2 ? 0xffff0000u : 0u);
  for (unsigned i = 0; i < layout.selectors; ++i)
    state.selectors[i] = static_cast<std::uint16_t>(field(image, layout.segments + i * w, 2));
  state.ldt = static_cast<std::uint16_t>(field(image, layout.ldt, 2));
  if (layout.cr3 != 0) state.cr3 = field(image, layout.cr3, 4);
  if (layout.trap != 0) state.trap = (image[layout.trap] & 1) != 0;
  return state;
}

class Switcher {
 public:
  Switcher(Cpu& cpu, const TaskSwitch& order) : cpu_(cpu), order_(order) {}

  bool run() {
    if (!find_new_task()) return false;
    const Layout& layout = layout_of(descriptor_.type());
    Image image{};
    if (!cpu_.mmu.read_system_bytes(descriptor_.base(), image.data(), layout.size)) return false;
    if (!save_old_task() || !move_busy_bits()) return false;
    // Again: the old task may be the new one, and it has a link now.
    if (!cpu_.mmu.read_system_bytes(descriptor_.base(), image.data(), layout.size)) return false;
    const TaskState state = parse(image, layout);
    enter(state, layout);
    if (load_descriptors(state) && finish(state, layout)) return true;
    cpu_.rip = cpu_.next_rip();
    return false;
  }

 private:
  bool is_return() const { return order_.cause == TaskCause::Return; }
  bool nests() const { return order_.cause == TaskCause::Call || order_.cause == TaskCause::Event; }

  bool find_new_task() {
    const std::uint16_t selector = order_.selector;
    const Vector vector = is_return() ? Vector::InvalidTss : Vector::GeneralProtection;
    const std::uint32_t error = selector_error(selector, order_.external);
    if (is_null(selector) || (selector & 4) != 0) return refuse(cpu_, vector, error);
    if (!read_descriptor(cpu_, selector, descriptor_, vector, order_.external)) return false;
    const SystemType type = descriptor_.system_type();
    const bool fits = is_return() ? type == SystemType::Tss16Busy || type == SystemType::Tss32Busy
                                  : type == SystemType::Tss16 || type == SystemType::Tss32;
    if (!descriptor_.is_system() || !fits) return refuse(cpu_, vector, error);
    if (!descriptor_.is_present()) return refuse(cpu_, Vector::SegmentNotPresent, error);
    if (descriptor_.limit() < layout_of(descriptor_.type()).size - 1) return refuse(cpu_, Vector::InvalidTss, error);
    return true;
  }

  bool save_old_task() {
    const Layout& layout = layout_of(cpu_.tr.attributes & kTypeMask);
    const unsigned w = layout.width;
    std::array<std::uint32_t, 16> values{};
    values[0] = static_cast<std::uint32_t>(order_.return_rip);
    values[1] = is_return() ? order_.flags & ~kNt : order_.flags;
    for (unsigned i = 0; i < 8; ++i)
      values[2 + i] = static_cast<std::uint32_t>(cpu_.general[i]);
    for (unsigned i = 0; i < layout.selectors; ++i)
      values[10 + i] = cpu_.segments[i].selector;
    std::array<std::uint8_t, 64> bytes{};
    const unsigned count = 10 + layout.selectors;
    for (unsigned i = 0; i < count; ++i)
      std::memcpy(&bytes[i * w], &values[i], w);
    if (layout.rip + count * w - 1 > cpu_.tr.limit)
      return refuse(cpu_, Vector::InvalidTss, selector_error(cpu_.tr.selector, order_.external));
    return cpu_.mmu.write_system_bytes(cpu_.tr.base + layout.rip, bytes.data(), count * w);
  }

  bool move_busy_bits() {
    if (nests() && !cpu_.mmu.write_system(descriptor_.base(), cpu_.tr.selector)) return false;
    if (!nests() && !mark_busy(cpu_, cpu_.tr.selector, false)) return false;
    return is_return() || mark_busy(cpu_, order_.selector, true);
  }

  // From here on faults belong to the new task.
  void enter(const TaskState& state, const Layout& layout) {
    fill_segment(cpu_.tr, order_.selector, descriptor_);
    cpu_.tr.attributes |= 2;
    cpu_.cr0 |= kCr0Ts;
    cpu_.dr7 &= ~kDr7Local;
    for (unsigned i = 0; i < 8; ++i)
      cpu_.set_reg(static_cast<std::uint8_t>(i * 8), state.general[i]);
    cpu_.set_next_rip(state.rip);
    for (unsigned i = 0; i < 6; ++i)
      fill_unusable(cpu_.segments[i], state.selectors[i]);
    fill_unusable(cpu_.ldt, state.ldt);
    load_flags(cpu_, nests() ? state.flags | kNt : state.flags, ~0u);
    new_cr3_ = layout.cr3 != 0 && (cpu_.cr0 & kCr0Pg) != 0;
    set_cpl(cpu_, cpu_.virtual_8086() ? 3 : rpl_of(state.selectors[kCs]));
    cpu_.segments[kSs].attributes |= std::uint32_t{cpu_.cpl} << kAttributeDplShift;
    cpu_.derive_mode();
  }

  bool refuse_selector(Vector vector, std::uint16_t selector) {
    return refuse(cpu_, vector, selector_error(selector, order_.external));
  }

  bool load_ldt(std::uint16_t selector) {
    if (is_null(selector)) return true;
    Descriptor descriptor;
    if ((selector & 4) != 0) return refuse_selector(Vector::InvalidTss, selector);
    if (!read_descriptor(cpu_, selector, descriptor, Vector::InvalidTss, order_.external)) return false;
    const bool fits = descriptor.is_system() && descriptor.system_type() == SystemType::Ldt && descriptor.is_present();
    if (!fits) return refuse_selector(Vector::InvalidTss, selector);
    fill_segment(cpu_.ldt, selector, descriptor);
    return true;
  }

  bool load_one(SegmentIndex index, std::uint16_t selector) {
    const bool needed = index == kCs || index == kSs;
    if (is_null(selector)) return !needed || refuse_selector(Vector::InvalidTss, selector);
    Descriptor descriptor;
    if (!read_descriptor(cpu_, selector, descriptor, Vector::InvalidTss, order_.external)) return false;
    const unsigned dpl = descriptor.dpl();
    const unsigned rpl = rpl_of(selector);
    bool fits = false;
    if (index == kCs) {
      fits = descriptor.is_code() && (descriptor.is_conforming_code() ? dpl <= rpl : dpl == rpl);
    } else if (index == kSs) {
      fits = descriptor.is_writable_data() && dpl == cpu_.cpl && rpl == cpu_.cpl;
    } else {
      fits = descriptor.is_readable() && (descriptor.is_conforming_code() || dpl >= std::max<unsigned>(rpl, cpu_.cpl));
    }
    if (!fits) return refuse_selector(Vector::InvalidTss, selector);
    if (!descriptor.is_present())
      return refuse_selector(index == kSs ? Vector::StackFault : Vector::SegmentNotPresent, selector);
    if (!mark_accessed(cpu_, selector, descriptor)) return false;
    fill_segment(cpu_.segments[index], selector, descriptor);
    return true;
  }

  bool load_descriptors(const TaskState& state) {
    if (new_cr3_) {
      const bool pae = (cpu_.cr4 & kCr4Pae) != 0;
      if (pae && !cpu_.mmu.load_page_directory_pointers(state.cr3)) return false;
      cpu_.cr3 = state.cr3;
      cpu_.mmu.flush_non_global();
    }
    constexpr std::array kOrder{kCs, kSs, kEs, kDs, kFs, kGs};
    if (cpu_.virtual_8086()) {
      // These need no descriptors, so they are right whatever becomes of the LDT.
      for (const SegmentIndex index : kOrder)
        set_real_segment(cpu_, index, state.selectors[index]);
      return load_ldt(state.ldt);
    }
    if (!load_ldt(state.ldt)) return false;
    const bool loaded =
        std::ranges::all_of(kOrder, [&](SegmentIndex index) { return load_one(index, state.selectors[index]); });
    // Those that came before one that cannot be loaded count: its fault is delivered from what they make.
    cpu_.derive_mode();
    return loaded;
  }

  bool finish(const TaskState& state, const Layout& layout) {
    if (state.rip > cpu_.segments[kCs].last) return refuse(cpu_, Vector::GeneralProtection, order_.external);
    if (order_.error_code) {
      Stack stack = Stack::present(cpu_);
      stack.error_code = order_.external;
      StackFrame frame(layout.width);
      frame.push(*order_.error_code);
      if (!frame.write(cpu_, stack)) return false;
      set_stack_pointer(cpu_, stack.pointer);
    }
    if (!state.trap) return true;
    cpu_.raise(Vector::Debug, 0, kDr6TaskSwitch);
    return false;
  }

  Cpu& cpu_;
  const TaskSwitch& order_;
  Descriptor descriptor_;
  bool new_cr3_ = false;
};

}  // namespace

bool switch_task(Cpu& cpu, const TaskSwitch& order) {
  return Switcher(cpu, order).run();
}

}  // namespace vmm::cpu::soft
