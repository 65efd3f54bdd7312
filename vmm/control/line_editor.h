// The line that somebody types at a monitor: edited with the usual keys, with history and completion, on the far end of
// a terminal that leaves all of that to us.
//
// A program on a socket writes whole lines and wants no echo: until a key comes that only a person's terminal sends
// (Tab, an arrow, Ctrl-A, ..., or a carriage return alone), bytes are taken as they come and nothing is written back.
// Deliberately missing: lines wider than the terminal, characters of more than one column.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vmm::control {

class LineEditor {
 public:
  static constexpr std::size_t kMaxLine = 4096;
  static constexpr std::size_t kMaxHistory = 64;

  struct Events {
    std::function<void(std::string_view)> print;
    // A whole line; answers what to print before the next prompt, lines ended by "\n".
    std::function<std::string(const std::string& line)> on_line;
    // What the last word of `text`, which may be empty, can become.
    std::function<std::vector<std::string>(std::string_view text)> complete;
  };

  LineEditor(std::string prompt, Events events) : prompt_(std::move(prompt)), events_(std::move(events)) {}

  // The far end is known to be a terminal.
  void begin_editing() { is_editing_ = true; }
  // False: a line without end came from what is no terminal.
  bool feed(std::string_view bytes);

 private:
  enum class Escape : unsigned char { None, Begun, Bracket, Single };

  bool take_plainly(char c);
  void notice_person();
  void finish_line();
  void remember(const std::string& line);

  void press(char c);
  bool press_control(char c);
  void press_escaped(char c);
  void act_on(char final);
  void insert(std::string_view text);
  void erase(std::size_t from, std::size_t to);
  void move_to(std::size_t cursor);
  void erase_word();
  void recall(std::size_t index);
  void complete();
  void list(const std::vector<std::string>& candidates);
  void redraw();

  std::string prompt_;
  Events events_;
  bool is_editing_ = false;
  bool had_return_ = false;  // the last byte was a carriage return

  std::string line_;
  std::size_t cursor_ = 0;
  Escape escape_ = Escape::None;
  std::string parameter_;  // of a control sequence, as in ESC [ 3 ~

  std::deque<std::string> history_;
  std::size_t recalled_ = 0;  // the end: the line that is being typed
  std::string typed_;         // it, while an older one is shown
};

}  // namespace vmm::control
