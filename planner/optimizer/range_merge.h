/* range_merge.h — comparisons of one column with constants, all of which must hold. */
#pragma once
#include "planner/logical/column_set.h"

/* Drops comparisons that others imply (a > 1 beside a > 3). False: they contradict each other
 * (a > 3 and a < 2), no row can satisfy them. */
bool ranges_merge(PointerList *conjuncts);
