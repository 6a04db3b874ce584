/* subquery_forms.h — each form of subquery as a join with the rows that ask. Inside the room only.
 */
#pragma once
#include "planner/optimizer/unnest.h"

/* A conjunct that is a subquery: keeps the rows of `*input` for which it is true (semi and anti
 * joins). `*is_done` is false for forms that are better taken as values. */
Status subquery_filter(Unnester *unnester, const Expr *subquery, LogicalNode **input,
                       bool *is_done) CHECKED;
/* The subquery as a value over the columns of `*input`, which is extended by a join. */
Status subquery_value(Unnester *unnester, const Expr *subquery, LogicalNode **input,
                      Expr **out) CHECKED;
