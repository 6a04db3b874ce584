/*
 * test_delete_model.c — transactions that insert and delete at random, against a model that is an
 * array of rows: what every snapshot sees, how many rows each statement deletes, who gets 40001.
 *
 * Prints its seed and takes it back from BASALT_TEST_SEED. Also: scans while others delete and
 * commit, and a million deletes.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "delete_fixture.h"

static StoreFixture fixture;
static TestTable table;

static void setup(void)
{
    fixture_open(&fixture);
    test_table_init(&table, 10, DISTRIBUTION_STYLE_EVEN);
    table.table.column_count = 2; // the rest only takes time
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* The model. */

#define IDS 40000
#define TXNS 4
#define NEVER UINT64_MAX

typedef struct ModelRow {
    uint64_t created, deleted; /* positions */
    uint64_t txn_id;           /* that inserted it, while it is open */
    uint32_t statement;
} ModelRow;

typedef struct ModelTxn {
    uint64_t txn_id; /* 0: free */
    uint64_t position;
    uint32_t statement; /* the next one's number */
    bool is_prepared;
    uint32_t deleted[IDS]; /* statement that deleted the row; 0: none */
} ModelTxn;

static ModelRow rows[IDS];
static ModelTxn txns[TXNS];
static int64_t row_count;
static uint64_t position, horizon, last_txn_id, random_state;

static uint32_t pick_below(uint32_t limit)
{
    random_state = hash_mix(random_state + 1);
    return (uint32_t)((random_state >> 20) % limit);
}

static bool is_visible(int64_t id, const Snapshot *snapshot, const ModelTxn *txn)
{
    const ModelRow *row = &rows[id];
    const bool is_own = txn != NULL && row->txn_id == txn->txn_id && row->created == NEVER &&
                        row->statement < snapshot->statement;
    const uint32_t deleted = txn == NULL ? 0 : txn->deleted[id];
    return (row->created <= snapshot->position || is_own) && row->deleted > snapshot->position &&
           (deleted == 0 || deleted >= snapshot->statement);
}

static Snapshot snapshot_of(const ModelTxn *txn)
{
    return (Snapshot){
        .position = txn->position, .txn_id = txn->txn_id, .statement = txn->statement};
}

static void check_snapshot(Snapshot snapshot, const ModelTxn *txn)
{
    const PlaceOptions options = {.snapshot = snapshot, .batch_rows = 1 + pick_below(1024)};
    RowPlaces places = find_places(&fixture, &table, IDS, &options);
    for (int64_t id = 0; id < row_count; id++) {
        EXPECT((places.row_ids[id] != 0) == is_visible(id, &snapshot, txn),
               "row %lld at position %llu, transaction %llu, statement %u", (long long)id,
               (unsigned long long)snapshot.position, (unsigned long long)snapshot.txn_id,
               snapshot.statement);
    }
    free(places.row_ids);
}

static ModelTxn *pick_txn(bool is_prepared)
{
    const uint32_t first = pick_below(TXNS);
    for (uint32_t i = 0; i < TXNS; i++) {
        ModelTxn *txn = &txns[(first + i) % TXNS];
        if (txn->txn_id != 0 && txn->is_prepared == is_prepared) {
            return txn;
        }
    }
    return NULL;
}

static void begin(void)
{
    ModelTxn *txn = &txns[pick_below(TXNS)];
    if (txn->txn_id == 0) {
        memset(txn, 0, sizeof *txn);
        txn->txn_id = ++last_txn_id;
        txn->position = position;
        txn->statement = 1;
    }
}

static void insert(ModelTxn *txn)
{
    static const uint32_t sizes[] = {1, 7, 100, 1500, 9000};
    const uint32_t count = sizes[pick_below(row_count < 5000 ? 5 : 3)];
    if (row_count + count > IDS) {
        return;
    }
    write_rows(&fixture, &table, txn->txn_id, txn->statement, row_count, count);
    for (uint32_t i = 0; i < count; i++) {
        rows[row_count++] = (ModelRow){
            .created = NEVER, .deleted = NEVER, .txn_id = txn->txn_id, .statement = txn->statement};
    }
    txn->statement++;
}

static DeleteRange random_range(void)
{
    static const int64_t steps[] = {1, 1, 2, 3, 17, 400};
    DeleteRange range = {.step = steps[pick_below(6)]};
    // Most statements meet on the newest rows.
    const uint32_t newest = row_count > 600 && pick_below(4) > 0 ? 600 : (uint32_t)row_count;
    range.first = row_count - pick_below(newest + 1);
    const uint32_t most = (uint32_t)(row_count - range.first);
    range.end = range.first + pick_below((pick_below(5) > 0 && most > 300 ? 300 : most) + 1);
    range.phase = range.step == 1 ? 0 : pick_below((uint32_t)range.step);
    return range;
}

static void delete_some(ModelTxn *txn)
{
    const Snapshot snapshot = snapshot_of(txn);
    const DeleteRange range = random_range();
    uint64_t wanted = 0;
    for (int64_t id = range.first; id < range.end; id++) {
        if (range_has(&range, id) && is_visible(id, &snapshot, txn)) {
            wanted++;
            txn->deleted[id] = txn->statement;
        }
    }
    ck_assert_uint_eq(delete_rows(&fixture, &table, snapshot, range), wanted);
    txn->statement++;
}

static void rollback(ModelTxn *txn)
{
    const uint32_t first = 1 + pick_below(txn->statement);
    must(store_rollback_statements(fixture.store, txn->txn_id, first));
    for (int64_t id = 0; id < row_count; id++) {
        if (txn->deleted[id] >= first) {
            txn->deleted[id] = 0;
        }
        if (rows[id].txn_id == txn->txn_id && rows[id].statement >= first) {
            rows[id].txn_id = 0;
        }
    }
    txn->statement++;
}

static void forget(ModelTxn *txn)
{
    for (int64_t id = 0; id < row_count; id++) {
        if (rows[id].txn_id == txn->txn_id) {
            rows[id].txn_id = 0;
        }
    }
    txn->txn_id = 0;
}

static bool do_conflict(const ModelTxn *txn)
{
    for (int64_t id = 0; id < row_count; id++) {
        if (txn->deleted[id] == 0) {
            continue;
        }
        if (rows[id].deleted != NEVER) {
            return true;
        }
        for (int i = 0; i < TXNS; i++) {
            if (&txns[i] != txn && txns[i].txn_id != 0 && txns[i].is_prepared &&
                txns[i].deleted[id] != 0) {
                return true;
            }
        }
    }
    return false;
}

static uint32_t conflicts;
static void prepare(ModelTxn *txn)
{
    const bool is_refused = do_conflict(txn);
    Status status = store_prepare(fixture.store, txn->txn_id);
    if (!is_refused) {
        must(status);
        txn->is_prepared = true;
        return;
    }
    EXPECT(status != STATUS_OK, "transaction %llu was not refused",
           (unsigned long long)txn->txn_id);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_SERIALIZATION_FAILURE);
    status_free(status);
    must(store_abort(fixture.store, txn->txn_id));
    forget(txn);
    conflicts++;
}

static void commit(ModelTxn *txn)
{
    position++;
    must(store_commit(fixture.store, txn->txn_id, position));
    for (int64_t id = 0; id < row_count; id++) {
        if (rows[id].txn_id == txn->txn_id) {
            rows[id].created = position;
            rows[id].txn_id = 0;
        }
        if (txn->deleted[id] != 0) {
            rows[id].deleted = position;
        }
    }
    txn->txn_id = 0;
}

static void abort_txn(ModelTxn *txn)
{
    must(store_abort(fixture.store, txn->txn_id));
    forget(txn);
}

static void restart(void)
{
    fixture_reopen(&fixture);
    for (int i = 0; i < TXNS; i++) {
        if (txns[i].txn_id != 0 && !txns[i].is_prepared) {
            forget(&txns[i]);
        }
    }
}

static void advance_horizon(void)
{
    horizon = position;
    for (int i = 0; i < TXNS; i++) {
        if (txns[i].txn_id != 0 && txns[i].position < horizon) {
            horizon = txns[i].position;
        }
    }
    store_set_horizon(fixture.store, horizon);
}

static void one_step(void)
{
    const uint32_t dice = pick_below(100);
    ModelTxn *open = pick_txn(false), *prepared = pick_txn(true);
    if (dice < 20) {
        begin();
    } else if (dice < 32 && open != NULL) {
        insert(open);
    } else if (dice < 62 && open != NULL) {
        delete_some(open);
    } else if (dice < 66 && open != NULL) {
        rollback(open);
    } else if (dice < 78 && open != NULL) {
        prepare(open);
    } else if (dice < 90 && prepared != NULL) {
        commit(prepared);
    } else if (dice < 92 && prepared != NULL) {
        abort_txn(prepared);
    } else if (dice < 93 && open != NULL) {
        abort_txn(open);
    } else if (dice < 94) {
        restart();
    } else if (dice < 95) {
        advance_horizon();
    } else if (dice < 97 && open != NULL) {
        check_snapshot(snapshot_of(open), open);
    } else {
        const uint64_t back = pick_below((uint32_t)(position - horizon) + 1);
        check_snapshot((Snapshot){.position = position - back}, NULL);
    }
}

#define STEPS 800
START_TEST(random_transactions_match_the_model)
{
    const char *given = getenv("BASALT_TEST_SEED");
    const uint64_t seed =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 16 + (uint64_t)_i;
    printf("BASALT_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    random_state = seed;
    for (int i = 0; i < STEPS; i++) {
        one_step();
    }
    for (int i = 0; i < TXNS; i++) {
        if (txns[i].txn_id != 0 && txns[i].is_prepared) {
            commit(&txns[i]);
        }
    }
    restart();
    for (uint64_t at = horizon; at <= position; at++) {
        check_snapshot((Snapshot){.position = at}, NULL);
    }
    printf("%llu commits, %u conflicts, %lld rows\n", (unsigned long long)position, conflicts,
           (long long)row_count);
}
END_TEST

/* Large. */

#define MILLION 1200000
START_TEST(a_million_deletes)
{
    const DeleteRange some = {0, MILLION, 6, 5}, more = {100000, MILLION - 7, 1, 0};
    commit_rows(&fixture, &table, 1, 1, 0, MILLION);
    commit_delete(&fixture, &table, 2, 2, some);
    const PlaceOptions first = {.snapshot = {.position = 2}};
    RowPlaces places = find_places(&fixture, &table, MILLION, &first);
    for (int64_t id = 0; id < MILLION; id++) {
        EXPECT((places.row_ids[id] != 0) != range_has(&some, id), "row %lld", (long long)id);
    }
    free(places.row_ids);
    commit_delete(&fixture, &table, 3, 3, more); // 916,662 rows
    for (int open = 0; open < 2; open++) {
        const PlaceOptions both = {.snapshot = {.position = 3}};
        places = find_places(&fixture, &table, MILLION, &both);
        for (int64_t id = 0; id < MILLION; id++) {
            EXPECT((places.row_ids[id] != 0) != (range_has(&some, id) || range_has(&more, id)),
                   "row %lld", (long long)id);
        }
        free(places.row_ids);
        fixture_reopen(&fixture);
    }
}
END_TEST

/* Readers at fixed positions while a writer deletes row after row. */

#define RACE_ROWS 70000
#define RACE_COMMITS 30
#define READERS 3
static _Atomic uint64_t published, reading[READERS]; /* what a reader reads holds the horizon */

static void *read_race(void *object)
{
    _Atomic uint64_t *own = object;
    uint64_t at = 1;
    while (at < RACE_COMMITS) {
        at = atomic_load(&published);
        atomic_store(own, at);
        const DeleteRange gone = {0, (int64_t)(at - 1) * 2000, 1, 0};
        const PlaceOptions options = {.snapshot = {.position = at}};
        RowPlaces places = find_places(&fixture, &table, RACE_ROWS, &options);
        for (int64_t id = 0; id < RACE_ROWS; id++) {
            EXPECT((places.row_ids[id] != 0) != range_has(&gone, id), "row %lld at %llu",
                   (long long)id, (unsigned long long)at);
        }
        free(places.row_ids);
    }
    return NULL;
}

START_TEST(readers_and_a_deleter)
{
    pthread_t readers[READERS];
    commit_rows(&fixture, &table, 1, 1, 0, RACE_ROWS);
    atomic_store(&published, 1);
    for (int i = 0; i < READERS; i++) {
        atomic_store(&reading[i], 1);
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_race, &reading[i]), 0);
    }
    for (uint64_t at = 2; at <= RACE_COMMITS; at++) {
        const int64_t first = (int64_t)(at - 2) * 2000;
        commit_delete(&fixture, &table, at, at, (DeleteRange){first, first + 2000, 1, 0});
        atomic_store(&published, at);
        uint64_t oldest = at;
        for (int i = 0; i < READERS; i++) {
            const uint64_t held = atomic_load(&reading[i]);
            oldest = held < oldest ? held : oldest;
        }
        store_set_horizon(fixture.store, oldest);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delete_model");
    TCase *tests = tcase_create("model");
    tcase_set_timeout(tests, 280);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, random_transactions_match_the_model, 0, 4);
    tcase_add_test(tests, a_million_deletes);
    tcase_add_test(tests, readers_and_a_deleter);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
