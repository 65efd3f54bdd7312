// --help, --version and the manual page, all from the option table.
#include <string>

#include "vmm/config/command_line.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

constexpr std::size_t kTextColumn = 10;
constexpr std::size_t kLineWidth = 100;

constexpr std::string_view kSummary = "A virtual machine monitor with a QXL display and a SPICE server in one process.";

std::string wrapped(std::string_view text) {
  std::string out;
  std::string line(kTextColumn, ' ');
  while (!text.empty()) {
    const auto end = text.find(' ');
    const auto word = text.substr(0, end);
    if (line.size() + 1 + word.size() > kLineWidth) {
      out += line + "\n";
      line.assign(kTextColumn, ' ');
    }
    if (line.size() > kTextColumn) line += ' ';
    line += word;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out + line + "\n";
}

// Commands that are no options of a machine.
struct Command {
  std::string_view usage;
  std::string_view help;
};

constexpr Command kReplay{
    "replay FILE [--screendump OUT.png] [--pointer] [--calls N] [--convert OUT]",
    "plays a recording of a display without a guest and says how fast that was: of minivmm, or of libspice-server "
    "(SPICE_WORKER_RECORD_FILENAME, from QEMU or Xspice), compressed with gzip or not. --screendump writes the picture "
    "that it ends with, with the pointer in it by --pointer; --calls plays only the first N calls; --convert writes "
    "the "
    "same as a recording of minivmm."};

// troff: a leading dot or quote and every dash and backslash need care.
std::string troff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string refused_spice_names() {
  std::string names;
  for (const auto& option : spice_options()) {
    if (!option.help.empty()) continue;
    if (!names.empty()) names += ", ";
    names += option.name;
  }
  return names;
}

}  // namespace

std::string help_text() {
  auto text = fmt::format(
      "usage: minivmm [OPTION]...\n{}\n\n  minivmm --disk xp.img --spice 3001\n  remote-viewer "
      "spice://localhost:3001\n",
      kSummary);
  text += fmt::format("\n  minivmm {}\n{}", kReplay.usage, wrapped(kReplay.help));
  std::string_view group;
  for (const auto& option : options()) {
    if (option.group != group) text += fmt::format("\n{}:\n", group = option.group);
    text += fmt::format("  {}{}{}\n{}", option.name, option.argument.empty() ? "" : " ", option.argument,
                        wrapped(option.help));
  }
  text += "\nKeys of --spice:\n";
  for (const auto& option : spice_options()) {
    if (!option.help.empty()) text += fmt::format("  {}={}\n{}", option.name, option.values, wrapped(option.help));
  }
  text += fmt::format("  known, but refused until they are built:\n{}", wrapped(refused_spice_names()));
  return text;
}

std::string manual_page() {
  auto page = fmt::format(".TH MINIVMM 1 \"\" \"minivmm {}\" \"User Commands\"\n", MINIVMM_VERSION);
  page += ".SH NAME\nminivmm \\- virtual machine monitor, QXL display and SPICE server in one process\n";
  page += ".SH SYNOPSIS\n.B minivmm\n[\\fIOPTION\\fR]...\n";
  page += fmt::format(
      ".SH DESCRIPTION\n{}\nIt emulates a PC with an i440FX chipset and runs it on KVM or on a CPU in software.\n",
      kSummary);
  page += fmt::format(".SH COMMANDS\n.TP\n\\fBminivmm\\fR {}\n{}\n", troff(kReplay.usage), troff(kReplay.help));
  page += ".SH OPTIONS\n";
  std::string_view group;
  for (const auto& option : options()) {
    if (option.group != group) page += fmt::format(".SS {}\n", group = option.group);
    page +=
        fmt::format(".TP\n\\fB{}\\fR \\fI{}\\fR\n{}\n", troff(option.name), troff(option.argument), troff(option.help));
  }
  page += ".SH KEYS OF \\-\\-spice\n";
  for (const auto& option : spice_options()) {
    if (option.help.empty()) continue;
    page +=
        fmt::format(".TP\n\\fB{}\\fR=\\fI{}\\fR\n{}\n", troff(option.name), troff(option.values), troff(option.help));
  }
  page += fmt::format(".PP\nKnown, but refused until they are built: {}.\n", troff(refused_spice_names()));
  page +=
      ".SH EXIT STATUS\n0 when the guest powers off, or on Ctrl\\-C or SIGTERM; 1 when something could not be set "
      "up; (byte << 1) | 1 when the guest writes a byte to the debug exit port.\n";
  page +=
      ".SH EXAMPLES\n.nf\nminivmm \\-\\-disk xp.img \\-\\-spice 3001\nremote\\-viewer spice://localhost:3001\n.fi\n";
  return page;
}

std::string version_text() {
  return fmt::format("minivmm {}\n", MINIVMM_VERSION);
}

}  // namespace vmm::config
