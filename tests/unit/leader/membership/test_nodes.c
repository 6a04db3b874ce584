/* Suite of leader/membership: who is in, who is gone, and what a greeting settles. */
#include "tests/unit/leader/fake_cluster.h"

static bool is_told(uint32_t node, uint64_t txn_id, OutcomeState state)
{
    for (uint32_t i = 0; i < fake_nodes[node].outcome_count; i++) {
        const Outcome *outcome = &fake_nodes[node].outcomes[i];
        if (outcome->txn_id == txn_id) {
            return outcome->state == state;
        }
    }
    return false;
}

/* The leader dies; its next process greets the nodes, which go on. */
static void restart_leader(void)
{
    nodes_destroy(nodes);
    cluster_port_destroy(port);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
    simulated_files_kill(files);
    close_log();
    request_log[0] = '\0';
    open_cluster();
}

START_TEST(a_greeting_settles_what_was_prepared)
{
    uint64_t committed = 0, position = 0;
    ck_assert_ok(commit(NULL, &committed, &position));
    uint64_t lost = commit_log_next_txn(commit_log);
    fake_nodes[2].prepared_count = 2;
    fake_nodes[2].prepared[0] = committed;
    fake_nodes[2].prepared[1] = lost;
    restart_leader();
    wait_for_nodes(true);
    ck_assert(is_told(2, committed, OUTCOME_COMMITTED));
    ck_assert(is_told(2, lost, OUTCOME_ABORTED));
    ck_assert(is_told(1, committed, OUTCOME_COMMITTED)); // it had not acknowledged
    ck_assert(!is_told(1, lost, OUTCOME_ABORTED));
}
END_TEST

START_TEST(a_greeting_leaves_open_transactions_alone)
{
    uint64_t open = commit_log_next_txn(commit_log);
    fake_nodes[1].prepared_count = 1;
    fake_nodes[1].prepared[0] = open;
    fake_nodes[1].boot_id++;
    beat(1);
    wait_for_hello(1, 2);
    wait_for_nodes(true);
    ck_assert_uint_eq(fake_nodes[1].outcome_count, 0); // its session decides
}
END_TEST

/* It had heard of the commit, and was killed before that was on its disk. */
START_TEST(a_greeting_tells_forgotten_commits_again)
{
    uint64_t committed = 0, position = 0;
    ck_assert_ok(commit(NULL, &committed, &position));
    for (int i = 0; i < 500 && commit_log_has_pending(commit_log, 1); i++) {
        clock_sleep_us(10000); // within a tick
    }
    ck_assert(is_told(1, committed, OUTCOME_COMMITTED));
    fake_nodes[1].outcome_count = 0;
    fake_nodes[1].prepared_count = 1;
    fake_nodes[1].prepared[0] = committed;
    fake_nodes[1].boot_id++;
    beat(1);
    wait_for_hello(1, 2);
    wait_for_nodes(true);
    ck_assert(is_told(1, committed, OUTCOME_COMMITTED));
}
END_TEST

START_TEST(a_node_ahead_of_the_log_is_refused)
{
    fake_nodes[1].applied_position = 7; // of commits this log does not have
    restart_leader();
    wait_for_hello(1, 2);
    clock_sleep_us(50000);
    wait_for_nodes(false);
    ck_assert_state(nodes_check_ready(nodes), SQLSTATE_CANNOT_CONNECT_NOW);
}
END_TEST

START_TEST(beats_of_a_process_that_is_gone_mean_nothing)
{
    uint64_t greetings[MESSAGE_NODES_MAX + 1], again[MESSAGE_NODES_MAX + 1];
    fake_nodes[1].boot_id = 500;
    beat(1);
    wait_for_hello(1, 2);
    wait_for_nodes(true);
    ck_assert_ok(nodes_greetings(nodes, greetings));
    fake_nodes[1].boot_id = 101; // the one before
    beat(1);
    clock_sleep_us(50000);
    ck_assert_ok(nodes_greetings(nodes, again));
    ck_assert_uint_eq(greetings[1], again[1]);
}
END_TEST

START_TEST(strangers_are_refused)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 4096);
    Request request = {.kind = MESSAGE_BEAT,
                       .beat = {.node = 1, .boot_id = 9, .address = "fake://1"}};
    memset(request.beat.cluster_id, 0x55, 16);
    request_encode(&request, &bytes);
    TransportMessage *message = malloc(sizeof *message + bytes.bytes);
    message->bytes = bytes.bytes;
    memcpy(message->data, bytes.data, bytes.bytes);
    byte_buffer_deinit(&bytes);
    fake_inbox.message_cb(fake_inbox.object, message);
    clock_sleep_us(50000);
    ck_assert_str_eq(request_log, ""); // nobody was greeted
    wait_for_nodes(true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nodes");
    TCase *tests = tcase_create("membership");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up_cluster, tear_down_cluster);
    tcase_add_test(tests, a_greeting_settles_what_was_prepared);
    tcase_add_test(tests, a_greeting_leaves_open_transactions_alone);
    tcase_add_test(tests, a_greeting_tells_forgotten_commits_again);
    tcase_add_test(tests, a_node_ahead_of_the_log_is_refused);
    tcase_add_test(tests, beats_of_a_process_that_is_gone_mean_nothing);
    tcase_add_test(tests, strangers_are_refused);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
