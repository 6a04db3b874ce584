/*
 * plan_print.c — EXPLAIN's text, in Redshift's words.
 *
 *   XN HashAggregate  (cost=0.00..912.40 rows=5 width=16)
 *     ->  XN Hash Join DS_DIST_NONE  (cost=0.00..870.11 rows=90000 width=12)
 *           Hash Cond: (l_orderkey = o_orderkey)
 *           ->  XN Seq Scan on lineitem  (cost=…)
 *           ->  XN Hash  (cost=…)
 *                 ->  XN Seq Scan on orders  (cost=…)
 *
 * Fragments are printed as one tree: a RECEIVE stands for the SEND that feeds it. Exchanges under
 * joins are told by the join's DS_* label alone, unless VERBOSE or ANALYZE asks for their lines.
 * Costs are in microseconds of one node.
 */
#include "planner/plan/plan_print.h"

#include <math.h>
#include <string.h>

typedef struct PlanPrinter {
    const Plan *plan;
    const PlanNodeStatistics *statistics;
    uint32_t statistic_count;
    bool has_exchange_lines;
    ByteBuffer *target;
} PlanPrinter;

static void print_node(PlanPrinter *self, const PlanNode *node, uint32_t depth, bool is_join_side);

static void indent(PlanPrinter *self, uint32_t depth, bool has_arrow)
{
    // A child's arrow stands two columns right of its parent's name, its own name four further.
    if (depth == 0) {
        byte_buffer_printf(self->target, "%s", has_arrow ? "" : "  ");
        return;
    }
    uint32_t arrow = 2 + (depth - 1) * 6;
    byte_buffer_printf(self->target, "%*s%s", (int)(has_arrow ? arrow : arrow + 6), "",
                       has_arrow ? "->  " : "");
}

static void print_line(PlanPrinter *self, uint32_t depth, const char *name, const PlanNode *node)
{
    double cost = isfinite(node->estimated_cost) ? node->estimated_cost / 1000 : 0;
    double rows = isfinite(node->estimated_rows) ? node->estimated_rows : 0;
    bool has_label = node->label != NULL && node->label[0] != '\0';
    bool has_both = has_label && name[0] != '\0';
    indent(self, depth, true);
    byte_buffer_printf(self->target, "XN %s%s%s  (cost=0.00..%.2f rows=%.0f width=%u)\n", name,
                       has_both ? " " : "", has_label ? node->label : "", cost, rows < 1 ? 1 : rows,
                       node->estimated_width);
}

static void print_detail(PlanPrinter *self, uint32_t depth, const char *detail)
{
    while (detail != NULL && *detail != '\0') {
        const char *end = strchr(detail, '\n');
        size_t bytes = end == NULL ? strlen(detail) : (size_t)(end - detail);
        indent(self, depth, false);
        byte_buffer_add(self->target, detail, bytes);
        byte_buffer_add_u8(self->target, '\n');
        detail = end == NULL ? NULL : end + 1;
    }
}

static void print_one_statistic(PlanPrinter *self, uint32_t depth, const PlanNode *node,
                                const PlanNodeStatistics *one)
{
    indent(self, depth, false);
    if (one->site == 0) {
        byte_buffer_printf(self->target, "Leader: ");
    } else {
        byte_buffer_printf(self->target, "Node %u: ", one->site);
    }
    byte_buffer_printf(self->target, "rows=%llu time=%.3fms", (unsigned long long)one->rows,
                       (double)one->time_ns / 1e6);
    if (one->bytes > 0) {
        byte_buffer_printf(self->target, " bytes=%llu", (unsigned long long)one->bytes);
    }
    if (node->kind == PLAN_SCAN) {
        byte_buffer_printf(
            self->target, " blocks_read=%llu blocks_skipped=%llu blocks_from_disk=%llu",
            (unsigned long long)one->blocks_read, (unsigned long long)one->blocks_skipped,
            (unsigned long long)one->blocks_from_disk);
        if (one->row_groups_from_zone_maps > 0) {
            byte_buffer_printf(self->target, " row_groups_from_zone_maps=%llu",
                               (unsigned long long)one->row_groups_from_zone_maps);
        }
    }
    if (one->spilled_bytes > 0) {
        byte_buffer_printf(self->target, " spilled=%llu", (unsigned long long)one->spilled_bytes);
    }
    if (one->variant[0] != '\0') {
        byte_buffer_printf(self->target, " variant=%.*s", (int)sizeof(one->variant), one->variant);
    }
    byte_buffer_add_u8(self->target, '\n');
}

static void print_statistics(PlanPrinter *self, uint32_t depth, const PlanNode *node)
{
    uint64_t rows = 0, time_ns = 0;
    uint32_t sites = 0;
    for (uint32_t i = 0; i < self->statistic_count; i++) {
        if (self->statistics[i].plan_node_id == node->id) {
            rows += self->statistics[i].rows;
            time_ns += self->statistics[i].time_ns;
            sites++;
        }
    }
    if (sites == 0) {
        return;
    }
    indent(self, depth, false);
    byte_buffer_printf(self->target, "Actual: rows=%llu time=%.3fms%s\n", (unsigned long long)rows,
                       (double)time_ns / 1e6,
                       node->kind == PLAN_SEND      ? " (sent)"
                       : node->kind == PLAN_RECEIVE ? " (received)"
                                                    : "");
    for (uint32_t i = 0; i < self->statistic_count; i++) {
        if (self->statistics[i].plan_node_id == node->id) {
            print_one_statistic(self, depth, node, &self->statistics[i]);
        }
    }
}

static const char *join_name(const PlanNode *node)
{
    static const char *const hash_names[] = {
        [JOIN_INNER] = "Hash Join",
        [JOIN_LEFT] = "Hash Left Join",
        [JOIN_RIGHT] = "Hash Right Join",
        [JOIN_FULL] = "Hash Full Join",
        [JOIN_SEMI] = "Hash Semi Join",
        [JOIN_ANTI] = "Hash Anti Join",
        [JOIN_ANTI_NULL] = "Hash NOT IN Join",
        [JOIN_RIGHT_SEMI] = "Hash Right Semi Join",
        [JOIN_RIGHT_ANTI] = "Hash Right Anti Join",
        [JOIN_MARK] = "Hash Mark Join",
        [JOIN_SINGLE] = "Hash Single Join",
    };
    static const char *const loop_names[] = {
        [JOIN_INNER] = "Nested Loop",
        [JOIN_LEFT] = "Nested Loop Left Join",
        [JOIN_RIGHT] = "Nested Loop Right Join",
        [JOIN_FULL] = "Nested Loop Full Join",
        [JOIN_SEMI] = "Nested Loop Semi Join",
        [JOIN_ANTI] = "Nested Loop Anti Join",
        [JOIN_ANTI_NULL] = "Nested Loop NOT IN Join",
        [JOIN_RIGHT_SEMI] = "Nested Loop Right Semi Join",
        [JOIN_RIGHT_ANTI] = "Nested Loop Right Anti Join",
        [JOIN_MARK] = "Nested Loop Mark Join",
        [JOIN_SINGLE] = "Nested Loop Single Join",
    };
    return node->kind == PLAN_HASH_JOIN ? hash_names[((const PlanHashJoin *)node)->join]
                                        : loop_names[((const PlanNestedLoopJoin *)node)->join];
}

static const char *node_name(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_HASH_JOIN:
    case PLAN_NESTED_LOOP_JOIN:
        return join_name(node);
    case PLAN_AGGREGATE: {
        const PlanAggregate *aggregate = (const PlanAggregate *)node;
        if (aggregate->is_partial) {
            return aggregate->key_count == 0 ? "Partial Aggregate" : "Partial HashAggregate";
        }
        return aggregate->key_count == 0 ? "Aggregate" : "HashAggregate";
    }
    case PLAN_SORT:
        return ((const PlanSort *)node)->limit == PLAN_NO_LIMIT ? "Sort" : "Top-N Sort";
    case PLAN_UNION_ALL: // a deletion and an insertion say what they are for
        return node->label == NULL || node->label[0] == '\0' ? plan_node_name(node->kind) : "";
    default:
        return plan_node_name(node->kind);
    }
}

/* The SEND that feeds an exchange, or null (text blocks of a COPY). */
static const PlanSend *find_send(const PlanPrinter *self, uint32_t exchange_id)
{
    for (uint32_t i = 0; i < self->plan->fragment_count; i++) {
        const PlanNode *root = self->plan->fragments[i].root;
        if (root->kind == PLAN_SEND && ((const PlanSend *)root)->exchange_id == exchange_id) {
            return (const PlanSend *)root;
        }
    }
    return NULL;
}

static const char *exchange_words(const PlanPrinter *self, const PlanSend *send)
{
    PlanSite target = self->plan->exchanges[send->exchange_id - 1].target_site;
    switch (send->exchange) {
    case EXCHANGE_HASH:
        return "Distribute by hash";
    case EXCHANGE_NODE:
        return "Distribute by node";
    case EXCHANGE_BROADCAST:
        return "Broadcast";
    case EXCHANGE_ROUND_ROBIN:
        return "Distribute Round Robin";
    case EXCHANGE_GATHER:
        break;
    }
    return target == PLAN_SITE_LEADER ? "Send to leader" : "Send to one node";
}

static void print_receive(PlanPrinter *self, const PlanReceive *receive, uint32_t depth,
                          bool is_join_side)
{
    const PlanSend *send = find_send(self, receive->exchange_id);
    if (send == NULL) {
        return;
    }
    if (is_join_side && !self->has_exchange_lines) {
        print_node(self, send->child, depth, false);
        return;
    }
    if (receive->merge_key_count > 0) {
        print_line(self, depth, "Merge", &receive->node);
        print_detail(self, depth, receive->node.detail);
        print_statistics(self, depth, &receive->node);
        depth++;
    }
    print_line(self, depth, "Network", &send->node);
    print_detail(self, depth, exchange_words(self, send));
    print_detail(self, depth, send->node.detail);
    print_statistics(self, depth, &send->node);
    if (receive->merge_key_count == 0) {
        print_statistics(self, depth, &receive->node);
    }
    print_node(self, send->child, depth + 1, false);
}

static void print_node(PlanPrinter *self, const PlanNode *node, uint32_t depth, bool is_join_side)
{
    if (node->kind == PLAN_RECEIVE) {
        print_receive(self, (const PlanReceive *)node, depth, is_join_side);
        return;
    }
    if (node->kind == PLAN_RESULT || node->kind == PLAN_SEND) {
        print_node(self, plan_node_child(node, 0), depth, false);
        return;
    }
    print_line(self, depth, node_name(node), node);
    print_detail(self, depth, node->detail);
    print_statistics(self, depth, node);
    bool is_join = node->kind == PLAN_HASH_JOIN || node->kind == PLAN_NESTED_LOOP_JOIN;
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        const PlanNode *child = plan_node_child(node, i);
        uint32_t child_depth = depth + 1;
        if (node->kind == PLAN_HASH_JOIN && i == 1) {
            PlanNode hash = *child;
            hash.label = "";
            print_line(self, child_depth++, "Hash", &hash);
        }
        print_node(self, child, child_depth, is_join);
    }
}

void plan_print(const Plan *plan, const PlanNodeStatistics *statistics, uint32_t statistic_count,
                bool is_verbose, ByteBuffer *target)
{
    PlanPrinter self = {.plan = plan,
                        .statistics = statistics,
                        .statistic_count = statistic_count,
                        .has_exchange_lines = is_verbose || statistic_count > 0,
                        .target = target};
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        if (plan->fragments[i].root->kind == PLAN_RESULT) {
            print_node(&self, plan->fragments[i].root, 0, false);
        }
    }
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        if (plan->fragments[i].root->kind == PLAN_STORE) {
            print_node(&self, plan->fragments[i].root, 0, false);
        }
    }
}
