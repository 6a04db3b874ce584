/*
 * unique_rows.h — can two rows of a tree agree in some columns? What keys would tell, were they
 * enforced, follows here from groupings, row numbers, row ids and equalities.
 */
#pragma once
#include "planner/logical/column_set.h"

/* No two rows of `node` agree in all of `columns`, NULLs taken as equal. False: cannot tell. */
bool rows_are_unique(const LogicalNode *node, const ColumnSet *columns, Arena *arena);
