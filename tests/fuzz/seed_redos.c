/* seed_redos.c — redos of none to many batches, as first inputs of redo_decode. */
#include <string.h>

#include "storage/redo.h"
#include "tests/fuzz/seeds.h"

enum { SEED_BATCHES_MAX = 5, CHOICE_RIGHT = 0, CHOICE_AS_IS = 1 };

static void put_redo(const char *name, int choice, uint32_t count, uint64_t byte_count)
{
    static uint8_t batch[64];
    StoredRows rows[SEED_BATCHES_MAX];
    PendingRows pending[SEED_BATCHES_MAX];
    ByteBuffer bytes;
    memset(batch, 'b', sizeof(batch));
    memset(rows, 0, sizeof(rows));
    for (uint32_t i = 0; i < count; i++) {
        rows[i].kind = ROWS_BATCH;
        rows[i].rowset_id = 100 + i;
        rows[i].table_id = 7 + i % 2;
        rows[i].slice = i % 4;
        rows[i].first_bucket = (uint16_t)(4096 * (i % 4));
        rows[i].last_bucket = (uint16_t)(rows[i].first_bucket + 4095);
        rows[i].row_count = i + 1;
        rows[i].byte_count = byte_count;
        rows[i].bytes = batch;
        pending[i] = (PendingRows){.rows = &rows[i], .statement = i};
    }
    byte_buffer_init(&bytes, 0);
    redo_encode(pending, count, &bytes);
    seed_write_buffer("redo_decode", name, choice, &bytes);
    byte_buffer_deinit(&bytes);
}

void seed_redos(void)
{
    put_redo("none", CHOICE_RIGHT, 0, 0);
    put_redo("one", CHOICE_RIGHT, 1, 40);
    put_redo("five", CHOICE_RIGHT, 5, 64);
    put_redo("as_is", CHOICE_AS_IS, 1, 9);
}
