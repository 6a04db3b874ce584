/* seed_deletes.c — masks of every form, as first inputs of delete_mask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/delete_codec.h"
#include "tests/fuzz/seeds.h"

static void must(Status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", status_message(status));
        exit(1);
    }
}

/* Rows first, first + step, … below `end`. */
typedef struct SeedRows {
    const char *name;
    uint32_t group, first, end, step;
} SeedRows;

static const SeedRows seeds[] = {
    {"one_row", 0, 0, 1, 1},        {"last_row", 63, 65535, 65536, 1}, {"list", 5, 3, 4000, 100},
    {"run", 1, 64, 5000, 1},        {"all", 2, 0, 65536, 1},           {"bitmap", 3, 0, 900, 2},
    {"short_bitmap", 0, 0, 130, 2},
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

static DeletedRows *rows_of(const SeedRows *seed, MemoryBudget *budget)
{
    uint64_t words[DELETE_GROUP_WORDS] = {0};
    DeletedRows *rows;
    for (uint32_t row = seed->first; row < seed->end; row += seed->step) {
        validity_set(words, row);
    }
    must(deleted_rows_from_bitmap(words, budget, &rows));
    return rows;
}

static void put_seed(const char *name, DeletedRows **owned_groups, uint32_t count)
{
    const DeleteIdentity identity = {.table_id = 2, .rowset_id = 3};
    DeleteMask *mask;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0);
    must(delete_mask_create(owned_groups, count, &mask));
    must(delete_mask_encode(mask, &identity, &bytes));
    seed_write_buffer("delete_mask", name, -1, &bytes);
    byte_buffer_deinit(&bytes);
    delete_mask_unpin(mask);
}

void seed_deletes(void)
{
    PagePool *pool;
    must(page_pool_create(&pool, (size_t)64 << 20));
    MemoryBudget *budget = memory_budget_create(pool, NULL, "seeds", 0);
    DeletedRows *many[FORMAT_ROWSET_ROW_GROUPS] = {NULL};
    for (uint32_t i = 0; i < SEEDS; i++) {
        DeletedRows *one[FORMAT_ROWSET_ROW_GROUPS] = {NULL};
        one[seeds[i].group] = rows_of(&seeds[i], budget);
        put_seed(seeds[i].name, one, seeds[i].group + 1);
        many[2 * i] = rows_of(&seeds[i], budget);
    }
    put_seed("many_groups", many, 2 * SEEDS - 1);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}
