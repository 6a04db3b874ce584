/*
 * plan_decode.c — bytes to plans: the reading half of plan_codec.c.
 *
 * Reading builds the structure with every count bounded by the bytes that are left; plan_check
 * then looks at what the parts say of each other. Both must pass before anybody sees the plan.
 */
#include "planner/plan/plan_codec.h"

#include <string.h>

#include "planner/plan/plan_check.h"

#define CORRUPT(...) status_error(SQLSTATE_DATA_CORRUPTED, __VA_ARGS__)
#define TYPE_BYTES 7
#define EXPR_BYTES_MIN 13
#define EMPTY_ROWS_MAX                                                                             \
    65536u /* rows of no columns take no bytes, so they get a limit of their own */

typedef struct Decoder {
    ByteReader *reader;
    Arena *arena;
    uint32_t depth;
} Decoder;

static Status decode_node(Decoder *self, PlanNode **out);

static Status check_reader(const Decoder *self)
{
    return byte_reader_is_ok(self->reader) ? STATUS_OK : CORRUPT("plan ends too early");
}

static double decode_double(Decoder *self)
{
    uint64_t bits = byte_reader_u64(self->reader);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint32_t decode_number(Decoder *self)
{
    uint64_t value = byte_reader_varint(self->reader);
    if (value > UINT32_MAX) {
        byte_reader_fail(self->reader);
        return 0;
    }
    return (uint32_t)value;
}

/* An enumeration's value below `count`. */
static uint8_t decode_choice(Decoder *self, unsigned count)
{
    uint8_t value = byte_reader_u8(self->reader);
    if (value >= count) {
        byte_reader_fail(self->reader);
        return 0;
    }
    return value;
}

static bool decode_flag(Decoder *self)
{
    return decode_choice(self, 2) != 0;
}

static uint32_t *decode_numbers(Decoder *self, uint32_t *count)
{
    *count = byte_reader_count(self->reader, 1);
    uint32_t *numbers = ARENA_ARRAY(self->arena, uint32_t, *count);
    for (uint32_t i = 0; i < *count; i++) {
        numbers[i] = decode_number(self);
    }
    return numbers;
}

/* The same where the count is known from elsewhere. */
static uint32_t *decode_numbers_of(Decoder *self, uint32_t expected)
{
    uint32_t count;
    uint32_t *numbers = decode_numbers(self, &count);
    if (count != expected) {
        byte_reader_fail(self->reader);
    }
    return numbers;
}

static Status decode_exprs(Decoder *self, uint32_t *count, Expr ***out)
{
    *count = byte_reader_count(self->reader, EXPR_BYTES_MIN);
    TRY(check_reader(self));
    *out = ARENA_ARRAY(self->arena, Expr *, *count);
    for (uint32_t i = 0; i < *count; i++) {
        TRY(expr_decode(self->reader, self->arena, &(*out)[i]));
    }
    return STATUS_OK;
}

static Status decode_exprs_of(Decoder *self, uint64_t expected, Expr ***out)
{
    uint32_t count;
    TRY(decode_exprs(self, &count, out));
    return count == expected ? STATUS_OK : CORRUPT("plan holds too few or too many expressions");
}

static Status decode_optional_expr(Decoder *self, Expr **out)
{
    bool is_present = decode_flag(self);
    TRY(check_reader(self));
    *out = NULL;
    return is_present ? expr_decode(self->reader, self->arena, out) : STATUS_OK;
}

static Status decode_types(Decoder *self, uint32_t *count, Type **out)
{
    *count = byte_reader_count(self->reader, TYPE_BYTES);
    TRY(check_reader(self));
    *out = ARENA_ARRAY(self->arena, Type, *count);
    for (uint32_t i = 0; i < *count; i++) {
        TRY(type_decode(self->reader, &(*out)[i]));
    }
    return STATUS_OK;
}

static PlanSortKey *decode_sort_keys(Decoder *self, uint32_t *count)
{
    *count = byte_reader_count(self->reader, 2);
    PlanSortKey *keys = ARENA_ARRAY(self->arena, PlanSortKey, *count);
    for (uint32_t i = 0; i < *count; i++) {
        keys[i].column = decode_number(self);
        uint8_t flags = decode_choice(self, 4);
        keys[i].is_descending = (flags & 1) != 0;
        keys[i].is_nulls_first = (flags & 2) != 0;
    }
    return keys;
}

static Status decode_table(Decoder *self, PlanTable **out)
{
    PlanTable *table = ARENA_NEW(self->arena, PlanTable);
    table->table_id = byte_reader_u64(self->reader);
    table->name = byte_reader_string(self->reader, self->arena);
    table->style = (DistributionStyle)decode_choice(self, DISTRIBUTION_STYLE_ALL + 1);
    table->column_count = byte_reader_count(self->reader, 2 + TYPE_BYTES);
    TRY(check_reader(self));
    table->columns = arena_array(self->arena, table->column_count, sizeof(*table->columns));
    for (uint32_t i = 0; i < table->column_count; i++) {
        table->columns[i].column_id = decode_number(self);
        table->columns[i].name = byte_reader_string(self->reader, self->arena);
        TRY(type_decode(self->reader, &table->columns[i].type));
        table->columns[i].is_not_null = decode_flag(self);
        table->columns[i].encode_word = byte_reader_u16(self->reader);
        TRY(value_decode(self->reader, self->arena, &table->columns[i].default_value));
    }
    table->distribution_column = (int32_t)byte_reader_u32(self->reader);
    table->sort_keys = decode_numbers(self, &table->sort_key_count);
    table->is_interleaved = decode_flag(self);
    *out = table;
    return check_reader(self);
}

static Status decode_scan(Decoder *self, PlanScan *scan)
{
    TRY(decode_table(self, &scan->table));
    scan->columns = decode_numbers(self, &scan->column_count);
    TRY(decode_exprs(self, &scan->filter_count, &scan->filters));
    scan->outputs = decode_numbers_of(self, scan->node.output_count);
    scan->has_row_ids = decode_flag(self);
    scan->runtime_filter_count = byte_reader_count(self->reader, 2);
    scan->runtime_filters =
        ARENA_ARRAY(self->arena, PlanRuntimeFilterUse, scan->runtime_filter_count);
    for (uint32_t i = 0; i < scan->runtime_filter_count; i++) {
        scan->runtime_filters[i].filter_id = decode_number(self);
        scan->runtime_filters[i].column = decode_number(self);
    }
    return check_reader(self);
}

static Status decode_values(Decoder *self, PlanValues *values)
{
    values->row_count = decode_number(self);
    TRY(check_reader(self));
    if (values->node.output_count == 0 && values->row_count > EMPTY_ROWS_MAX) {
        return CORRUPT("plan holds %u empty rows", values->row_count);
    }
    return decode_exprs_of(self, (uint64_t)values->row_count * values->node.output_count,
                           &values->cells);
}

static Status decode_hash_join(Decoder *self, PlanHashJoin *join)
{
    join->join = (JoinKind)decode_choice(self, JOIN_SINGLE + 1);
    join->is_build_unique = decode_flag(self);
    join->local_key = decode_number(self);
    join->key_count = byte_reader_count(self->reader, 2 * EXPR_BYTES_MIN + 2);
    TRY(check_reader(self));
    join->probe_keys = ARENA_ARRAY(self->arena, Expr *, join->key_count);
    join->build_keys = ARENA_ARRAY(self->arena, Expr *, join->key_count);
    join->is_null_equal = ARENA_ARRAY(self->arena, bool, join->key_count);
    join->runtime_filter_ids = ARENA_ARRAY(self->arena, uint32_t, join->key_count);
    for (uint32_t i = 0; i < join->key_count; i++) {
        TRY(expr_decode(self->reader, self->arena, &join->probe_keys[i]));
        TRY(expr_decode(self->reader, self->arena, &join->build_keys[i]));
        join->is_null_equal[i] = decode_flag(self);
        join->runtime_filter_ids[i] = decode_number(self);
    }
    TRY(decode_optional_expr(self, &join->residual));
    join->outputs = decode_numbers_of(self, join->node.output_count);
    return check_reader(self);
}

static Status decode_aggregate(Decoder *self, PlanAggregate *aggregate)
{
    TRY(decode_exprs(self, &aggregate->key_count, &aggregate->keys));
    aggregate->aggregate_count = byte_reader_count(self->reader, TYPE_BYTES + 4);
    TRY(check_reader(self));
    aggregate->aggregates = ARENA_ARRAY(self->arena, AggregateCall, aggregate->aggregate_count);
    for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
        AggregateCall *call = &aggregate->aggregates[i];
        uint8_t id = decode_choice(self, AGGREGATE_ID_MAX + 1);
        call->is_distinct = decode_flag(self);
        TRY(check_reader(self));
        if (!aggregate_is_known(id)) {
            return CORRUPT("plan calls unknown aggregate %u", id);
        }
        call->id = (AggregateId)id;
        TRY(type_decode(self->reader, &call->type));
        TRY(decode_optional_expr(self, &call->argument));
        TRY(decode_optional_expr(self, &call->filter));
    }
    aggregate->is_partial = decode_flag(self);
    aggregate->estimated_groups = decode_double(self);
    aggregate->has_key_bounds = decode_flag(self);
    if (aggregate->has_key_bounds) {
        aggregate->key_min = (int64_t)byte_reader_u64(self->reader);
        aggregate->key_max = (int64_t)byte_reader_u64(self->reader);
    }
    aggregate->is_key_local = decode_flag(self);
    return check_reader(self);
}

static Status decode_window(Decoder *self, PlanWindow *window)
{
    window->partition = decode_numbers(self, &window->partition_count);
    window->order = decode_sort_keys(self, &window->order_count);
    window->call_count = byte_reader_count(self->reader, TYPE_BYTES + 22);
    TRY(check_reader(self));
    window->calls = ARENA_ARRAY(self->arena, WindowCall, window->call_count);
    for (uint32_t i = 0; i < window->call_count; i++) {
        WindowCall *call = &window->calls[i];
        call->id = (WindowFunctionId)decode_choice(self, WINDOW_AGGREGATE + 1);
        call->aggregate = (AggregateId)decode_choice(self, AGGREGATE_ID_MAX + 1);
        TRY(decode_exprs(self, &call->arg_count, &call->args));
        uint8_t flags = decode_choice(self, 4);
        call->is_rows = (flags & 1) != 0;
        call->is_ignore_nulls = (flags & 2) != 0;
        call->start = (FrameBound)decode_choice(self, FRAME_UNBOUNDED_FOLLOWING + 1);
        call->end = (FrameBound)decode_choice(self, FRAME_UNBOUNDED_FOLLOWING + 1);
        call->start_rows = (int64_t)byte_reader_u64(self->reader);
        call->end_rows = (int64_t)byte_reader_u64(self->reader);
        TRY(type_decode(self->reader, &call->type));
    }
    return check_reader(self);
}

static Status decode_copy_read(Decoder *self, PlanCopyRead *copy)
{
    TRY(decode_table(self, &copy->table));
    copy->exchange_id = decode_number(self);
    copy->path_count = byte_reader_count(self->reader, 1);
    copy->paths = ARENA_ARRAY(self->arena, const char *, copy->path_count);
    for (uint32_t i = 0; i < copy->path_count; i++) {
        copy->paths[i] = byte_reader_string(self->reader, self->arena);
    }
    copy->columns = decode_numbers(self, &copy->column_count);
    const uint8_t *format = byte_reader_blob(self->reader, &copy->format_bytes);
    TRY(check_reader(self));
    copy->format =
        copy->format_bytes == 0 ? "" : arena_memdup(self->arena, format, copy->format_bytes);
    return STATUS_OK;
}

static Status decode_payload(Decoder *self, PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
        return decode_scan(self, (PlanScan *)node);
    case PLAN_VIRTUAL_SCAN:
        ((PlanVirtualScan *)node)->table_name = byte_reader_string(self->reader, self->arena);
        ((PlanVirtualScan *)node)->columns = decode_numbers_of(self, node->output_count);
        break;
    case PLAN_VALUES:
        return decode_values(self, (PlanValues *)node);
    case PLAN_FILTER:
        return decode_exprs(self, &((PlanFilter *)node)->filter_count,
                            &((PlanFilter *)node)->filters);
    case PLAN_PROJECT:
        return decode_exprs_of(self, node->output_count, &((PlanProject *)node)->exprs);
    case PLAN_HASH_JOIN:
        return decode_hash_join(self, (PlanHashJoin *)node);
    case PLAN_NESTED_LOOP_JOIN: {
        PlanNestedLoopJoin *join = (PlanNestedLoopJoin *)node;
        join->join = (JoinKind)decode_choice(self, JOIN_SINGLE + 1);
        TRY(decode_optional_expr(self, &join->condition));
        join->outputs = decode_numbers_of(self, node->output_count);
        break;
    }
    case PLAN_AGGREGATE:
        return decode_aggregate(self, (PlanAggregate *)node);
    case PLAN_SORT: {
        PlanSort *sort = (PlanSort *)node;
        sort->keys = decode_sort_keys(self, &sort->key_count);
        sort->limit = byte_reader_u64(self->reader);
        sort->offset = byte_reader_u64(self->reader);
        break;
    }
    case PLAN_LIMIT:
        ((PlanLimit *)node)->limit = byte_reader_u64(self->reader);
        ((PlanLimit *)node)->offset = byte_reader_u64(self->reader);
        break;
    case PLAN_UNION_ALL: {
        PlanUnionAll *append = (PlanUnionAll *)node;
        append->child_count = byte_reader_count(self->reader, 20);
        append->children = ARENA_ARRAY(self->arena, PlanNode *, append->child_count);
        break;
    }
    case PLAN_WINDOW:
        return decode_window(self, (PlanWindow *)node);
    case PLAN_RECEIVE: {
        PlanReceive *receive = (PlanReceive *)node;
        receive->exchange_id = decode_number(self);
        receive->merge_keys = decode_sort_keys(self, &receive->merge_key_count);
        break;
    }
    case PLAN_SEND: {
        PlanSend *send = (PlanSend *)node;
        send->exchange_id = decode_number(self);
        send->exchange = (ExchangeKind)decode_choice(self, EXCHANGE_NODE + 1);
        send->keys = decode_numbers(self, &send->key_count);
        break;
    }
    case PLAN_STORE:
        ((PlanStore *)node)->store_id = decode_number(self);
        break;
    case PLAN_STORED:
        ((PlanStored *)node)->store_id = decode_number(self);
        break;
    case PLAN_TABLE_WRITE:
        TRY(decode_table(self, &((PlanTableWrite *)node)->table));
        ((PlanTableWrite *)node)->is_analysis = decode_flag(self);
        ((PlanTableWrite *)node)->compression_rows = byte_reader_u64(self->reader);
        break;
    case PLAN_TABLE_DELETE:
        return decode_table(self, &((PlanTableDelete *)node)->table);
    case PLAN_TABLE_VACUUM: {
        PlanTableVacuum *vacuum = (PlanTableVacuum *)node;
        TRY(decode_table(self, &vacuum->table));
        vacuum->mode = (VacuumMode)decode_choice(self, VACUUM_MODE_COUNT);
        vacuum->percent = decode_number(self);
        break;
    }
    case PLAN_COPY_READ:
        return decode_copy_read(self, (PlanCopyRead *)node);
    case PLAN_RESULT:
    case PLAN_NODE_KIND_COUNT:
        break;
    }
    return check_reader(self);
}

static void set_child(PlanNode *node, uint32_t index, PlanNode *child)
{
    switch (node->kind) {
    case PLAN_FILTER:
        ((PlanFilter *)node)->child = child;
        break;
    case PLAN_PROJECT:
        ((PlanProject *)node)->child = child;
        break;
    case PLAN_HASH_JOIN: {
        PlanHashJoin *join = (PlanHashJoin *)node;
        *(index == 0 ? &join->probe : &join->build) = child;
        break;
    }
    case PLAN_NESTED_LOOP_JOIN: {
        PlanNestedLoopJoin *join = (PlanNestedLoopJoin *)node;
        *(index == 0 ? &join->probe : &join->build) = child;
        break;
    }
    case PLAN_AGGREGATE:
        ((PlanAggregate *)node)->child = child;
        break;
    case PLAN_SORT:
        ((PlanSort *)node)->child = child;
        break;
    case PLAN_LIMIT:
        ((PlanLimit *)node)->child = child;
        break;
    case PLAN_UNION_ALL:
        ((PlanUnionAll *)node)->children[index] = child;
        break;
    case PLAN_WINDOW:
        ((PlanWindow *)node)->child = child;
        break;
    case PLAN_SEND:
        ((PlanSend *)node)->child = child;
        break;
    case PLAN_STORE:
        ((PlanStore *)node)->child = child;
        break;
    case PLAN_TABLE_WRITE:
        ((PlanTableWrite *)node)->child = child;
        break;
    case PLAN_TABLE_DELETE:
        ((PlanTableDelete *)node)->child = child;
        break;
    case PLAN_RESULT:
        ((PlanResult *)node)->child = child;
        break;
    default:
        break;
    }
}

static Status decode_node_header(Decoder *self, PlanNode *node)
{
    node->id = decode_number(self);
    TRY(decode_types(self, &node->output_count, &node->output_types));
    node->estimated_rows = decode_double(self);
    node->estimated_cost = decode_double(self);
    node->estimated_width = decode_number(self);
    node->label = byte_reader_string(self->reader, self->arena);
    node->detail = byte_reader_string(self->reader, self->arena);
    return check_reader(self);
}

static Status decode_node(Decoder *self, PlanNode **out)
{
    static const size_t node_bytes[PLAN_NODE_KIND_COUNT] = {
#define PLAN_NODE(id, number, name, Struct) [number] = sizeof(Struct),
#include "planner/plan/plan_nodes.def"
#undef PLAN_NODE
    };
    uint8_t kind = byte_reader_u8(self->reader);
    if (kind >= PLAN_NODE_KIND_COUNT || node_bytes[kind] == 0) {
        return CORRUPT("plan holds a node of unknown kind %u", kind);
    }
    if (self->depth >= PLAN_DEPTH_MAX) {
        return CORRUPT("plan is deeper than %d", PLAN_DEPTH_MAX);
    }
    PlanNode *node = arena_alloc(self->arena, node_bytes[kind]);
    node->kind = (PlanNodeKind)kind;
    TRY(decode_node_header(self, node));
    TRY(decode_payload(self, node));
    uint32_t child_count = plan_node_child_count(node);
    self->depth++;
    for (uint32_t i = 0; i < child_count; i++) {
        PlanNode *child;
        TRY(decode_node(self, &child));
        set_child(node, i, child);
    }
    self->depth--;
    *out = node;
    return STATUS_OK;
}

static Status decode_results(Decoder *self, Plan *plan)
{
    plan->result_count = byte_reader_count(self->reader, TYPE_BYTES + 13);
    TRY(check_reader(self));
    plan->results = ARENA_ARRAY(self->arena, PlanResultColumn, plan->result_count);
    for (uint32_t i = 0; i < plan->result_count; i++) {
        plan->results[i].name = byte_reader_string(self->reader, self->arena);
        TRY(type_decode(self->reader, &plan->results[i].type));
        plan->results[i].table_id = byte_reader_u64(self->reader);
        plan->results[i].column_id = byte_reader_u32(self->reader);
    }
    return check_reader(self);
}

static Status decode_exchanges(Decoder *self, Plan *plan)
{
    plan->exchange_count = byte_reader_count(self->reader, 5);
    TRY(check_reader(self));
    plan->exchanges = ARENA_ARRAY(self->arena, PlanExchange, plan->exchange_count);
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        PlanExchange *exchange = &plan->exchanges[i];
        exchange->id = decode_number(self);
        exchange->kind = (ExchangeKind)decode_choice(self, EXCHANGE_NODE + 1);
        exchange->source_site = (PlanSite)decode_choice(self, PLAN_SITE_LEADER + 1);
        exchange->target_site = (PlanSite)decode_choice(self, PLAN_SITE_LEADER + 1);
        TRY(decode_types(self, &exchange->column_count, &exchange->types));
    }
    return check_reader(self);
}

static Status decode_fragments(Decoder *self, Plan *plan)
{
    plan->fragment_count = byte_reader_count(self->reader, 22);
    TRY(check_reader(self));
    plan->fragments = ARENA_ARRAY(self->arena, PlanFragment, plan->fragment_count);
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        plan->fragments[i].id = decode_number(self);
        plan->fragments[i].site = (PlanSite)decode_choice(self, PLAN_SITE_LEADER + 1);
        TRY(check_reader(self));
        TRY(decode_node(self, &plan->fragments[i].root));
    }
    return STATUS_OK;
}

Status plan_decode(ByteReader *reader, Arena *arena, Plan **out)
{
    Decoder self = {.reader = reader, .arena = arena};
    Plan *plan = ARENA_NEW(arena, Plan);
    uint8_t version = byte_reader_u8(reader);
    if (version != PLAN_CODEC_VERSION) {
        return CORRUPT("plan has version %u, expected %d", version, PLAN_CODEC_VERSION);
    }
    TRY(decode_results(&self, plan));
    TRY(decode_exchanges(&self, plan));
    TRY(decode_fragments(&self, plan));
    plan->node_count = decode_number(&self);
    plan->runtime_filter_count = byte_reader_count(reader, 1);
    plan->runtime_filter_exchanges = ARENA_ARRAY(arena, uint32_t, plan->runtime_filter_count);
    for (uint32_t i = 0; i < plan->runtime_filter_count; i++) {
        plan->runtime_filter_exchanges[i] = decode_number(&self);
    }
    TRY(check_reader(&self));
    TRY(plan_check(plan));
    *out = plan;
    return STATUS_OK;
}
