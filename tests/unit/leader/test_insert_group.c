/* Suite of leader/insert_group.c: who leads, who goes along, how it ends. */
#include "base/thread.h"
#include "leader/insert_group.h"

#include "tests/support/check_status.h"

enum { MEMBERS = 5, LONG_US = 5000000 };

static InsertGroups *groups;
static CatalogColumn columns[2];
static CatalogTable table, other_table, changed_table;
static LogicalValues one_row = {.row_count = 1};
static InsertMember members[MEMBERS];

static void setup(void)
{
    groups = insert_groups_create();
    columns[0] = (CatalogColumn){.column_id = 1, .type = type_of(TYPE_INTEGER)};
    columns[1] = (CatalogColumn){.column_id = 2, .type = type_of(TYPE_BIGINT)};
    table = (CatalogTable){.table_id = 7, .column_count = 1, .columns = columns};
    other_table = (CatalogTable){.table_id = 8, .column_count = 1, .columns = columns};
    changed_table = (CatalogTable){.table_id = 7, .column_count = 2, .columns = columns};
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = (InsertMember){.table = &table, .values = &one_row};
    }
}

static void teardown(void)
{
    insert_groups_destroy(groups);
}

static InsertState join(int i)
{
    insert_group_join(groups, &members[i]);
    return insert_group_wait(groups, &members[i], 0);
}

static InsertState look(int i)
{
    return insert_group_wait(groups, &members[i], 0);
}

START_TEST(the_first_leads_and_the_next_takes_all_that_wait)
{
    ck_assert_int_eq(join(0), INSERT_LEADING);
    ck_assert_ptr_null(members[0].next);
    ck_assert_int_eq(join(1), INSERT_WAITING);
    ck_assert_int_eq(join(2), INSERT_WAITING);
    ck_assert_int_eq(join(3), INSERT_WAITING);
    insert_group_finish(groups, &members[0], INSERT_DONE);
    ck_assert_int_eq(look(1), INSERT_LEADING);
    ck_assert_int_eq(look(2), INSERT_WAITING);
    insert_group_gather(groups, &members[1], 0);
    ck_assert_ptr_eq(members[1].next, &members[2]);
    ck_assert_ptr_eq(members[2].next, &members[3]);
    ck_assert_int_eq(look(2), INSERT_TAKEN);
    ck_assert(!insert_group_leave(groups, &members[2]));
    ck_assert_int_eq(join(4), INSERT_WAITING); // too late for this group
    insert_group_finish(groups, &members[1], _i == 0   ? INSERT_DONE
                                             : _i == 1 ? INSERT_ALONE
                                                       : INSERT_UNKNOWN);
    InsertState expected = _i == 0 ? INSERT_DONE : _i == 1 ? INSERT_ALONE : INSERT_UNKNOWN;
    ck_assert_int_eq(look(2), expected);
    ck_assert_int_eq(look(3), expected);
    ck_assert_int_eq(look(4), INSERT_LEADING);
    insert_group_finish(groups, &members[4], INSERT_DONE);
    ck_assert_int_eq(join(0), INSERT_LEADING); // nobody is there any more
    insert_group_finish(groups, &members[0], INSERT_DONE);
}
END_TEST

START_TEST(tables_and_their_changes_keep_apart)
{
    members[1].table = &other_table;
    members[3].table = &changed_table;
    ck_assert_int_eq(join(0), INSERT_LEADING);
    ck_assert_int_eq(join(1), INSERT_LEADING);
    ck_assert_int_eq(join(2), INSERT_WAITING);
    ck_assert_int_eq(join(3), INSERT_WAITING);
    insert_group_finish(groups, &members[0], INSERT_DONE);
    ck_assert_int_eq(look(2), INSERT_LEADING);
    insert_group_gather(groups, &members[2], 0);
    ck_assert_ptr_null(members[2].next);
    ck_assert_int_eq(look(3), INSERT_WAITING);
    insert_group_finish(groups, &members[2], INSERT_DONE);
    ck_assert_int_eq(look(3), INSERT_LEADING);
    insert_group_finish(groups, &members[3], INSERT_DONE);
    insert_group_finish(groups, &members[1], INSERT_DONE);
}
END_TEST

START_TEST(who_waits_may_leave)
{
    ck_assert_int_eq(join(0), INSERT_LEADING);
    for (int i = 1; i < MEMBERS; i++) {
        ck_assert_int_eq(join(i), INSERT_WAITING);
    }
    ck_assert(insert_group_leave(groups, &members[4])); // the last
    ck_assert(insert_group_leave(groups, &members[1])); // the first
    insert_group_finish(groups, &members[0], INSERT_DONE);
    ck_assert_int_eq(look(2), INSERT_LEADING);
    insert_group_gather(groups, &members[2], 0);
    ck_assert_ptr_eq(members[2].next, &members[3]);
    ck_assert_ptr_null(members[3].next);
    insert_group_finish(groups, &members[2], INSERT_DONE);
    ck_assert_int_eq(look(3), INSERT_DONE);
}
END_TEST

static void come_back(void *object)
{
    (void)object;
    for (int i = 1; i < 4; i++) {
        insert_group_join(groups, &members[i]);
    }
}

/* Whoever leads carries all that wait, until nobody is left. */
static void end_all(void)
{
    for (int i = 1; i < 4; i++) {
        if (look(i) == INSERT_LEADING) {
            insert_group_gather(groups, &members[i], 0);
            insert_group_finish(groups, &members[i], INSERT_DONE);
        }
    }
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(members[i].state > INSERT_TAKEN, 1);
    }
}

/* A leader after a group of three; how many it carries. */
static uint32_t lead_after_three(void)
{
    Thread thread;
    uint32_t count = 1;
    ck_assert_int_eq(join(0), INSERT_LEADING);
    insert_group_gather(groups, &members[0], 0);
    come_back(NULL);
    insert_group_finish(groups, &members[0], INSERT_DONE);
    end_all();
    ck_assert_int_eq(join(0), INSERT_LEADING);
    ck_assert_ok(thread_start(&thread, "others", -1, come_back, NULL));
    insert_group_gather(groups, &members[0], LONG_US);
    for (const InsertMember *member = members[0].next; member != NULL; member = member->next) {
        count++;
    }
    thread_join(&thread);
    insert_group_finish(groups, &members[0], INSERT_DONE);
    end_all();
    return count;
}

/* Those of the last group mostly come again: the leader waits for them. A machine that stands still
 * in between makes it forget them, hence the attempts. */
START_TEST(the_last_group_is_awaited)
{
    uint32_t carried = 0;
    for (int i = 0; i < 100 && carried < 3; i++) {
        carried = lead_after_three();
    }
    ck_assert_uint_ge(carried, 3);
}
END_TEST

START_TEST(nobody_is_awaited_in_vain_for_long)
{
    ck_assert_int_eq(join(0), INSERT_LEADING);
    insert_group_gather(groups, &members[0], LONG_US); // nobody is expected
    come_back(NULL);
    insert_group_finish(groups, &members[0], INSERT_DONE);
    ck_assert_int_eq(look(1), INSERT_LEADING);
    ck_assert(insert_group_leave(groups, &members[3]));
    insert_group_gather(groups, &members[1], 1000); // one of those who were expected has left
    ck_assert_ptr_eq(members[1].next, &members[2]);
    insert_group_finish(groups, &members[1], INSERT_DONE);
    ck_assert_int_eq(look(2), INSERT_DONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leader.insert_group");
    TCase *group = tcase_create("groups");
    tcase_add_checked_fixture(group, setup, teardown);
    tcase_add_loop_test(group, the_first_leads_and_the_next_takes_all_that_wait, 0, 3);
    tcase_add_test(group, tables_and_their_changes_keep_apart);
    tcase_add_test(group, who_waits_may_leave);
    tcase_add_test(group, the_last_group_is_awaited);
    tcase_add_test(group, nobody_is_awaited_in_vain_for_long);
    suite_add_tcase(suite, group);
    return suite_main(suite);
}
