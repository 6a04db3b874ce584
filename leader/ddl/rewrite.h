/* rewrite.h — rows written anew or elsewhere by statements of definition; inside ddl only. */
#pragma once
#include "leader/ddl/table_change.h"
#include "leader/session_internal.h"

/* ALTER TABLE with a root: the table's rows under another id, in the new distribution and order. */
Status rewrite_table(Session *session, Portal *portal, PlannerContext *planner,
                     const Snapshot *snapshot) CHECKED;
/* ALTER TABLE ... APPEND FROM; 25001 inside a block. */
Status rewrite_append(Session *session, Portal *portal, PlannerContext *planner,
                      const Snapshot *snapshot) CHECKED;

/* Runs the insert within the statement; `*rows`: how many there were. */
Status ddl_fill(Session *session, Portal *portal, PlannerContext *planner, const Snapshot *snapshot,
                LogicalNode *insert, int64_t *rows) CHECKED;
