/* dictionary_codes.h — what the encodings share whose vectors pack numbers of entries. */
#pragma once
#include "storage/encoding/encoding.h"

/* Every code must name an entry of nodes[0].count: all vectors are unpacked once when the width
 * allows a larger one. XX001. */
Status dictionary_check_codes(const Block *block) CHECKED;
