// The tables as a BIOS places them: a loader written from its description runs the script, then the result is walked
// from the RSDP on, and iasl, the reference compiler, takes the tables apart and puts them together again.
#include "firmware/acpi.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <unistd.h>

#include "core/base/endian.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kRsdpAddress = 0xf5000;
constexpr std::uint32_t kTablesAddress = 0x7fe0000;

std::uint32_t u32(const std::uint8_t* at) {
  return core::load_le<std::uint32_t>(at);
}

int sum(std::span<const std::uint8_t> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0) & 0xff;
}

class PlacedTables {
 public:
  explicit PlacedTables(const firmware::AcpiConfig& config) {
    const auto files = firmware::build_acpi(config);
    given_["etc/acpi/rsdp"] = files.rsdp;
    given_["etc/acpi/tables"] = files.tables;
    const auto& script = files.loader.bytes();
    EXPECT_EQ(script.size() % 128, 0U);
    for (std::size_t at = 0; at + 128 <= script.size(); at += 128)
      run(script.data() + at);
  }

  const Bytes& rsdp() { return placed_["etc/acpi/rsdp"]; }
  // The table at an address, its length taken from its header.
  std::span<const std::uint8_t> at(std::uint32_t address) {
    const auto& tables = placed_["etc/acpi/tables"];
    const auto offset = address - kTablesAddress;
    EXPECT_LE(offset + 8, tables.size());
    return std::span(tables).subspan(offset, u32(tables.data() + offset + 4));
  }
  // Those that the RSDT names, by signature.
  std::map<std::string, std::span<const std::uint8_t>> children() {
    const auto rsdt = at(u32(rsdp().data() + 16));
    EXPECT_EQ(sum(rsdt), 0);
    std::map<std::string, std::span<const std::uint8_t>> found;
    for (std::size_t entry = 36; entry < rsdt.size(); entry += 4) {
      const auto table = at(u32(rsdt.data() + entry));
      EXPECT_EQ(sum(table), 0);
      found[std::string(table.begin(), table.begin() + 4)] = table;
    }
    return found;
  }

 private:
  static std::string text(const std::uint8_t* at) { return reinterpret_cast<const char*>(at); }
  static std::uint32_t base(const std::string& file) { return file == "etc/acpi/rsdp" ? kRsdpAddress : kTablesAddress; }

  void run(const std::uint8_t* command) {
    const auto file = text(command + 4);
    switch (u32(command)) {
      case 1:
        EXPECT_EQ(base(file) % u32(command + 60), 0U);
        placed_[file] = given_.at(file);
        break;
      case 2: {
        auto* field = placed_.at(file).data() + u32(command + 116);
        core::store_le<std::uint32_t>(field, u32(field) + base(text(command + 60)));
        EXPECT_TRUE(command[120] == 4 || command[120] == 8);
        break;
      }
      case 3: {
        auto& bytes = placed_.at(file);
        const auto range = std::span(bytes).subspan(u32(command + 64), u32(command + 68));
        auto& checksum = bytes.at(u32(command + 60));
        checksum = static_cast<std::uint8_t>(checksum - sum(range));
        break;
      }
      default: ADD_FAILURE() << "unknown command " << u32(command);
    }
  }

  std::map<std::string, Bytes> given_;
  std::map<std::string, Bytes> placed_;
};

TEST(Acpi, tables_are_found_from_the_rsdp) {
  PlacedTables tables({.cpus = 3, .pci_hole = 0x8000000, .pci_hole64 = {}, .serial_ports = 1, .hpet = true});
  EXPECT_EQ(sum(tables.rsdp()), 0);
  EXPECT_EQ(std::string(tables.rsdp().begin(), tables.rsdp().begin() + 8), "RSD PTR ");
  const auto children = tables.children();
  EXPECT_EQ(children.size(), 5U);
  EXPECT_TRUE(children.contains("FACP"));
  EXPECT_TRUE(children.contains("SSDT"));
  EXPECT_TRUE(children.contains("APIC"));
  EXPECT_TRUE(children.contains("HPET"));
  EXPECT_TRUE(children.contains("WAET"));
}

TEST(Acpi, rtc_is_said_to_need_its_register_c_read) {
  PlacedTables tables({});
  EXPECT_EQ(u32(tables.children().at("WAET").data() + 36), 2U);
}

TEST(Acpi, fadt_points_to_facs_and_dsdt_twice_the_same) {
  PlacedTables tables({});
  const auto fadt = tables.children().at("FACP");
  const auto facs = tables.at(u32(fadt.data() + 36));
  EXPECT_EQ(std::string(facs.begin(), facs.begin() + 4), "FACS");
  EXPECT_EQ((u32(fadt.data() + 36)) % 64, 0U);
  const auto dsdt = tables.at(u32(fadt.data() + 40));
  EXPECT_EQ(std::string(dsdt.begin(), dsdt.begin() + 4), "DSDT");
  EXPECT_EQ(sum(dsdt), 0);
  EXPECT_EQ(core::load_le<std::uint64_t>(fadt.data() + 140), u32(fadt.data() + 40));
}

TEST(Acpi, fadt_names_the_fixed_hardware) {
  PlacedTables tables({});
  const auto fadt = tables.children().at("FACP");
  EXPECT_EQ(fadt[46], 9);                   // SCI
  EXPECT_EQ(u32(fadt.data() + 48), 0xb2U);  // SMI command
  EXPECT_EQ(fadt[52], 0xf1);
  EXPECT_EQ(u32(fadt.data() + 56), 0x600U);   // PM1a event
  EXPECT_EQ(u32(fadt.data() + 64), 0x604U);   // PM1a control
  EXPECT_EQ(u32(fadt.data() + 76), 0x608U);   // timer
  EXPECT_EQ(u32(fadt.data() + 120), 0xcf9U);  // reset
  EXPECT_EQ(fadt[128], 0x0f);
  EXPECT_EQ(u32(fadt.data() + 112) & 0x410, 0x400U);  // reset register; power button is fixed hardware
}

TEST(Acpi, madt_lists_processors_and_overrides) {
  PlacedTables tables({.cpus = 2, .pci_hole = 0x8000000, .pci_hole64 = {}, .serial_ports = 1, .hpet = false});
  const auto madt = tables.children().at("APIC");
  const auto* entry = madt.data() + 44;
  EXPECT_EQ(Bytes(entry, entry + 8), (Bytes{0, 8, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(Bytes(entry + 8, entry + 16), (Bytes{0, 8, 1, 1, 1, 0, 0, 0}));
  EXPECT_EQ(Bytes(entry + 16, entry + 28), (Bytes{1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}));
  EXPECT_EQ(Bytes(entry + 28, entry + 38), (Bytes{2, 10, 0, 0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(Bytes(entry + 48, entry + 58), (Bytes{2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0}));
  EXPECT_EQ(Bytes(madt.end() - 6, madt.end()), (Bytes{4, 6, 0xff, 0, 0, 1}));
}

class Iasl : public testing::Test {
 protected:
  Iasl() : directory_(std::filesystem::temp_directory_path() / ("minivmm-acpi-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
  }
  ~Iasl() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, std::span<const std::uint8_t> bytes) {
    std::ofstream(directory_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  // True if iasl succeeds and reports neither errors nor warnings.
  testing::AssertionResult run(const std::string& arguments) {
    const auto command = "cd " + directory_.string() + " && " MINIVMM_IASL " " + arguments +
                         " > log 2>&1 && ! grep -qiE '(error|warning) *[0-9]' log";
    if (std::system(command.c_str()) == 0) return testing::AssertionSuccess();  // NOLINT: our own, fixed command
    std::ifstream log(directory_ / "log");
    return testing::AssertionFailure() << std::string(std::istreambuf_iterator<char>(log), {});
  }
  std::string source(const std::string& name) {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(Iasl, takes_every_table_apart_and_compiles_it_again) {
  PlacedTables tables({.cpus = 17,
                       .pci_hole = 0xc0000000,
                       .pci_hole64 = firmware::AddressRange{.start = 0x8000000000, .size = 0x8000000000},
                       .serial_ports = 2,
                       .hpet = true});
  const auto children = tables.children();
  write("dsdt.aml", tables.at(u32(children.at("FACP").data() + 40)));
  for (const auto& [signature, table] : children)
    write(signature + ".aml", table);

  EXPECT_TRUE(run("-d dsdt.aml"));
  EXPECT_TRUE(run("-e dsdt.aml -d SSDT.aml"));
  EXPECT_TRUE(run("-d FACP.aml APIC.aml HPET.aml WAET.aml"));
  EXPECT_TRUE(run("-p again dsdt.dsl"));
  // Windows XP knows processors as Processor objects only, which iasl calls legacy.
  EXPECT_TRUE(run("-vw 3168 -p again SSDT.dsl"));
  EXPECT_TRUE(run("-p again FACP.dsl"));
  EXPECT_TRUE(run("-p again APIC.dsl"));
  EXPECT_NE(source("SSDT.dsl").find("Processor (CP10, 0x10, 0x00000000, 0x00)"), std::string::npos);
  EXPECT_NE(source("SSDT.dsl").find("Device (COM2)"), std::string::npos);
  EXPECT_NE(source("SSDT.dsl").find("0xFEBFFFFF"), std::string::npos);
  EXPECT_NE(source("SSDT.dsl").find("0x000000FFFFFFFFFF"), std::string::npos);
}

}  // namespace
