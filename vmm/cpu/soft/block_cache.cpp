#include "vmm/cpu/soft/block_cache.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/physical_access.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

namespace {

constexpr unsigned kPage = static_cast<unsigned>(core::kPageSize);
constexpr unsigned kLongest = 15;  // bytes of an instruction
constexpr std::uint8_t kCodeFlag = static_cast<std::uint8_t>(core::Watcher::Code);

// Code and data share pages; a chunk without code is data that may be stored to.
constexpr unsigned kChunk = kPage / 32;
std::uint32_t chunks(unsigned offset, unsigned size) {
  const unsigned first = offset / kChunk;
  const unsigned last = (offset + size - 1) / kChunk;
  return static_cast<std::uint32_t>((std::uint64_t{2} << last) - (std::uint64_t{1} << first));
}

// After a block's last instruction, and in place of all of a voided block.
Flow leave_block(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return Flow::Restart;
}
Flow beyond_segment(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return cpu.raise(Vector::GeneralProtection, 0);
}

// Where a block lies in a page: a range of offsets, maybe empty.
struct Extent {
  unsigned from = 0, to = 0;
  bool overlaps(unsigned offset, unsigned size) const { return offset < to && from < offset + size; }
  std::uint32_t mask() const { return from < to ? chunks(from, to - from) : 0; }
};
// One that crosses may begin and end in the same host page.
Extent first_extent(const Block& block, const std::uint8_t* host_page) {
  const auto offset = reinterpret_cast<std::uintptr_t>(block.host) - reinterpret_cast<std::uintptr_t>(host_page);
  if (offset >= kPage) return {};
  return {static_cast<unsigned>(offset), std::min(static_cast<unsigned>(offset) + block.watched, kPage)};
}
Extent second_extent(const Block& block, const std::uint8_t* host_page) {
  return {0, block.crosses && block.second == host_page ? kLongest : 0};
}

struct CodePage {
  std::uint32_t chunks = 0;
  std::atomic<std::uint8_t>* flags = nullptr;
  std::vector<Block*> blocks;
};

}  // namespace

// Memory in large pieces that are only given back all together.
class Arena {
 public:
  template <class T>
  T* take(std::size_t count = 1) {
    const std::size_t bytes = count * sizeof(T);
    if (pieces_.empty() || used_ + bytes > kPieceBytes) {
      pieces_.push_back(std::make_unique<std::byte[]>(kPieceBytes));
      used_ = 0;
    }
    std::byte* place = pieces_.back().get() + used_;
    used_ += (bytes + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    T* first = reinterpret_cast<T*>(place);
    std::uninitialized_default_construct_n(first, count);
    return first;
  }
  std::size_t bytes() const { return pieces_.size() * kPieceBytes; }
  void clear() { pieces_.clear(); }

 private:
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  std::vector<std::unique_ptr<std::byte[]>> pieces_;
  std::size_t used_ = 0;
};

struct BlockCache::Impl {
  static constexpr unsigned kBuckets = 1u << 14;

  static unsigned bucket(const std::uint8_t* host, std::uint8_t mode) {
    const auto key = std::bit_cast<std::uintptr_t>(host) * 0x9e3779b97f4a7c15u + mode * 0x632be59bd9b4e019u;
    return static_cast<unsigned>(key >> 50) % kBuckets;
  }
  Block* lookup(const std::uint8_t* host, std::uint8_t mode) const {
    for (Block* block = table[bucket(host, mode)]; block != nullptr; block = block->next) {
      if (block->host == host && block->mode == mode) return block;
    }
    return nullptr;
  }
  void unlink(Block& block) {
    for (Block** link = &table[bucket(block.host, block.mode)]; *link != nullptr; link = &(*link)->next) {
      if (*link != &block) continue;
      *link = block.next;
      return;
    }
  }
  void kill(Block& block);
  void kill_page(const std::uint8_t* host_page);
  void claim_page(Cpu& cpu, const std::uint8_t* host_page, std::atomic<std::uint8_t>* flags);
  void add_to_page(const std::uint8_t* host_page, Block& block);
  Block* decode_block(Cpu& cpu, std::uint64_t physical, const HostPage& page);
  Block* decode_crossing(Cpu& cpu, unsigned offset, const HostPage& page);
  Block* decode_mmio(Cpu& cpu, std::uint64_t physical);
  Block* make_block(const std::uint8_t* host, std::uint8_t mode, std::span<const Op> ops, unsigned bytes);
  void leave_out_flags(Block& block, std::span<const DecodeNotes> notes);
  Block* refuse(std::uint8_t mode);

  Arena arena;
  std::array<Block*, kBuckets> table{};
  std::unordered_map<const std::uint8_t*, CodePage> pages;
  Block scratch;  // what is not kept
  std::array<Op, 2> scratch_ops;
  std::atomic<std::uint8_t> scratch_flags{0};
};

BlockCache::BlockCache() : impl_(std::make_unique<Impl>()) {}
BlockCache::~BlockCache() = default;

bool BlockCache::has_code(const std::uint8_t* host_page) const {
  return impl_->pages.contains(host_page);
}

void BlockCache::clear() {
  jumps_.fill({});
  impl_->table.fill(nullptr);
  impl_->pages.clear();
  impl_->arena.clear();
}

bool BlockCache::code_written(const std::uint8_t* host_page, unsigned offset, unsigned size) {
  const auto found = impl_->pages.find(host_page);
  if (found == impl_->pages.end()) return true;
  CodePage& page = found->second;
  if (page.blocks.empty()) {
    impl_->pages.erase(found);
    return true;
  }
  if ((page.chunks & chunks(offset, size)) == 0) return false;
  std::uint32_t left = 0;
  std::erase_if(page.blocks, [&](Block* block) {
    if (!block->live) return true;
    const Extent first = first_extent(*block, host_page), second = second_extent(*block, host_page);
    if (first.overlaps(offset, size) || second.overlaps(offset, size)) {
      impl_->kill(*block);
      return true;
    }
    left |= first.mask() | second.mask();
    return false;
  });
  page.chunks = left;
  if (!page.blocks.empty()) return false;
  impl_->pages.erase(found);
  return true;
}

void BlockCache::Impl::kill(Block& block) {
  if (!block.live) return;
  block.live = false;
  unlink(block);
  for (unsigned i = 0; i <= block.count; ++i)
    block.ops[i].run = leave_block;
}

void BlockCache::Impl::kill_page(const std::uint8_t* host_page) {
  const auto found = pages.find(host_page);
  if (found == pages.end()) return;
  for (Block* block : found->second.blocks)
    kill(*block);
  pages.erase(found);
}

// Before bytes of the page are decoded: from here on stores to it are seen.
void BlockCache::Impl::claim_page(Cpu& cpu, const std::uint8_t* host_page, std::atomic<std::uint8_t>* flags) {
  const bool was_written = (flags->fetch_and(static_cast<std::uint8_t>(~kCodeFlag)) & kCodeFlag) != 0;
  if (was_written) kill_page(host_page);
  CodePage& page = pages[host_page];
  if (page.blocks.empty()) cpu.platform->drop_writes(host_page);
  page.flags = flags;
}

void BlockCache::Impl::add_to_page(const std::uint8_t* host_page, Block& block) {
  CodePage& page = pages[host_page];
  page.chunks |= first_extent(block, host_page).mask() | second_extent(block, host_page).mask();
  page.blocks.push_back(&block);
}

Block* BlockCache::Impl::make_block(const std::uint8_t* host, std::uint8_t mode, std::span<const Op> ops,
                                    unsigned bytes) {
  Block* block = arena.take<Block>();
  *block = Block{.host = host,
                 .mode = mode,
                 .bytes = static_cast<std::uint16_t>(bytes),
                 .watched = static_cast<std::uint16_t>(ops.back().length != 0 ? bytes : bytes + kLongest - 1),
                 .count = static_cast<std::uint16_t>(ops.size()),
                 .ops = arena.take<Op>(ops.size() + 1)};
  std::ranges::copy(ops, block->ops);
  block->ops[ops.size()].run = leave_block;
  Block*& head = table[bucket(host, mode)];
  block->next = head;
  head = block;
  return block;
}

// A block that only raises #GP: the instruction lies beyond its segment's limit, or there is not enough of it.
Block* BlockCache::Impl::refuse(std::uint8_t mode) {
  scratch_ops = {};
  scratch_ops[0].run = beyond_segment;
  scratch_ops[1].run = leave_block;
  scratch = Block{.mode = mode, .bytes = 1, .count = 1, .ops = scratch_ops.data(), .page_flags = &scratch_flags};
  return &scratch;
}

Block* BlockCache::Impl::decode_block(Cpu& cpu, std::uint64_t physical, const HostPage& page) {
  const auto offset = static_cast<unsigned>(physical % kPage);
  claim_page(cpu, page.bytes, page.flags);
  std::array<Op, Block::kMaxOps> ops;
  std::array<DecodeNotes, Block::kMaxOps> notes;
  const unsigned most = (cpu.mode & Mode::kStepped) != 0 ? 1 : Block::kMaxOps;
  unsigned count = 0;
  unsigned at = offset;
  std::uint8_t last = kNoRegister;
  while (count < most && at < kPage && at - offset <= Block::kMaxBytes - kLongest) {
    const std::span bytes(page.bytes + at, std::min(kLongest, kPage - at));
    // Guests' stores by other means (DMA) may change the bytes meanwhile: the page's flag says so afterwards.
    std::array<std::uint8_t, kLongest> copy{};
    std::ranges::copy(bytes, copy.begin());
    if (!decode(std::span(copy).first(bytes.size()), cpu.mode, *cpu.features, ops[count], notes[count], last)) break;
    if (ops[count].base == Cpu::kRip) ops[count].displacement += at - offset;
    at += std::max(1u, unsigned{ops[count].length});
    ops[count].after = (at - offset) & Block::kMaxBytes;
    last = notes[count].gives;
    if (notes[count++].ends_block) break;
  }
  if (count == 0) return nullptr;
  Block* block = make_block(page.bytes + offset, cpu.mode, std::span(ops).first(count), at - offset);
  block->page_flags = page.flags;
  leave_out_flags(*block, std::span(notes).first(count));
  add_to_page(page.bytes, *block);
  return block;
}

// An instruction need not set flags that are set anew before anything can ask for them.
void BlockCache::Impl::leave_out_flags(Block& block, std::span<const DecodeNotes> notes) {
  std::uint32_t wanted = kArithmeticFlags;
  for (unsigned i = block.count; i-- > 0;) {
    if (notes[i].quiet != nullptr && (notes[i].writes & wanted) == 0) {
      if (block.exact == nullptr) {
        block.exact = arena.take<Step>(block.count);
        std::ranges::transform(std::span(block.ops, block.count), block.exact, &Op::run);
      }
      block.ops[i].run = notes[i].quiet;
    }
    wanted = (wanted & ~notes[i].writes) | notes[i].reads;
  }
}

// The instruction at the end of a page that goes on in the next one.
Block* BlockCache::Impl::decode_crossing(Cpu& cpu, unsigned offset, const HostPage& page) {
  const std::uint64_t linear = jump_address(cpu);
  std::uint64_t physical = 0;
  if (!cpu.mmu.fetch_page((linear | (kPage - 1)) + 1, physical)) return nullptr;
  const HostPage second = physical_page(cpu, physical);
  std::array<std::uint8_t, kLongest> bytes{};
  const unsigned head = kPage - offset;
  std::copy_n(page.bytes + offset, head, bytes.begin());
  if (second.bytes != nullptr) claim_page(cpu, second.bytes, second.flags);
  read_page(cpu, second, physical, bytes.data() + head, kLongest - head);
  Op op;
  DecodeNotes notes;
  if (!decode(bytes, cpu.mode, *cpu.features, op, notes)) return refuse(cpu.mode);
  Block* block = make_block(page.bytes + offset, cpu.mode, std::span(&op, 1), std::max(1u, unsigned{op.length}));
  block->page_flags = page.flags;
  block->crosses = true;
  block->second = second.bytes;
  block->second_flags = second.flags;
  add_to_page(page.bytes, *block);
  if (second.bytes != nullptr && second.bytes != page.bytes) add_to_page(second.bytes, *block);
  return block;
}

// Code in a device: fetched anew each time.
Block* BlockCache::Impl::decode_mmio(Cpu& cpu, std::uint64_t physical) {
  std::array<std::uint8_t, kLongest> bytes{};
  const auto size = std::min(kLongest, kPage - static_cast<unsigned>(physical % kPage));
  read_physical(cpu, physical, bytes.data(), size);
  scratch_ops = {};
  DecodeNotes notes;
  if (!decode(std::span(bytes).first(size), cpu.mode, *cpu.features, scratch_ops[0], notes)) return refuse(cpu.mode);
  scratch_ops[1].run = leave_block;
  scratch = Block{.mode = cpu.mode,
                  .bytes = std::max(std::uint8_t{1}, scratch_ops[0].length),
                  .count = 1,
                  .ops = scratch_ops.data(),
                  .page_flags = &scratch_flags};
  return &scratch;
}

Block* BlockCache::find_slow(Cpu& cpu) {
  if (impl_->arena.bytes() >= kMaxBytes) clear();
  if (!cpu.code64() && cpu.rip > cpu.segments[kCs].limit) return impl_->refuse(cpu.mode);
  const std::uint64_t address = jump_address(cpu);
  std::uint64_t physical = 0;
  if (!cpu.mmu.fetch_page(address, physical)) return nullptr;
  physical |= address % kPage;
  const HostPage page = physical_page(cpu, physical);
  if (page.bytes == nullptr) return impl_->decode_mmio(cpu, physical);

  const auto offset = static_cast<unsigned>(address % kPage);
  Block* block = impl_->lookup(page.bytes + offset, cpu.mode);
  if (block != nullptr && !block->page_is_unwritten()) {
    impl_->kill_page(page.bytes);
    block = nullptr;
  }
  if (block != nullptr && block->crosses) {
    std::uint64_t second = 0;
    if (!cpu.mmu.fetch_page((address | (kPage - 1)) + 1, second)) return nullptr;
    const bool same = physical_page(cpu, second).bytes == block->second && block->second != nullptr &&
                      (block->second_flags->load(std::memory_order_relaxed) & kCodeFlag) == 0;
    if (!same) {
      impl_->kill(*block);
      block = nullptr;
    }
  }
  if (block == nullptr) block = impl_->decode_block(cpu, physical, page);
  if (block == nullptr) block = impl_->decode_crossing(cpu, offset, page);
  if (block == nullptr) return nullptr;
  // A segment that ends within the block: its instructions one at a time, up to the one that does not fit.
  if (!fits_segment(cpu, *block)) {
    if (block->count == 1) return impl_->refuse(cpu.mode);
    const std::uint8_t mode = cpu.mode;
    cpu.mode |= Mode::kStepped;
    block = find_slow(cpu);
    cpu.mode = mode;
    return block;
  }
  if (!block->crosses && block != &impl_->scratch) jumps_[jump_index(address)] = {address, stamp(cpu), block};
  return block;
}

}  // namespace vmm::cpu::soft
