/* Suite of leader/txn/conflict_graph.c; and against all orders: what commits must be explained by
 * one of them. */
#include "leader/txn/conflict_graph.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/check_status.h"

static ConflictGraph *graph;

static void setup(void)
{
    graph = conflict_graph_create();
}

static void teardown(void)
{
    conflict_graph_destroy(graph);
}

static TableSet set_of(const char *tables)
{
    TableSet set = {0};
    for (; *tables != '\0'; tables++) {
        table_set_add(&set, (uint64_t)*tables);
    }
    return set;
}

/* `reads` and `writes`: a letter per table. */
static Status commit(uint64_t id, uint64_t snapshot, uint64_t position, const char *reads,
                     const char *writes)
{
    SerialTxn txn = {
        .txn_id = id, .snapshot = snapshot, .reads = set_of(reads), .writes = set_of(writes)};
    return conflict_graph_commit(graph, &txn, position);
}

START_TEST(write_skew_is_refused)
{
    ck_assert_ok(commit(1, 10, 11, "ab", "a"));
    ck_assert_state(commit(2, 10, 12, "ab", "b"), SQLSTATE_SERIALIZATION_FAILURE);
    ck_assert_ok(commit(3, 11, 12, "ab", "b")); // again, after the first
}
END_TEST

START_TEST(one_edge_is_an_order)
{
    ck_assert_ok(commit(1, 10, 11, "a", "b"));
    ck_assert_ok(commit(2, 10, 12, "b", "c")); // before the first
    ck_assert_ok(commit(3, 12, 13, "abc", "abc"));
    ck_assert_ok(commit(4, 13, 14, "", "a")); // blind writes
    ck_assert_ok(commit(5, 13, 15, "", "a"));
}
END_TEST

/* Fekete, O'Neil, O'Neil: "A Read-Only Transaction Anomaly Under Snapshot Isolation". */
START_TEST(a_reader_can_close_a_cycle)
{
    ck_assert_ok(commit(1, 10, 11, "y", "y")); // deposits
    ck_assert_ok(commit(2, 11, 11, "xy", "")); // sees that, and x as it was
    ck_assert_state(commit(3, 10, 12, "xy", "x"), SQLSTATE_SERIALIZATION_FAILURE);
}
END_TEST

START_TEST(a_committed_pivot_refuses_the_third)
{
    ck_assert_ok(commit(1, 10, 11, "", "a"));
    ck_assert_ok(commit(2, 10, 12, "a", "b")); // read a before the first changed it
    ck_assert_state(commit(3, 10, 13, "b", "c"), SQLSTATE_SERIALIZATION_FAILURE);
}
END_TEST

START_TEST(what_nobody_is_concurrent_to_is_forgotten)
{
    ck_assert_ok(commit(1, 10, 11, "a", "a"));
    ck_assert_ok(commit(2, 11, 12, "b", "b"));
    conflict_graph_forget(graph, 11);
    ck_assert_uint_eq(conflict_graph_count(graph), 1);
    ck_assert_ok(commit(3, 12, 13, "c", "c"));
    conflict_graph_cut(graph, 1); // the third could not be written
    ck_assert_ok(commit(4, 12, 13, "c", "c"));
    for (uint64_t i = 0; i < 20000; i++) {
        ck_assert_ok(commit(100 + i, 13 + i, 14 + i, "d", "d"));
    }
    ck_assert_uint_le(conflict_graph_count(graph), 16384);
    ck_assert_state(commit(5, 12, 30000, "e", "e"), SQLSTATE_SERIALIZATION_FAILURE);
}
END_TEST

START_TEST(many_tables_are_everything)
{
    TableSet all = {0};
    for (uint64_t i = 0; i < 2 * TABLE_SET_MAX; i++) {
        table_set_add(&all, 1000 + i);
    }
    SerialTxn txn = {.txn_id = 1, .snapshot = 1, .reads = all, .writes = set_of("a")};
    ck_assert_ok(conflict_graph_commit(graph, &txn, 2));
    ck_assert_state(commit(2, 1, 3, "a", "z"), SQLSTATE_SERIALIZATION_FAILURE);
}
END_TEST

enum { TABLES = 3, TXNS = 5 };

typedef struct Past {
    uint64_t snapshot, position;
    bool reads[TABLES], writes[TABLES];
    uint64_t seen[TABLES]; /* the version of each table that it read */
} Past;

/* Is there an order of the transactions in which each reads what it has read? */
static bool has_order(const Past *pasts, uint32_t count, uint32_t done, uint64_t *versions)
{
    if (done == (1u << count) - 1) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool fits = (done >> i & 1) == 0;
        for (uint32_t t = 0; fits && t < TABLES; t++) {
            fits = !pasts[i].reads[t] || pasts[i].seen[t] == versions[t];
        }
        if (fits) {
            uint64_t next[TABLES];
            for (uint32_t t = 0; t < TABLES; t++) {
                next[t] = pasts[i].writes[t] ? pasts[i].position : versions[t];
            }
            if (has_order(pasts, count, done | 1u << i, next)) {
                return true;
            }
        }
    }
    return false;
}

/* Each transaction writes a table only after reading it, so that versions are a chain. */
START_TEST(what_commits_has_an_order)
{
    Random random;
    uint64_t seed = (uint64_t)clock_wall_us();
    random_seed(&random, seed);
    printf("seed %lu\n", (unsigned long)seed);
    uint32_t refused = 0, committed = 0;
    for (int round = 0; round < 3000; round++) {
        Past pasts[TXNS];
        uint32_t count = 0;
        uint64_t position = 10;
        ConflictGraph *own = conflict_graph_create();
        for (uint32_t i = 0; i < TXNS; i++) {
            Past past = {.snapshot = position - random_below(&random, position - 9),
                         .position = position + 1};
            char reads[TABLES + 1] = "", writes[TABLES + 1] = "";
            bool is_lost = false; // first committer wins, on rows: elsewhere
            for (uint32_t t = 0; t < TABLES; t++) {
                char name[2] = {(char)('a' + t), '\0'};
                past.reads[t] = random_below(&random, 2) == 0;
                past.writes[t] = past.reads[t] && random_below(&random, 2) == 0;
                strcat(reads, past.reads[t] ? name : "");
                strcat(writes, past.writes[t] ? name : "");
                for (uint32_t p = 0; p < count; p++) {
                    bool is_seen = pasts[p].position <= past.snapshot;
                    past.seen[t] = pasts[p].writes[t] && is_seen ? pasts[p].position : past.seen[t];
                    is_lost |= past.writes[t] && pasts[p].writes[t] && !is_seen;
                }
            }
            bool is_reader = writes[0] == '\0';
            SerialTxn txn = {.txn_id = i + 1,
                             .snapshot = past.snapshot,
                             .reads = set_of(reads),
                             .writes = set_of(writes)};
            Status status =
                is_lost ? status_error(SQLSTATE_SERIALIZATION_FAILURE, "lost update")
                        : conflict_graph_commit(own, &txn, is_reader ? position : position + 1);
            if (status == STATUS_OK) {
                position += is_reader ? 0 : 1;
                pasts[count++] = past;
            }
            refused += status != STATUS_OK;
            committed += status == STATUS_OK;
            status_free(status);
        }
        uint64_t versions[TABLES] = {0};
        ck_assert_msg(has_order(pasts, count, 0, versions), "round %d has no order", round);
        conflict_graph_destroy(own);
    }
    ck_assert_uint_gt(refused, 1000);
    ck_assert_uint_gt(committed, 5000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leader.txn.conflict_graph");
    TCase *tests = tcase_create("graph");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, write_skew_is_refused);
    tcase_add_test(tests, one_edge_is_an_order);
    tcase_add_test(tests, a_reader_can_close_a_cycle);
    tcase_add_test(tests, a_committed_pivot_refuses_the_third);
    tcase_add_test(tests, what_nobody_is_concurrent_to_is_forgotten);
    tcase_add_test(tests, many_tables_are_everything);
    tcase_add_test(tests, what_commits_has_an_order);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
