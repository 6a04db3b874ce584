/*
 * unnest.h — dependent joins made independent: a subquery that uses columns of the enclosing query
 * becomes one that is computed once, joined by those columns.
 *
 * Two ways. Pulling: correlated conditions of the subquery are taken out of it and become the
 * join's; where they are equalities they may pass groupings and windows, whose keys they extend:
 *   (select sum(x) from r where r.k = o.k)  ->  join (select k, sum(x) from r group by k) on k
 * Pushing (Neumann and Kemper, Unnesting Arbitrary Queries, BTW 2015): the domain, all distinct
 * combinations of the outer columns used, is joined into the subquery where it uses them; every
 * operator above carries the domain's columns along. Always possible, but computes the domain.
 */
#pragma once
#include "planner/logical/column_set.h"
#include "planner/logical/logical_tree.h"

typedef struct Unnester {
    PlannerContext *context;
    Arena *arena;
    PointerList shared; /* LogicalCte: outer sides that are needed twice, to go above the query */
} Unnester;

/* The outer columns a subquery uses, and how to make their distinct combinations. */
typedef struct Domain {
    Unnester *unnester;
    LogicalNode **outer; /* replaced by a reference when its rows are shared */
    ColumnSet columns;
    uint32_t count;
    LogicalColumn *list; /* the outer columns, ascending by number */
    LogicalCte *cte;     /* of a copy of the outer side, once shared */
} Domain;

/* The domain of `plan` over `*outer`; count 0: not correlated with it. */
Domain domain_create(Unnester *unnester, LogicalNode **outer, const LogicalNode *plan);
bool domain_is_used(const Domain *domain, const LogicalNode *node);
bool domain_is_used_by(const Domain *domain, const Expr *expr);

/* Can all conditions on the domain be taken out of `plan`? `is_equality_only`: of all of them only
 * `outer = inner` will do. */
bool pull_is_possible(const Domain *domain, const LogicalNode *plan, bool is_equality_only);
/* Takes them out, changing `plan` in place, and adds them to `conjuncts`; the columns of the plan
 * they use are among its outputs, after those it had. */
LogicalNode *pull_conditions(const Domain *domain, LogicalNode *plan, PointerList *conjuncts);

/* `plan` for all rows of the domain at once; its outputs contain those it had and, in
 * `numbers[i]`, the value of the domain's column i. */
Status push_domain(Domain *domain, LogicalNode *plan, ColumnNumber *numbers,
                   LogicalNode **out) CHECKED;
/* outer column i = numbers[i], NULL equal to NULL, for all i: adds them to `conjuncts`. */
void domain_add_conditions(const Domain *domain, const ColumnNumber *numbers,
                           PointerList *conjuncts);

/* `outer <function> inner` taken apart: true when one side uses only the domain, the other none. */
bool split_domain_equality(const Domain *domain, const Expr *conjunct, Expr **outer, Expr **inner);
/* `left` with a boolean column `mark`: is there a right row for which `same` (never NULL, may be
 * null) and `condition` hold? NULL when there is none but one with an unknown condition. The plan
 * it makes tells NULL from false only in joins of one key and nothing else, which is what the
 * engine promises. `is_exact`: NULL matters; else it may come out as false. */
LogicalNode *mark_join(Unnester *unnester, LogicalNode *left, LogicalNode *right, Expr *condition,
                       Expr *same, ColumnNumber mark, bool is_exact);
/* The boolean `expr`, with NULL as `otherwise`. */
Expr *null_as(Arena *arena, Expr *expr, bool otherwise);
