// Which drawings nobody will ever see: later ones put others in the place of all their pixels before anybody reads
// them. A scrolled terminal is the example: each line is drawn once, moved up by fifty copies, and gone.
#pragma once

#include <span>
#include <vector>

#include "spice/display/drawing_list.h"

namespace spice::display {

// Of each entry, whether it may be left out if all the others are drawn some time.
std::vector<bool> unseen(std::span<const DrawingList::Entry> entries);

}  // namespace spice::display
