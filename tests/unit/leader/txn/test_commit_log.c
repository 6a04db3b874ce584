/* Suite of leader/txn/commit_log.c and log_database.c: the commit point, and what survives. */
#include "base/metadata_store.h"
#include "base/thread.h"
#include "base/vector/distribution_hash.h"
#include "tests/unit/leader/leader_fixture.h"

START_TEST(a_new_cluster_owns_every_bucket)
{
    uint32_t count = 0, next_bucket = 0;
    uint8_t cluster_id[16];
    open_log();
    const MessageSlice *slices = commit_log_slices(commit_log, &count);
    ck_assert_uint_eq(count, SLICES);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(slices[i].first_bucket, next_bucket);
        ck_assert(slices[i].node >= 1 && slices[i].node <= NODES);
        next_bucket = slices[i].last_bucket + 1u;
    }
    ck_assert_uint_eq(next_bucket, BUCKET_COUNT);
    ck_assert_uint_eq(commit_log_epoch(commit_log), 1);
    memcpy(cluster_id, commit_log_cluster_id(commit_log), sizeof cluster_id);
    crash();
    ck_assert_mem_eq(cluster_id, commit_log_cluster_id(commit_log), sizeof cluster_id);
    ck_assert_uint_eq(commit_log_epoch(commit_log), 2);
    ck_assert_uint_gt(commit_log_next_txn(commit_log), TXN_ID_FIRST(2));
    close_log();
    ck_assert_state(open_log_with(NODES + 1), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE);
}
END_TEST

START_TEST(rows_by_another_hash_are_refused)
{
    static const char *const changes[] = {
        "UPDATE cluster SET value = value - 1 WHERE name = 'distribution_hash'",
        "DELETE FROM cluster WHERE name = 'distribution_hash'"};
    open_log();
    crash();
    close_log();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        MetadataStore *store = NULL;
        ck_assert_ok(metadata_store_open(simulated_files_system(files), "leader/leader.db", "",
                                         INT32_MAX, &store));
        ck_assert_ok(metadata_store_exec(store, changes[i]));
        metadata_store_close(store);
        ck_assert_state(open_log_with(NODES), SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE);
    }
}
END_TEST

START_TEST(commits_are_whole_and_in_order)
{
    uint64_t txn_id = 0, first = 0, second = 0;
    open_log();
    ck_assert_uint_eq(position_now(), 0);
    ck_assert_ok(commit(create_change("t", commit_log_next_table(commit_log)), &txn_id, &first));
    ck_assert_ok(commit(NULL, &txn_id, &second));
    ck_assert_uint_eq(first, 1);
    ck_assert_uint_eq(second, 2);
    ck_assert_state(commit(create_change("t", 5), &txn_id, &second), SQLSTATE_DUPLICATE_TABLE);
    ck_assert_uint_eq(position_now(), 2);
    crash();
    ck_assert_uint_eq(position_now(), 2);
    ck_assert(has_table("t"));
    ck_assert_uint_gt(commit_log_next_table(commit_log), 100000);
    ck_assert_ok(commit(drop_change("t", 100000), &txn_id, &second));
    ck_assert_uint_eq(second, 3);
    crash();
    ck_assert(!has_table("t"));
}
END_TEST

START_TEST(replaced_views_and_tables_made_anew_survive)
{
    uint64_t txn_id = 0, position = 0;
    open_log();
    for (int i = 0; i < 3; i++) {
        uint64_t table_id = commit_log_next_table(commit_log);
        ck_assert_ok(commit(view_change("v", table_id, i == 2 ? "select 3" : "select 1"), &txn_id,
                            &position));
        crash();
    }
    CatalogVersion *version = commit_log_snapshot(commit_log, &position);
    ck_assert_str_eq(catalog_version_table(version, "public", "v")->table.view_text, "select 3");
    catalog_version_unpin(version);
    for (uint64_t id = 200000; id < 200003; id++) {
        ck_assert_ok(commit(create_change("t", id), &txn_id, &position));
        crash();
        ck_assert_ok(commit(drop_change("t", id), &txn_id, &position));
        crash();
    }
    ck_assert(!has_table("t"));
}
END_TEST

START_TEST(outcomes_stay_until_they_are_acknowledged)
{
    uint64_t first = 0, second = 0, position = 0;
    Outcome *outcomes = NULL;
    open_log();
    ck_assert_ok(commit(NULL, &first, &position));
    ck_assert_ok(commit(NULL, &second, &position));
    crash();
    ck_assert_uint_eq(pending(1, &outcomes), 2);
    ck_assert_uint_eq(outcomes[0].txn_id, first);
    ck_assert_uint_eq(outcomes[0].position, 1);
    ck_assert_uint_eq(outcomes[1].position, 2);
    ck_assert_int_eq(outcomes[1].state, OUTCOME_COMMITTED);
    const Acknowledgement first_one = {.node = 1, .greeting = 1, .outcomes = outcomes, .count = 1};
    commit_log_acknowledge(commit_log, &first_one);
    commit_log_acknowledge(commit_log, &first_one); // twice is harmless
    ck_assert_uint_eq(pending(1, &outcomes), 1);
    ck_assert_uint_eq(pending(2, &outcomes), 2);
    ck_assert_ok(commit(NULL, &second, &position)); // takes the acknowledgement to disk
    crash();
    ck_assert_uint_eq(pending(1, &outcomes), 2);
    ck_assert_uint_eq(pending(2, &outcomes), 3);
}
END_TEST

static uint32_t untold(uint32_t node)
{
    Outcome *outcomes = NULL;
    uint32_t count = 0;
    commit_log_pending(commit_log, node, false, arena, &outcomes, &count);
    return count;
}

/* A redo is told once per greeting and stays, with its bytes, until the node has synced it. */
START_TEST(a_redo_stays_until_it_is_durable)
{
    static const uint8_t bytes[] = "the rows of a small INSERT";
    const NodeRedo redos[NODES] = {{.data = bytes, .bytes = sizeof bytes}, {0}};
    const CatalogChangeList list = {0};
    Outcome *outcomes = NULL;
    uint64_t position = 0;
    open_log();
    CommitRequest request = {.txn_id = commit_log_next_txn(commit_log),
                             .changes = &list,
                             .participant_count = NODES,
                             .participants = both_nodes,
                             .redos = redos};
    ck_assert_ok(commit_log_commit(commit_log, &request, &position));
    crash();
    ck_assert_uint_eq(pending(1, &outcomes), 1);
    ck_assert_uint_eq(outcomes[0].redo_bytes, sizeof bytes);
    ck_assert_mem_eq(outcomes[0].redo, bytes, sizeof bytes);
    Acknowledgement heard = {.node = 1, .greeting = 4, .outcomes = outcomes, .count = 1};
    uint64_t before = commit_log_told_mark(commit_log);
    commit_log_acknowledge(commit_log, &heard);
    ck_assert_uint_eq(untold(1), 0);
    ck_assert_uint_eq(pending(1, &outcomes), 1); // for the next greeting

    Acknowledgement synced = {.node = 1, .greeting = 4, .is_durable = true, .mark = before};
    commit_log_acknowledge(commit_log, &synced); // began before the node had heard of it
    ck_assert_uint_eq(pending(1, &outcomes), 1);
    synced.mark = commit_log_told_mark(commit_log);
    synced.greeting = 5;
    commit_log_acknowledge(commit_log, &synced); // of a process that has not heard of it
    ck_assert_uint_eq(pending(1, &outcomes), 1);
    synced.greeting = 4;
    commit_log_acknowledge(commit_log, &synced);
    ck_assert_uint_eq(pending(1, &outcomes), 0);

    ck_assert_uint_eq(pending(2, &outcomes), 1); // the other node has none
    ck_assert_uint_eq(outcomes[0].redo_bytes, 0);
    heard = (Acknowledgement){.node = 2, .greeting = 1, .outcomes = outcomes, .count = 1};
    commit_log_acknowledge(commit_log, &heard);
    ck_assert_uint_eq(pending(2, &outcomes), 0);
    ck_assert(commit_log_has_redo_room(commit_log));
}
END_TEST

START_TEST(redos_are_bounded)
{
    static uint8_t bytes[8192];
    const NodeRedo redos[NODES] = {{bytes, sizeof bytes}, {bytes, sizeof bytes}};
    const CatalogChangeList list = {0};
    Outcome *outcomes = NULL;
    uint64_t position = 0;
    uint32_t count = 0;
    open_log();
    for (; commit_log_has_redo_room(commit_log); count++) {
        CommitRequest request = {.txn_id = commit_log_next_txn(commit_log),
                                 .changes = &list,
                                 .participant_count = NODES,
                                 .participants = both_nodes,
                                 .redos = redos};
        ck_assert_ok(commit_log_commit(commit_log, &request, &position));
        ck_assert_uint_lt(count, 1000);
    }
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_eq(pending(1, &outcomes), count);
    const Acknowledgement synced = {
        .node = 1, .greeting = 1, .outcomes = outcomes, .count = count, .is_durable = true};
    commit_log_acknowledge(commit_log, &synced);
    ck_assert(commit_log_has_redo_room(commit_log));
}
END_TEST

START_TEST(what_is_not_recorded_is_aborted)
{
    uint64_t txn_id = 0, position = 0;
    Outcome outcome, *outcomes = NULL;
    open_log();
    ck_assert_ok(commit(NULL, &txn_id, &position));
    uint64_t lost = commit_log_next_txn(commit_log);
    commit_log_abort(commit_log, lost, both_nodes, NODES);
    ck_assert_uint_eq(pending(2, &outcomes), 2);
    ck_assert_int_eq(outcomes[1].state, OUTCOME_ABORTED);
    crash();
    ck_assert_uint_eq(pending(2, &outcomes), 1);
    ck_assert_ok(commit_log_outcome(commit_log, txn_id, &outcome));
    ck_assert_int_eq(outcome.state, OUTCOME_COMMITTED);
    ck_assert_uint_eq(outcome.position, position);
    ck_assert_ok(commit_log_outcome(commit_log, lost, &outcome));
    ck_assert_int_eq(outcome.state, OUTCOME_ABORTED);
    commit_log_tell(commit_log, &outcome, 2);
    commit_log_tell(commit_log, &outcome, 2);
    ck_assert_uint_eq(pending(2, &outcomes), 2);
}
END_TEST

START_TEST(leases_are_never_given_twice)
{
    uint64_t first = 0, second = 0, third = 0;
    open_log();
    ck_assert_ok(commit_log_lease_rowsets(commit_log, 100, &first));
    ck_assert_ok(commit_log_lease_rowsets(commit_log, 100, &second));
    ck_assert_uint_ge(second, first + 100);
    crash();
    ck_assert_ok(commit_log_lease_rowsets(commit_log, 100, &third));
    ck_assert_uint_ge(third, second + 100);
    ck_assert_ok(commit_log_set_node_address(commit_log, 2, "tcp://here:1"));
    crash();
    ck_assert_str_eq(commit_log_node_address(commit_log, 1), "");
    ck_assert_str_eq(commit_log_node_address(commit_log, 2), "tcp://here:1");
}
END_TEST

enum { COMMITTERS = 4, COMMITS = 25 };

typedef struct Committer {
    Thread thread;
    uint64_t table_id;
    uint32_t refused_count;
} Committer;

static void commit_many(void *object)
{
    Committer *committer = object;
    for (uint32_t i = 0; i < COMMITS; i++) {
        CatalogTable table = {.table_id = committer->table_id + i,
                              .schema_name = "public",
                              .name = "shared",
                              .style = DISTRIBUTION_STYLE_EVEN,
                              .distribution_column = -1};
        CatalogChange create = {.kind = CATALOG_CREATE_TABLE, .table = &table, .owner = "admin"};
        CatalogChange drop = {.kind = CATALOG_DROP_TABLE,
                              .schema = "public",
                              .name = "shared",
                              .table_id = table.table_id};
        CatalogChange *const changes[] = {&create, &drop};
        for (int k = 0; k < 2; k++) {
            CatalogChangeList list = {0};
            uint64_t position = 0;
            catalog_change_add(&list, changes[k]);
            const CommitRequest request = {.txn_id = commit_log_next_txn(commit_log),
                                           .changes = &list};
            Status status = commit_log_commit(commit_log, &request, &position);
            committer->refused_count += status != STATUS_OK;
            status_ignore(status, "another committer was first");
        }
    }
}

/* Many sessions create and drop a table of the same name: each commit is refused, or seen. */
START_TEST(groups_leave_out_who_came_second)
{
    Committer committers[COMMITTERS] = {0};
    uint32_t refused_count = 0;
    open_log();
    for (uint32_t i = 0; i < COMMITTERS; i++) {
        committers[i].table_id = 1000 * (i + 1);
        ck_assert_ok(
            thread_start(&committers[i].thread, "committer", -1, commit_many, &committers[i]));
    }
    for (uint32_t i = 0; i < COMMITTERS; i++) {
        thread_join(&committers[i].thread);
        refused_count += committers[i].refused_count;
    }
    ck_assert_uint_eq(position_now(), COMMITTERS * COMMITS * 2 - refused_count);
    ck_assert(!has_table("shared"));
    uint64_t position = position_now();
    crash();
    ck_assert_uint_eq(position_now(), position);
    ck_assert(!has_table("shared"));
}
END_TEST

/* Power fails at any call of the disk during two commits: each is there whole, or not at all; what
 * was acknowledged is there, and every committed one is told to both nodes. */
START_TEST(power_cuts_lose_nothing_acknowledged)
{
    for (uint64_t call = 1;; call++) {
        Random random;
        uint64_t txn_ids[2] = {0, 0}, position = 0;
        Outcome outcome, *outcomes = NULL;
        bool is_acknowledged[2];
        tear_down();
        set_up();
        random_seed(&random, call * 3 + (uint64_t)_i);
        open_log();
        simulated_files_fail_at(files, simulated_files_calls(files) + call, 5, true);
        uint64_t before = simulated_files_calls(files);
        for (uint64_t i = 0; i < 2; i++) {
            Status status =
                commit(create_change(i == 0 ? "a" : "b", 1000 + i), &txn_ids[i], &position);
            is_acknowledged[i] = status == STATUS_OK;
            status_ignore(status, "the disk has failed");
        }
        bool was_reached = simulated_files_calls(files) >= before + call;
        simulated_files_fail_at(files, 0, 0, false);
        simulated_files_cut_power(files, &random);
        close_log();
        open_log();
        for (uint32_t i = 0; i < 2; i++) {
            ck_assert_ok(commit_log_outcome(commit_log, txn_ids[i], &outcome));
            bool is_committed = outcome.state == OUTCOME_COMMITTED;
            ck_assert(is_committed || !is_acknowledged[i]);
            ck_assert_int_eq(has_table(i == 0 ? "a" : "b"), is_committed);
            uint32_t told = 0;
            for (uint32_t k = 0; k < pending(2, &outcomes); k++) {
                told += outcomes[k].txn_id == txn_ids[i];
            }
            ck_assert_uint_eq(told, is_committed);
        }
        if (!was_reached) {
            break;
        }
    }
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(a_fault_before_the_record_aborts)
{
    uint64_t txn_id = 0, position = 0;
    Outcome outcome;
    open_log();
    ck_assert_ok(
        fault_arm(_i == 0 ? "commit_log.before_commit=error" : "metadata.before_commit=nospace"));
    ck_assert_state(commit(create_change("t", 1000), &txn_id, &position),
                    _i == 0 ? SQLSTATE_IO_ERROR : SQLSTATE_DISK_FULL);
    fault_disarm_all();
    ck_assert_ok(commit_log_outcome(commit_log, txn_id, &outcome));
    ck_assert_int_eq(outcome.state, OUTCOME_ABORTED);
    ck_assert(!has_table("t"));
    ck_assert_ok(commit(create_change("t", 1001), &txn_id, &position));
    ck_assert_uint_eq(position, 1);
}
END_TEST

/* A log whose disk works again is opened again: the commit that it holds is one. */
START_TEST(a_log_that_can_be_read_again_ends_the_doubt)
{
    static const char *const faults[] = {"metadata.after_commit=error:1", "file.sync=error:1",
                                         "file.write=nospace:1", "file.truncate=error:1"};
    uint64_t txn_id = 0, later = 0, position = 0, first = 0;
    Outcome outcome, *outcomes = NULL;
    open_log();
    ck_assert_ok(fault_arm(faults[_i]));
    Status status = commit(create_change("t", 1000), &txn_id, &position);
    bool is_committed = status == STATUS_OK;
    ck_assert(is_committed || _i > 0);
    ck_assert_int_ne(status_sqlstate(status), SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN);
    status_free(status);
    fault_disarm_all();
    for (int turn = 0; turn < 2; turn++) {
        ck_assert_ok(commit_log_outcome(commit_log, txn_id, &outcome));
        ck_assert_int_eq(outcome.state == OUTCOME_COMMITTED, is_committed);
        ck_assert_int_eq(has_table("t"), is_committed);
        ck_assert_uint_eq(pending(1, &outcomes), is_committed);
        crash();
    }
    ck_assert_ok(commit_log_lease_rowsets(commit_log, 10, &first));
    ck_assert_ok(commit(create_change("u", 1001), &later, &position));
}
END_TEST

/* An error after the record, or of its sync: nobody may say what became of it, and nothing is built
 * upon it, until the log is read again. */
START_TEST(an_unknown_outcome_stays_unknown_until_the_restart)
{
    uint64_t txn_id = 0, later = 0, position = 0, first = 0;
    Outcome outcome, *outcomes = NULL;
    open_log();
    ck_assert_ok(fault_arm(_i == 0 ? "metadata.after_commit=error:1" : "file.sync=error:1"));
    ck_assert_ok(fault_arm("metadata.checkpoint=error")); // the store cannot be opened again
    ck_assert_state(commit(create_change("t", 1000), &txn_id, &position),
                    SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN);
    fault_disarm_all();
    ck_assert_uint_eq(pending(1, &outcomes), 0);
    ck_assert(!has_table("t"));
    ck_assert_state(commit(NULL, &later, &position), SQLSTATE_IO_ERROR);
    ck_assert_state(commit_log_outcome(commit_log, txn_id, &outcome), SQLSTATE_IO_ERROR);
    ck_assert_state(commit_log_lease_rowsets(commit_log, 10, &first), SQLSTATE_IO_ERROR);
    crash();
    ck_assert_ok(commit_log_outcome(commit_log, txn_id, &outcome));
    bool is_committed = outcome.state == OUTCOME_COMMITTED;
    ck_assert(is_committed || _i == 1);
    ck_assert_int_eq(has_table("t"), is_committed);
    ck_assert_uint_eq(pending(1, &outcomes), is_committed);
    ck_assert_ok(commit_log_outcome(commit_log, later, &outcome));
    ck_assert_int_eq(outcome.state, OUTCOME_ABORTED);
    ck_assert_ok(commit(create_change("u", 1001), &later, &position));
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("commit_log");
    TCase *tests = tcase_create("log");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_new_cluster_owns_every_bucket);
    tcase_add_test(tests, rows_by_another_hash_are_refused);
    tcase_add_test(tests, commits_are_whole_and_in_order);
    tcase_add_test(tests, replaced_views_and_tables_made_anew_survive);
    tcase_add_test(tests, outcomes_stay_until_they_are_acknowledged);
    tcase_add_test(tests, a_redo_stays_until_it_is_durable);
    tcase_add_test(tests, redos_are_bounded);
    tcase_add_test(tests, what_is_not_recorded_is_aborted);
    tcase_add_test(tests, leases_are_never_given_twice);
    tcase_add_test(tests, groups_leave_out_who_came_second);
    tcase_add_loop_test(tests, power_cuts_lose_nothing_acknowledged, 0, 4);
#ifdef BASALT_FAULTS
    tcase_add_loop_test(tests, a_fault_before_the_record_aborts, 0, 2);
    tcase_add_loop_test(tests, a_log_that_can_be_read_again_ends_the_doubt, 0, 4);
    tcase_add_loop_test(tests, an_unknown_outcome_stays_unknown_until_the_restart, 0, 2);
#endif
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
