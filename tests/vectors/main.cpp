// spice-vectors VERB ARGUMENTS...: runs the codecs or the canvas over one vector, for a script that compares the
// results.
//   decode IN.payload OUT.raw META.json   one image of a SPICE message; OUT has its pixels, top row first
//   encode IN.raw OUT.payload META.json   META names codec and image
//   glzseq SEQ.bin FOLDER META.json       a sequence of GLZ images; FOLDER/<number>.raw each
//   render CASE.json FOLDER OUT.raw       one drawing on one surface, whose files are in FOLDER
// 0 is success, 1 a failure with a line on standard error, 64 a verb or codec that does not exist.
#include <array>
#include <cstdio>
#include <exception>
#include <string_view>

#include "tests/vectors/codec_verbs.h"
#include "tests/vectors/render.h"
#include "tests/vectors/verb.h"

namespace {

using vectors::Arguments;

struct Verb {
  std::string_view name;
  std::size_t arguments;
  int (*run)(const Arguments& arguments);
};

constexpr std::array kVerbs = {
    Verb{"decode", 3, vectors::decode},
    Verb{"encode", 3, vectors::encode},
    Verb{"glzseq", 3, vectors::glz_sequence},
    Verb{"render", 3, vectors::render},
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argv + (argc > 1 ? 2 : 1), argv + argc);
  for (const auto& verb : kVerbs) {
    if (argc < 2 || verb.name != argv[1] || verb.arguments != arguments.size()) continue;
    try {
      return verb.run(arguments);
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "spice-vectors: %s\n", problem.what());
      return vectors::kFailed;
    }
  }
  return vectors::kUnknown;
}
