/* Suite of leader/txn/txn.c: votes, the record, outcomes, savepoints; over nodes that are played.
 */
#include "leader/txn/txn.h"

#include <unistd.h>

#include "tests/unit/leader/fake_cluster.h"

static Txn txn;

static void start(void)
{
    set_up_cluster();
    txn_init(&txn, commit_log, nodes);
}

static void stop(void)
{
    txn_deinit(&txn);
    tear_down_cluster();
}

/* A statement that writes on every node; creates table `name` too unless null. */
static Status write_statement(const char *name)
{
    Snapshot snapshot;
    CatalogVersion *version = NULL;
    uint64_t greetings[MESSAGE_NODES_MAX + 1];
    txn_begin(&txn, false);
    TRY(txn_begin_statement(&txn, &snapshot, &version));
    catalog_version_unpin(version);
    TRY(txn_begin_write(&txn, &snapshot));
    TRY(nodes_greetings(nodes, greetings));
    for (uint32_t i = 1; i <= NODES; i++) {
        TRY(txn_add_participant(&txn, i, greetings[i]));
    }
    if (name == NULL) {
        return STATUS_OK;
    }
    CatalogChange *change = txn_new_change(&txn, CATALOG_CREATE_TABLE);
    change->table = make_table(name, commit_log_next_table(commit_log), CATALOG_TABLE);
    change->owner = "admin";
    return txn_add_change(&txn, change);
}

static void expect_requests(const char *expected)
{
    ck_assert_str_eq(request_log, expected);
    request_log[0] = '\0';
}

/* Without other requests the nodes are told within a tick. */
static void wait_until_told(uint32_t node)
{
    Outcome *outcomes = NULL;
    for (int i = 0; i < 500 && pending(node, &outcomes) > 0; i++) {
        usleep(10000);
    }
    ck_assert_uint_eq(pending(node, &outcomes), 0);
}

START_TEST(votes_come_before_the_record_and_outcomes_after)
{
    static const char *const before = "prepare 1, prepare 2, outcome ";
    ck_assert_ok(write_statement("t"));
    uint64_t txn_id = txn.txn_id;
    ck_assert(!has_table("t"));
    ck_assert_ok(txn_commit(&txn));
    ck_assert(has_table("t"));
    for (uint32_t i = 1; i <= NODES; i++) {
        wait_until_told(i);
        ck_assert_uint_eq(fake_nodes[i].outcome_count, 1);
        ck_assert_uint_eq(fake_nodes[i].outcomes[0].txn_id, txn_id);
        ck_assert_uint_eq(fake_nodes[i].outcomes[0].position, 1);
        ck_assert_int_eq(fake_nodes[i].outcomes[0].state, OUTCOME_COMMITTED);
    }
    ck_assert(strncmp(request_log, before, strlen(before)) == 0);
    ck_assert_int_eq(txn.state, TXN_IDLE);
}
END_TEST

/* A transaction of one statement has the votes with the answers to it. */
START_TEST(votes_may_come_with_answers)
{
    static const NodeVote votes[] = {{.node = 1}, {.node = 2, .has_writes = true}};
    ck_assert_ok(write_statement(NULL));
    txn_note_votes(&txn, votes, 2);
    ck_assert_uint_eq(txn.participant_count, 1);
    ck_assert_uint_eq(txn.participants[0], 2);
    ck_assert_ok(txn_commit(&txn));
    wait_until_told(2);
    expect_requests("outcome 2, "); // nobody was asked, and only who wrote is told
}
END_TEST

/* The first node has dropped something before the statement that ran on the second one alone. */
START_TEST(who_has_not_voted_is_asked)
{
    const bool has_written = _i == 1;
    const NodeVote second = {.node = 2, .has_writes = has_written};
    ck_assert_ok(write_statement(NULL));
    txn_note_votes(&txn, &second, 1);
    ck_assert_uint_eq(txn.participant_count, has_written ? 2 : 1);
    ck_assert_uint_eq(txn.participants[0], 1);
    ck_assert_ok(txn_commit(&txn));
    const char *expected = has_written ? "prepare 1, prepare 2, " : "prepare 1, ";
    ck_assert(strncmp(request_log, expected, strlen(expected)) == 0);
    wait_until_told(1);
    wait_until_told(2);
}
END_TEST

START_TEST(one_no_aborts_everywhere)
{
    static const SqlState refusals[] = {SQLSTATE_DISK_FULL, SQLSTATE_SERIALIZATION_FAILURE};
    ck_assert_ok(write_statement("t"));
    fake_nodes[2].refused_kind = MESSAGE_PREPARE;
    fake_nodes[2].refusal = refusals[_i];
    ck_assert_state(txn_commit(&txn), refusals[_i]);
    expect_requests("prepare 1, prepare 2, outcome 1, outcome 2, ");
    ck_assert_int_eq(fake_nodes[1].outcomes[0].state, OUTCOME_ABORTED);
    ck_assert_int_eq(fake_nodes[2].outcomes[0].state, OUTCOME_ABORTED);
    ck_assert(!has_table("t"));
    ck_assert_uint_eq(position_now(), 0);
}
END_TEST

START_TEST(an_outcome_goes_out_until_it_is_heard)
{
    Outcome *outcomes = NULL;
    ck_assert_ok(write_statement(NULL));
    fake_nodes[1].refused_kind = MESSAGE_OUTCOME;
    fake_nodes[1].refusal = SQLSTATE_CONNECTION_FAILURE;
    ck_assert_ok(txn_commit(&txn)); // it is committed, whoever heard of it
    wait_until_told(2);
    ck_assert_uint_eq(pending(1, &outcomes), 1);
    __atomic_store_n(&fake_nodes[1].refused_kind, 0, __ATOMIC_RELAXED); // told at any moment
    wait_until_told(1);
}
END_TEST

START_TEST(a_node_greeted_anew_has_forgotten)
{
    ck_assert_ok(write_statement("t"));
    fake_nodes[2].boot_id++; // its process has restarted
    beat(2);
    wait_for_hello(2, 2);
    wait_for_nodes(true);
    if (_i == 0) {
        ck_assert_state(write_statement(NULL), SQLSTATE_CONNECTION_FAILURE);
        txn_rollback(&txn);
    } else {
        ck_assert_state(txn_commit(&txn), SQLSTATE_CONNECTION_FAILURE);
    }
    ck_assert(!has_table("t"));
    ck_assert_int_eq(fake_nodes[1].outcomes[0].state, OUTCOME_ABORTED);
}
END_TEST

START_TEST(savepoints_take_changes_back)
{
    Snapshot snapshot;
    CatalogVersion *version = NULL;
    txn_begin(&txn, true);
    ck_assert_ok(write_statement("kept"));
    ck_assert_ok(txn_savepoint(&txn, "s"));
    ck_assert_ok(write_statement("gone"));
    txn_fail(&txn);
    ck_assert_state(txn_begin_statement(&txn, &snapshot, &version),
                    SQLSTATE_IN_FAILED_SQL_TRANSACTION);
    ck_assert_state(txn_rollback_to(&txn, "other"), SQLSTATE_INVALID_SAVEPOINT);
    ck_assert_ok(txn_rollback_to(&txn, "s"));
    expect_requests("rollback 1, rollback 2, ");
    ck_assert_ok(txn_release(&txn, "s"));
    ck_assert_state(txn_release(&txn, "s"), SQLSTATE_INVALID_SAVEPOINT);
    ck_assert_ok(txn_commit(&txn));
    ck_assert(has_table("kept") && !has_table("gone"));
}
END_TEST

START_TEST(a_failed_block_commits_nothing)
{
    txn_begin(&txn, true);
    ck_assert_ok(write_statement("t"));
    txn_fail(&txn);
    ck_assert_int_eq(txn.state, TXN_FAILED);
    ck_assert_ok(txn_commit(&txn));
    expect_requests("outcome 1, outcome 2, ");
    ck_assert(!has_table("t"));
}
END_TEST

START_TEST(readers_ask_nobody)
{
    Snapshot snapshot;
    CatalogVersion *version = NULL;
    txn_begin(&txn, true);
    txn.is_read_only = true;
    ck_assert_ok(txn_begin_statement(&txn, &snapshot, &version));
    catalog_version_unpin(version);
    ck_assert_state(txn_begin_write(&txn, &snapshot), SQLSTATE_READ_ONLY_SQL_TRANSACTION);
    ck_assert_ok(txn_commit(&txn));
    expect_requests("");
}
END_TEST

START_TEST(a_snapshot_is_that_of_the_first_statement)
{
    Snapshot first, second;
    CatalogVersion *version = NULL;
    uint64_t other = 0, position = 0;
    txn_begin(&txn, true);
    ck_assert_ok(txn_begin_statement(&txn, &first, &version));
    catalog_version_unpin(version);
    ck_assert_ok(commit(create_change("t", 1000), &other, &position));
    ck_assert_ok(txn_begin_statement(&txn, &second, &version));
    ck_assert_ptr_nonnull(catalog_version_table(version, "public", "t")); // catalogs are the newest
    catalog_version_unpin(version);
    ck_assert_uint_eq(first.position, second.position);
    ck_assert_uint_eq(second.statement, 2);
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(an_unknown_outcome_is_told_to_nobody)
{
    Outcome *outcomes = NULL;
    ck_assert_ok(write_statement("t"));
    ck_assert_ok(fault_arm("metadata.after_commit=error:1;metadata.checkpoint=error"));
    ck_assert_state(txn_commit(&txn), SQLSTATE_TRANSACTION_RESOLUTION_UNKNOWN);
    expect_requests("prepare 1, prepare 2, ");
    ck_assert_uint_eq(pending(1, &outcomes), 0);
    ck_assert_int_eq(txn.state, TXN_IDLE);
}
END_TEST

START_TEST(faults_between_the_phases)
{
    ck_assert_ok(write_statement("t"));
    ck_assert_ok(fault_arm(_i == 0 ? "txn.after_prepare=error" : "commit_log.before_commit=error"));
    ck_assert_state(txn_commit(&txn), SQLSTATE_IO_ERROR);
    expect_requests("prepare 1, prepare 2, outcome 1, outcome 2, ");
    ck_assert_int_eq(fake_nodes[2].outcomes[0].state, OUTCOME_ABORTED);
    fault_disarm_all();
    ck_assert_ok(write_statement("t"));
    ck_assert_ok(fault_arm("txn.after_record=error"));
    ck_assert_ok(txn_commit(&txn));
    ck_assert(has_table("t"));
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("txn");
    TCase *tests = tcase_create("two phases");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, votes_come_before_the_record_and_outcomes_after);
    tcase_add_test(tests, votes_may_come_with_answers);
    tcase_add_loop_test(tests, who_has_not_voted_is_asked, 0, 2);
    tcase_add_loop_test(tests, one_no_aborts_everywhere, 0, 2);
    tcase_add_test(tests, an_outcome_goes_out_until_it_is_heard);
    tcase_add_loop_test(tests, a_node_greeted_anew_has_forgotten, 0, 2);
    tcase_add_test(tests, savepoints_take_changes_back);
    tcase_add_test(tests, a_failed_block_commits_nothing);
    tcase_add_test(tests, readers_ask_nobody);
    tcase_add_test(tests, a_snapshot_is_that_of_the_first_statement);
#ifdef BASALT_FAULTS
    tcase_add_test(tests, an_unknown_outcome_is_told_to_nobody);
    tcase_add_loop_test(tests, faults_between_the_phases, 0, 2);
#endif
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
