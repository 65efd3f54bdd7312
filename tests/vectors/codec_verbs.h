// The verbs of spice-vectors that concern the image codecs; see main.cpp.
#pragma once

#include "tests/vectors/verb.h"

namespace vectors {

int decode(const Arguments& arguments);
int encode(const Arguments& arguments);
int glz_sequence(const Arguments& arguments);

}  // namespace vectors
