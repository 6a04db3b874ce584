/* delete_sets.h — sets of row numbers of every shape, as bitmaps, and masks made of them. */
#pragma once
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "storage/delete_mask.h"

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

static inline void must(Status status)
{
    if (status != STATUS_OK) {
        ck_abort_msg("%s %s", status_sqlstate_code(status), status_message(status));
    }
}

typedef struct Bitmap {
    uint64_t words[DELETE_GROUP_WORDS];
} Bitmap;

/* Golden files depend on it: it stays as it is. */
typedef struct Random {
    uint64_t state;
} Random;

static inline uint32_t random_below(Random *random, uint32_t limit)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random->state >> 33) % limit);
}

static inline void bitmap_set_range(Bitmap *bitmap, uint32_t first, uint32_t end)
{
    for (uint32_t row = first; row < end; row++) {
        validity_set(bitmap->words, row);
    }
}

#define SHAPES 14
/* At least one row each. */
static inline void make_bitmap(Bitmap *bitmap, uint32_t shape, Random *random)
{
    memset(bitmap, 0, sizeof *bitmap);
    switch (shape) {
    case 0:
        validity_set(bitmap->words, 0);
        break;
    case 1:
        validity_set(bitmap->words, 65535);
        break;
    case 2:
        bitmap_set_range(bitmap, 0, 65536);
        break;
    case 3:
        bitmap_set_range(bitmap, 1, 65535);
        break;
    case 4:
        bitmap_set_range(bitmap, 0, 64);
        break;
    case 5:
        bitmap_set_range(bitmap, 63, 65);
        bitmap_set_range(bitmap, 1020, 1030);
        break;
    case 6: // every second row: as many runs as rows
        for (uint32_t row = 0; row < 65536; row += 2) {
            validity_set(bitmap->words, row);
        }
        break;
    case 7: // what no run and no list holds
        bitmap_set_range(bitmap, 0, 65536);
        for (uint32_t i = 0; i < 30000; i++) {
            validity_clear(bitmap->words, random_below(random, 65536));
        }
        break;
    case 8:
        bitmap_set_range(bitmap, 65472, 65536);
        bitmap_set_range(bitmap, 0, 1);
        break;
    case 9: { // runs
        uint32_t row = random_below(random, 900);
        while (row < 65000) {
            const uint32_t end = row + 1 + random_below(random, 500);
            bitmap_set_range(bitmap, row, end);
            row = end + 1 + random_below(random, 500);
        }
        bitmap_set_range(bitmap, 7, 9);
        break;
    }
    default: { // from few to many
        const uint32_t count = 1u << (4 * (shape - 10));
        for (uint32_t i = 0; i < count; i++) {
            validity_set(bitmap->words, random_below(random, 65536));
        }
        break;
    }
    }
}

static inline DeletedRows *rows_of(const Bitmap *bitmap, MemoryBudget *budget)
{
    DeletedRows *rows;
    must(deleted_rows_from_bitmap(bitmap->words, budget, &rows));
    return rows;
}

static inline uint32_t bitmap_count(const Bitmap *bitmap)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        count += (uint32_t)__builtin_popcountll(bitmap->words[i]);
    }
    return count;
}

/* A mask of `groups` row groups of changing shapes; every fourth has no row. */
static inline DeleteMask *make_mask(uint32_t groups, uint32_t shape, Random *random,
                                    MemoryBudget *budget)
{
    DeletedRows *list[FORMAT_ROWSET_ROW_GROUPS] = {NULL};
    DeleteMask *mask;
    Bitmap bitmap;
    for (uint32_t i = 0; i < groups; i++) {
        if (i % 4 == 2 && i + 1 < groups) {
            continue;
        }
        make_bitmap(&bitmap, (shape + i) % SHAPES, random);
        list[i] = rows_of(&bitmap, budget);
    }
    must(delete_mask_create(list, groups, &mask));
    return mask;
}

/* The bitmap of one group of a mask, or zeroes. */
static inline void group_bitmap(const DeleteMask *mask, uint32_t group, Bitmap *bitmap)
{
    const DeletedRows *rows = delete_mask_group(mask, group);
    memset(bitmap, 0, sizeof *bitmap);
    if (rows != NULL) {
        deleted_rows_add_to(rows, bitmap->words);
    }
}
