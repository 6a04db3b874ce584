/* insert_group.c — see insert_group.h. */
#include "leader/insert_group.h"

#include <stdlib.h>

enum { LINES_MAX = 64, ROWS_MAX = 4096, MEMBERS_MAX = 64 };
#define LINE_NONE UINT32_MAX

/* Those who insert into one table. */
typedef struct Line {
    uint64_t table_id; /* 0: nobody's */
    InsertMember *first, *last;
} Line;

struct InsertGroups {
    Mutex mutex; /* guards everything, members too */
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

static uint32_t find_line(InsertGroups *groups, uint64_t table_id)
{
    uint32_t free_line = LINE_NONE;
    for (uint32_t i = 0; i < LINES_MAX; i++) {
        if (groups->lines[i].table_id == table_id) {
            return i;
        }
        free_line = groups->lines[i].table_id == 0 && free_line == LINE_NONE ? i : free_line;
    }
    return free_line;
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

static void change(InsertMember *member, InsertState state)
{
    member->state = state;
    condition_signal(&member->changed); // under the mutex: the member may be gone after it
}

/* The first one leads; those behind it go along as far as they fit. */
static void lead(Line *line)
{
    InsertMember *leading = line->first;
    InsertMember *end = leading;
    uint32_t members = 1, rows = leading->values->row_count;
    while (end->next != NULL && members < MEMBERS_MAX &&
           rows + end->next->values->row_count <= ROWS_MAX &&
           is_alike(leading->table, end->next->table)) {
        end = end->next;
        members++;
        rows += end->values->row_count;
        end->state = INSERT_TAKEN;
    }
    line->first = end->next;
    line->last = line->first == NULL ? NULL : line->last;
    end->next = NULL;
    change(leading, INSERT_LEADING);
}

void insert_group_join(InsertGroups *groups, InsertMember *member)
{
    condition_init(&member->changed);
    mutex_lock(&groups->mutex);
    member->state = INSERT_WAITING;
    member->line = find_line(groups, member->table->table_id);
    if (member->line == LINE_NONE) {
        member->state = INSERT_ALONE;
    } else {
        Line *line = &groups->lines[member->line];
        bool is_first = line->table_id == 0;
        line->table_id = member->table->table_id;
        if (line->last != NULL) {
            line->last->next = member;
        } else {
            line->first = member;
        }
        line->last = member;
        if (is_first) {
            lead(line);
        }
    }
    mutex_unlock(&groups->mutex);
}

InsertState insert_group_wait(InsertGroups *groups, InsertMember *member, int64_t timeout_us)
{
    mutex_lock(&groups->mutex);
    if (member->state == INSERT_WAITING || member->state == INSERT_TAKEN) {
        condition_wait(&member->changed, &groups->mutex, timeout_us);
    }
    InsertState state = member->state;
    mutex_unlock(&groups->mutex);
    if (state > INSERT_LEADING) {
        condition_deinit(&member->changed);
    }
    return state;
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
        has_left = true;
    }
    mutex_unlock(&groups->mutex);
    if (has_left) {
        condition_deinit(&member->changed);
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
    if (line->first != NULL) {
        lead(line);
    } else {
        line->table_id = 0;
    }
    mutex_unlock(&groups->mutex);
    condition_deinit(&leading->changed);
}
