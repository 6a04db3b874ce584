/* insert_group.c — see insert_group.h. */
#include "leader/insert_group.h"

#include <stdlib.h>

#include "base/clock.h"

enum { LINES_MAX = 64, ROWS_MAX = 4096, MEMBERS_MAX = 64 };
#define MEMORY_US 10000 /* how long those of the last group are expected again */
#define LINE_NONE UINT32_MAX

/* Those who insert into one table. */
typedef struct Line {
    uint64_t table_id; /* 0: never used */
    bool is_led;       /* a group is under way */
    uint32_t expected; /* members of the next group, if all come back */
    int64_t ended_us;  /* the last group */
    uint32_t waiting_count;
    InsertMember *first, *last;
    InsertMember *gathering; /* leads and waits for the others */
} Line;

struct InsertGroups {
    Mutex mutex; /* guards everything, members too but for their turn */
    Line lines[LINES_MAX];
};

InsertGroups *insert_groups_create(void)
{
    InsertGroups *groups = calloc(1, sizeof(*groups));
    if (groups != NULL) {
        mutex_init(&groups->mutex, MUTEX_RANK_CATALOG);
    }
    return groups;
}

void insert_groups_destroy(InsertGroups *groups)
{
    if (groups != NULL) {
        mutex_deinit(&groups->mutex);
        free(groups);
    }
}

/* The table's line, or the one that has been idle for longest. */
static uint32_t find_line(InsertGroups *groups, uint64_t table_id)
{
    uint32_t found = LINE_NONE;
    for (uint32_t i = 0; i < LINES_MAX; i++) {
        const Line *line = &groups->lines[i];
        if (line->table_id == table_id) {
            return i;
        }
        if (!line->is_led &&
            (found == LINE_NONE || line->ended_us < groups->lines[found].ended_us)) {
            found = i;
        }
    }
    if (found != LINE_NONE) {
        groups->lines[found] = (Line){.table_id = table_id};
    }
    return found;
}

/* Whether rows of both have the same columns: the table may have changed in between. */
static bool is_alike(const CatalogTable *left, const CatalogTable *right)
{
    bool is_same = left->column_count == right->column_count;
    for (uint32_t i = 0; is_same && i < left->column_count; i++) {
        is_same = left->columns[i].column_id == right->columns[i].column_id &&
                  type_equal(left->columns[i].type, right->columns[i].type);
    }
    return is_same;
}

/* The member may be gone after it. */
static void change(InsertMember *member, InsertState state)
{
    mutex_lock(&member->turn_mutex);
    member->state = state;
    member->is_turn = true;
    condition_signal(&member->turn);
    mutex_unlock(&member->turn_mutex);
}

static void init_member(InsertMember *member)
{
    condition_init(&member->gathered);
    condition_init(&member->turn);
    mutex_init(&member->turn_mutex, MUTEX_RANK_TXN);
    member->is_turn = false;
    member->state = INSERT_WAITING;
}

static void deinit_member(InsertMember *member)
{
    condition_deinit(&member->gathered);
    condition_deinit(&member->turn);
    mutex_deinit(&member->turn_mutex);
}

static InsertMember *take_first(Line *line)
{
    InsertMember *member = line->first;
    line->first = member->next;
    line->last = line->first == NULL ? NULL : line->last;
    line->waiting_count--;
    member->next = NULL;
    return member;
}

/* The first one leads. */
static void lead(Line *line)
{
    line->is_led = true;
    change(take_first(line), INSERT_LEADING);
}

void insert_group_join(InsertGroups *groups, InsertMember *member)
{
    init_member(member);
    mutex_lock(&groups->mutex);
    member->line = find_line(groups, member->table->table_id);
    if (member->line == LINE_NONE) {
        change(member, INSERT_ALONE);
    } else {
        Line *line = &groups->lines[member->line];
        if (line->last != NULL) {
            line->last->next = member;
        } else {
            line->first = member;
        }
        line->last = member;
        line->waiting_count++;
        if (!line->is_led) {
            lead(line);
        } else if (line->gathering != NULL && line->waiting_count + 1 >= line->expected) {
            condition_signal(&line->gathering->gathered);
        }
    }
    mutex_unlock(&groups->mutex);
}

void insert_group_gather(InsertGroups *groups, InsertMember *leading, int64_t timeout_us)
{
    mutex_lock(&groups->mutex);
    Line *line = &groups->lines[leading->line];
    const int64_t start_us = clock_monotonic_us();
    const bool is_remembered = start_us - line->ended_us < MEMORY_US;
    int64_t left_us = is_remembered ? timeout_us : 0;
    line->gathering = leading;
    while (left_us > 0 && line->waiting_count + 1 < line->expected) {
        condition_wait(&leading->gathered, &groups->mutex, left_us);
        left_us = start_us + timeout_us - clock_monotonic_us();
    }
    line->gathering = NULL;
    InsertMember *end = leading;
    uint32_t members = 1, rows = leading->values->row_count;
    while (line->first != NULL && members < MEMBERS_MAX &&
           rows + line->first->values->row_count <= ROWS_MAX &&
           is_alike(leading->table, line->first->table)) {
        end->next = take_first(line);
        end = end->next;
        members++;
        rows += end->values->row_count;
        end->state = INSERT_TAKEN;
    }
    line->expected = members;
    mutex_unlock(&groups->mutex);
}

InsertState insert_group_wait(InsertGroups *groups, InsertMember *member, int64_t timeout_us)
{
    mutex_lock(&member->turn_mutex);
    bool is_turn =
        member->is_turn ||
        (condition_wait(&member->turn, &member->turn_mutex, timeout_us) && member->is_turn);
    mutex_unlock(&member->turn_mutex);
    if (!is_turn) {
        mutex_lock(&groups->mutex);
        InsertState state = member->state;
        mutex_unlock(&groups->mutex);
        return state == INSERT_TAKEN ? INSERT_TAKEN : INSERT_WAITING; // the turn comes next time
    }
    if (member->state > INSERT_LEADING) {
        InsertState state = member->state;
        deinit_member(member);
        return state;
    }
    return INSERT_LEADING;
}

bool insert_group_leave(InsertGroups *groups, InsertMember *member)
{
    bool has_left = false;
    mutex_lock(&groups->mutex);
    if (member->state == INSERT_WAITING) {
        Line *line = &groups->lines[member->line];
        InsertMember *before = NULL;
        for (InsertMember *other = line->first; other != member; other = other->next) {
            before = other;
        }
        if (before != NULL) {
            before->next = member->next;
        } else {
            line->first = member->next;
        }
        line->last = line->last == member ? before : line->last;
        line->waiting_count--;
        has_left = true;
    }
    mutex_unlock(&groups->mutex);
    if (has_left) {
        deinit_member(member);
    }
    return has_left;
}

void insert_group_finish(InsertGroups *groups, InsertMember *leading, InsertState others)
{
    mutex_lock(&groups->mutex);
    Line *line = &groups->lines[leading->line];
    InsertMember *member = leading->next;
    while (member != NULL) {
        InsertMember *next = member->next;
        change(member, others);
        member = next;
    }
    line->expected += line->waiting_count;
    line->ended_us = clock_monotonic_us();
    line->is_led = false;
    if (line->first != NULL) {
        lead(line);
    }
    mutex_unlock(&groups->mutex);
    deinit_member(leading);
}
