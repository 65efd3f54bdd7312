// A CPU with a few MiB of RAM for tests of the system parts: tables are built by hand, instructions given as bytes.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <vector>

#include "core/memory/ram_map.h"
#include "tests/unit/vmm/cpu/soft/run_alone.h"
#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/exceptions.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/platform.h"
#include "vmm/cpu/soft/segments.h"

namespace vmm::cpu::soft {

class TestPlatform final : public Platform {
 public:
  core::AddressSpace& io() override { return io_; }
  PhysicalMap& physical() override { return physical_; }
  BlockCache& blocks() override { return blocks_; }
  std::uint64_t time_stamp() override { return time; }
  void drop_writes(const std::uint8_t* host_page) override {
    if (cpu != nullptr) cpu->mmu.drop_writes(host_page);
  }
  core::AddressSpace& mmio() { return mmio_; }
  std::uint64_t time = 1000;
  Cpu* cpu = nullptr;

 private:
  core::AddressSpace io_{"io", 0x10000};
  core::AddressSpace mmio_{"mmio", 0};
  PhysicalMap physical_{mmio_};
  BlockCache blocks_;
};

class MachineTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kRamBytes = 8u << 20;
  // Physical addresses of what the tests build.
  static constexpr std::uint64_t kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000, kTss2 = 0x3800, kCode = 0x10000,
                                 kStack = 0x20000, kTables = 0x40000;
  // GDT entries.
  static constexpr std::uint16_t kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kTaskSelector = 0x28,
                                 kCode0Narrow = 0x38, kCode64 = 0x40, kCode64User = 0x4b, kSpare = 0x50,
                                 kTask2Selector = 0x60;

  MachineTest() {
    map_.set_listener(&platform_.physical());
    ram_mapping_ = map_.map({core::Gpa(0), kRamBytes, ram_.get(), 0, true, false});
    platform_.physical().refresh();
    cpu.platform = &platform_;
    platform_.cpu = &cpu;
    cpu.features = &CpuFeatures::everything();
    for (auto& segment : cpu.segments) {
      segment.attributes = kRealAttributes;
      segment.limit = 0xffff;
      segment.derive(false);
    }
    cpu.idt.limit = 0x3ff;
    cpu.mmu.privilege_changed();
    cpu.derive_mode();
  }

  template <class T>
  T peek(std::uint64_t physical) {
    return ram_->all().read<T>(physical).value_or(T{});
  }
  template <class T>
  void poke(std::uint64_t physical, T value) {
    ASSERT_TRUE(ram_->all().write<T>(physical, value));
  }
  void put_code(std::uint64_t physical, std::initializer_list<int> bytes) {
    for (const int byte : bytes)
      poke<std::uint8_t>(physical++, static_cast<std::uint8_t>(byte));
  }
  // A segment descriptor from its parts; `attributes` as Segment has them.
  void put_descriptor(std::uint16_t selector, std::uint32_t base, std::uint32_t limit, std::uint32_t attributes) {
    const std::uint64_t value = (limit & 0xffffu) | std::uint64_t{base & 0xffffffu} << 16 |
                                std::uint64_t{attributes & 0xffu} << 40 | std::uint64_t{limit >> 16 & 15u} << 48 |
                                std::uint64_t{attributes >> 12 & 15u} << 52 | std::uint64_t{base >> 24} << 56;
    poke(kGdt + (selector & 0xfff8u), value);
  }
  void put_gate(std::uint64_t at, std::uint16_t selector, std::uint32_t offset, unsigned type, unsigned dpl,
                bool present = true, unsigned parameters = 0) {
    poke<std::uint32_t>(at, std::uint32_t{selector} << 16 | (offset & 0xffff));
    poke<std::uint32_t>(at + 4, (offset & 0xffff0000u) | (present ? 0x8000u : 0u) | dpl << 13 | type << 8 | parameters);
  }
  void put_gate64(unsigned vector, std::uint16_t selector, std::uint64_t offset, unsigned ist, unsigned dpl) {
    put_gate(kIdt + 16 * vector, selector, static_cast<std::uint32_t>(offset), 14, dpl, true, ist);
    poke<std::uint64_t>(kIdt + 16 * vector + 8, offset >> 32);
  }

  // Flat protected mode in ring 0 with a GDT, an empty IDT and a 32-bit TSS, whose ring 0 stack is at kStack + 0x1000.
  void enter_protected_mode() {
    put_descriptor(kCode0, 0, 0xfffff, 0xc09b);
    put_descriptor(kData0, 0, 0xfffff, 0xc093);
    put_descriptor(kCode3, 0, 0xfffff, 0xc0fb);
    put_descriptor(kData3, 0, 0xfffff, 0xc0f3);
    put_descriptor(kTaskSelector, kTss, 0x67 + 0x40, 0x8b);
    put_descriptor(kTask2Selector, kTss2, 0x67, 0x89);
    put_descriptor(kCode0Narrow, 0, 0xffff, 0x009b);
    put_descriptor(kCode64, 0, 0, 0x209b);
    put_descriptor(kCode64User, 0, 0, 0x20fb);
    cpu.gdt = {kGdt, 0x6f};
    cpu.idt = {kIdt, 0x7ff};
    poke<std::uint32_t>(kTss + 4, kStack + 0x1000);
    poke<std::uint32_t>(kTss + 8, kData0);
    cpu.cr0 |= kCr0Pe;
    Descriptor tss;
    ASSERT_TRUE(read_descriptor(cpu, kTaskSelector, tss));
    fill_segment(cpu.tr, kTaskSelector, tss);
    fill_unusable(cpu.ldt, 0);
    go_to_ring(0);
    for (const SegmentIndex index : {kDs, kEs, kFs, kGs})
      ASSERT_TRUE(load_segment(cpu, index, kData0));
    cpu.rip = kCode;
  }
  void go_to_ring(std::uint8_t ring) {
    set_cpl(cpu, ring);
    set_flat_segment(cpu, kCs, ring == 3 ? kCode3 : kCode0, ring == 3 ? 0xc0fb : 0xc09b);
    set_flat_segment(cpu, kSs, ring == 3 ? kData3 : kData0, ring == 3 ? 0xc0f3 : 0xc093);
    cpu.set_reg<std::uint64_t>(4 * 8, ring == 3 ? kStack + 0x3000 : kStack + 0x2000);
  }
  // 64-bit mode over an identity mapping of the first 8 MiB by 2 MiB pages that users may use, and a 64-bit TSS.
  void enter_long_mode() {
    enter_protected_mode();
    poke<std::uint64_t>(kTables, (kTables + 0x1000) | 7);
    poke<std::uint64_t>(kTables + 0x1000, (kTables + 0x2000) | 7);
    for (std::uint64_t i = 0; i < 4; ++i)
      poke<std::uint64_t>(kTables + 0x2000 + 8 * i, (i << 21) | 0x87);
    cpu.cr3 = kTables;
    cpu.cr4 |= kCr4Pae;
    cpu.efer |= kEferLme | kEferLma | kEferSce | kEferNxe;
    cpu.cr0 |= kCr0Pg | kCr0Wp;
    cpu.idt = {kIdt, 0xfff};
    poke<std::uint64_t>(kTss + 4, kStack + 0x1000);
    cpu.mmu.flush_all();
    go_to_ring_64(0);
  }
  void go_to_ring_64(std::uint8_t ring) {
    go_to_ring(ring);
    set_flat_segment(cpu, kCs, ring == 3 ? kCode64User : kCode64, ring == 3 ? 0xa0fb : 0xa09b);
  }

  // Executes the instruction at cpu.rip as the executor does, without interrupts. Fault: cpu.fault says which.
  Flow step() {
    std::array<std::uint8_t, 15> bytes{};
    const std::uint64_t start = cpu.code64() ? cpu.rip : cpu.segments[kCs].base + cpu.rip;
    for (unsigned i = 0; i < bytes.size(); ++i) {
      std::uint64_t page = 0;
      if (!cpu.mmu.fetch_page(start + i, page)) return Flow::Fault;
      bytes[i] = peek<std::uint8_t>(page | ((start + i) & 0xfff));
    }
    Op op;
    DecodeNotes notes;
    if (!decode(bytes, cpu.mode, CpuFeatures::everything(), op, notes) || op.run == nullptr)
      return cpu.raise(Vector::InvalidOpcode);
    cpu.set_next_rip(cpu.rip + op.length);
    const Flow flow = run_alone(cpu, op);
    if (flow == Flow::Next || flow == Flow::Leave) cpu.rip = cpu.next_rip();
    return flow;
  }
  Flow run(std::initializer_list<int> bytes) {
    const std::uint64_t at = cpu.code64() ? cpu.rip : cpu.segments[kCs].base + cpu.rip;
    put_code(at, bytes);
    return step();
  }
  ::testing::AssertionResult faulted(Vector vector, std::uint32_t error_code) {
    if (cpu.fault.vector == vector && cpu.fault.error_code == error_code) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "vector " << static_cast<unsigned>(cpu.fault.vector) << " error code "
                                         << std::hex << cpu.fault.error_code;
  }
  std::uint64_t rsp() const { return cpu.reg<std::uint64_t>(4 * 8); }

  std::unique_ptr<core::MemoryBlock> ram_ = core::MemoryBlock::create("ram", kRamBytes).value();
  core::RamMap map_;
  TestPlatform platform_;
  core::RamMapping ram_mapping_;
  std::unique_ptr<Cpu> cpu_ = std::make_unique<Cpu>();
  Cpu& cpu = *cpu_;

  ~MachineTest() override { map_.set_listener(nullptr); }
};

}  // namespace vmm::cpu::soft
