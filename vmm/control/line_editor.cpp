#include "vmm/control/line_editor.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace vmm::control {

namespace {

constexpr char control(char letter) {
  return static_cast<char>(letter & 0x1f);
}

constexpr char kEscape = 0x1b;
constexpr char kDelete = 0x7f;
constexpr char kBackspace = '\b';
constexpr std::string_view kBell = "\a";
constexpr std::size_t kScreenWidth = 80;

// Keys that people press and programs do not send.
bool is_editing_key(char c) {
  constexpr char kKeys[] = {control('A'), control('B'), control('D'), control('E'), control('F'),
                            control('K'), control('L'), control('N'), control('P'), control('U'),
                            control('W'), kBackspace,   kDelete,      kEscape,      '\t'};
  return std::ranges::find(kKeys, c) != std::end(kKeys);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// What all of them begin with.
std::string_view common_start(const std::vector<std::string>& candidates) {
  std::string_view common = candidates.front();
  for (const auto& candidate : candidates) {
    const auto end = std::ranges::mismatch(common, candidate).in1;
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  return common;
}

// For a terminal that does not return its carriage by itself.
std::string with_returns(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace

bool LineEditor::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (!is_editing_ && (is_editing_key(c) || (had_return_ && c != '\n'))) notice_person();
    const bool ends_pair = std::exchange(had_return_, c == '\r') && c == '\n';
    if (ends_pair) continue;
    if (is_editing_) {
      press(c);
    } else if (!take_plainly(c)) {
      return false;
    }
  }
  return true;
}

bool LineEditor::take_plainly(char c) {
  if (c == '\n' || c == '\r') {
    finish_line();
    return true;
  }
  line_ += c;
  return line_.size() <= kMaxLine;
}

// What was typed so far was not echoed.
void LineEditor::notice_person() {
  is_editing_ = true;
  cursor_ = line_.size();
  redraw();
}

void LineEditor::finish_line() {
  const auto line = std::exchange(line_, {});
  cursor_ = 0;
  if (is_editing_) events_.print("\r\n");
  remember(line);
  const auto output = events_.on_line(line);
  events_.print(is_editing_ ? with_returns(output) : output);
  events_.print(prompt_);
}

// Passwords are not kept to be found with the arrow keys.
void LineEditor::remember(const std::string& line) {
  const bool is_secret = line.find("set_password") != std::string::npos;
  const bool is_empty = std::ranges::all_of(line, is_blank);
  const bool is_again = !history_.empty() && history_.back() == line;
  if (is_editing_ && !is_empty && !is_secret && !is_again) history_.push_back(line);
  if (history_.size() > kMaxHistory) history_.pop_front();
  recalled_ = history_.size();
  typed_.clear();
}

void LineEditor::press(char c) {
  if (escape_ != Escape::None) return press_escaped(c);
  if (press_control(c)) return;
  const bool is_printable = static_cast<unsigned char>(c) >= ' ' && c != kDelete;
  if (is_printable) insert({&c, 1});
}

bool LineEditor::press_control(char c) {
  switch (c) {
    case '\r':
    case '\n': finish_line(); return true;
    case '\t': complete(); return true;
    case kEscape: escape_ = Escape::Begun; return true;
    case kBackspace:
    case kDelete: erase(cursor_ - std::min<std::size_t>(cursor_, 1), cursor_); return true;
    case control('A'): move_to(0); return true;
    case control('B'): act_on('D'); return true;
    case control('D'): erase(cursor_, cursor_ + 1); return true;
    case control('E'): move_to(line_.size()); return true;
    case control('F'): act_on('C'); return true;
    case control('K'): erase(cursor_, line_.size()); return true;
    case control('L'):
      events_.print("\x1b[2J\x1b[H");
      redraw();
      return true;
    case control('N'): act_on('B'); return true;
    case control('P'): act_on('A'); return true;
    case control('U'): erase(0, cursor_); return true;
    case control('W'): erase_word(); return true;
    default: return false;
  }
}

// [ECMA-48 5.4] ESC [ parameter final; terminals in application mode send ESC O final.
void LineEditor::press_escaped(char c) {
  constexpr std::size_t kMaxParameter = 8;
  if (escape_ == Escape::Begun) {
    parameter_.clear();
    escape_ = c == '[' ? Escape::Bracket : c == 'O' ? Escape::Single : Escape::None;
    return;
  }
  const bool is_final = c >= '@' && c <= '~';
  if (!is_final) {
    if (parameter_.size() < kMaxParameter) parameter_ += c;
    return;
  }
  escape_ = Escape::None;
  if (c != '~') return act_on(c);
  if (parameter_ == "1" || parameter_ == "7") act_on('H');
  if (parameter_ == "4" || parameter_ == "8") act_on('F');
  if (parameter_ == "3") erase(cursor_, cursor_ + 1);
}

// By the letter that a cursor key sends.
void LineEditor::act_on(char final) {
  switch (final) {
    case 'A': return recall(recalled_ - std::min<std::size_t>(recalled_, 1));
    case 'B': return recall(std::min(recalled_ + 1, history_.size()));
    case 'C': return move_to(cursor_ + 1);
    case 'D': return move_to(cursor_ - std::min<std::size_t>(cursor_, 1));
    case 'F': return move_to(line_.size());
    case 'H': return move_to(0);
    default: return;
  }
}

void LineEditor::insert(std::string_view text) {
  if (line_.size() + text.size() > kMaxLine) return events_.print(kBell);
  line_.insert(cursor_, text);
  cursor_ += text.size();
  if (cursor_ == line_.size()) return events_.print(text);
  redraw();
}

void LineEditor::erase(std::size_t from, std::size_t to) {
  to = std::min(to, line_.size());
  if (from >= to) return;
  line_.erase(from, to - from);
  cursor_ = from;
  redraw();
}

void LineEditor::move_to(std::size_t cursor) {
  cursor_ = std::min(cursor, line_.size());
  redraw();
}

void LineEditor::erase_word() {
  std::size_t start = cursor_;
  while (start > 0 && is_blank(line_[start - 1]))
    --start;
  while (start > 0 && !is_blank(line_[start - 1]))
    --start;
  erase(start, cursor_);
}

void LineEditor::recall(std::size_t index) {
  if (index == recalled_) return;
  if (recalled_ == history_.size()) typed_ = line_;
  recalled_ = index;
  line_ = index == history_.size() ? typed_ : history_[index];
  cursor_ = line_.size();
  redraw();
}

void LineEditor::complete() {
  const auto before = std::string_view(line_).substr(0, cursor_);
  const auto blank = before.find_last_of(" \t");
  const auto word = blank == std::string_view::npos ? before : before.substr(blank + 1);
  const auto candidates = events_.complete(before);
  if (candidates.empty()) return events_.print(kBell);
  const auto common = common_start(candidates);
  const auto rest = std::string(common.substr(std::min(common.size(), word.size())));
  if (candidates.size() == 1) return insert(rest + " ");
  if (!rest.empty()) return insert(rest);
  list(candidates);
}

void LineEditor::list(const std::vector<std::string>& candidates) {
  const auto width = std::ranges::max(candidates, {}, &std::string::size).size() + 2;
  const auto columns = std::max<std::size_t>(kScreenWidth / width, 1);
  std::string text = "\r\n";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    text += fmt::format("{:<{}}", candidates[i], width);
    if ((i + 1) % columns == 0 || i + 1 == candidates.size()) text += "\r\n";
  }
  events_.print(text);
  redraw();
}

void LineEditor::redraw() {
  auto text = fmt::format("\r{}{}\x1b[K", prompt_, line_);
  if (const auto back = line_.size() - cursor_; back > 0) text += fmt::format("\x1b[{}D", back);
  events_.print(text);
}

}  // namespace vmm::control
