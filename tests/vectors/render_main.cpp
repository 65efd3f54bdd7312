// spice-render render CASE.json FOLDER OUT.raw: see render.h. Until spice-vectors has the verb.
#include <cstdio>
#include <exception>
#include <string_view>

#include "tests/vectors/render.h"

int main(int argc, char** argv) {
  if (argc != 5 || std::string_view(argv[1]) != "render") return 64;
  try {
    return vectors::render({argv + 2, argv + argc});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "spice-render: %s\n", problem.what());
    return 1;
  }
}
