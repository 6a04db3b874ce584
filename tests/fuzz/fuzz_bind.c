/*
 * fuzz_bind.c — any bytes as SQL text, bound against the tables of fake_catalog.h: what is bound
 * is a sound tree, what is refused is refused with a position inside the text. Queries without
 * parameters are planned: the plan is one that a node accepts.
 */
#include "planner/distributor/distribute.h"
#include "planner/parser/parse.h"
#include "planner/plan/plan_check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/planner/fake_catalog.h"

#define PARAMETERS_MAX 16

/* Tables of every distribution. */
static const char *const distributed =
    "create table r (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table s (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table w (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle even;"
    "create table d (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle all";

static FakeCatalog *the_catalog(void)
{
    static FakeCatalog catalog;
    if (catalog.arena == NULL) {
        fake_catalog_init(&catalog, arena_create(NULL, "catalog"));
        require(fake_catalog_add_tpch(&catalog) == STATUS_OK);
        require(fake_catalog_add_samples(&catalog) == STATUS_OK);
        require(fake_catalog_add(&catalog, distributed) == STATUS_OK);
    }
    return &catalog;
}

/* A LIMIT of rows in no order. */
static bool is_deep(const LogicalNode *root)
{
    return root->kind == LOGICAL_LIMIT && logical_get_child(root, 0)->kind == LOGICAL_PROJECT;
}

static void plan_one(PlannerContext *context, const BoundStatement *bound)
{
    Plan *plan = NULL;
    Status status = plan_query(context, bound->root, bound->results, bound->result_count, &plan);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) != SQLSTATE_INTERNAL_ERROR);
        require(status_sqlstate(status) != SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        return;
    }
    require(plan_check(plan) == STATUS_OK);
}

static void bind_one(FakeCatalog *catalog, Arena *arena, const AstStatement *statement,
                     size_t bytes)
{
    PlannerContext context = fake_catalog_context(catalog, arena);
    Type types[PARAMETERS_MAX];
    BindParameters parameters = {.types = types, .capacity = PARAMETERS_MAX};
    BoundStatement *bound = NULL;
    Status status = bind_statement(&context, statement, &parameters, &bound);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) != SQLSTATE_INTERNAL_ERROR);
        require(status_position(status) <= (int32_t)bytes);
        status_free(status);
        return;
    }
    const LogicalNode *root = bound->inner != NULL ? bound->inner->root : bound->root;
    if (root != NULL) {
        require(logical_verify(root, "binder") == STATUS_OK);
        plant(is_deep(root));
        const BoundStatement *planned = bound->inner != NULL ? bound->inner : bound;
        if (statement->parameter_count == 0) {
            plan_one(&context, planned);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    FakeCatalog *catalog = the_catalog();
    Arena *arena = arena_create(NULL, "fuzz");
    AstStatementList list = {0};
    Status status = parse_statements((const char *)data, bytes, arena, &list);
    if (status != STATUS_OK) {
        status_ignore(status, "fuzz_sql looks at these");
    }
    for (uint32_t i = 0; i < list.count; i++) {
        bind_one(catalog, arena, list.items[i], bytes);
    }
    arena_destroy(arena);
    return 0;
}
