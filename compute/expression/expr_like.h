/* expr_like.h — taking apart the pattern of a LIKE whose pattern is constant. */
#pragma once
#include "compute/functions/function.h"

/* A TextPattern in `arena`, or null when the pattern is not constant; 22025. */
Status expr_like_prepare(const Expr *call, const Value *const *constants, Arena *arena,
                         const void **prepared) CHECKED;
