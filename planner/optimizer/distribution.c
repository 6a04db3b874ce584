/* distribution.c — the algebra of where rows are. */
#include "planner/optimizer/distribution.h"

Distribution distribution_of(DistributionKind kind)
{
    return (Distribution){.kind = kind};
}

Distribution distribution_hashed(const ColumnNumber *columns, uint32_t count)
{
    Distribution hashed = {.kind = DISTRIBUTION_HASHED};
    hashed.key_count = count < DISTRIBUTION_KEYS_MAX ? count : DISTRIBUTION_KEYS_MAX;
    for (uint32_t i = 0; i < hashed.key_count; i++) {
        hashed.keys[i] = (DistributionKey){.count = 1, .columns = {columns[i]}};
    }
    return hashed;
}

bool distribution_is_partitioned(const Distribution *distribution)
{
    return distribution->kind == DISTRIBUTION_HASHED ||
           distribution->kind == DISTRIBUTION_SCATTERED;
}

bool distribution_key_has(const DistributionKey *key, ColumnNumber column)
{
    for (uint32_t i = 0; i < key->count; i++) {
        if (key->columns[i] == column) {
            return true;
        }
    }
    return false;
}

static bool keys_share_column(const DistributionKey *left, const DistributionKey *right)
{
    for (uint32_t i = 0; i < left->count; i++) {
        if (distribution_key_has(right, left->columns[i])) {
            return true;
        }
    }
    return false;
}

bool distribution_equal(const Distribution *left, const Distribution *right)
{
    if (left->kind != right->kind || left->key_count != right->key_count) {
        return false;
    }
    for (uint32_t i = 0; i < left->key_count; i++) {
        if (!keys_share_column(&left->keys[i], &right->keys[i])) {
            return false;
        }
    }
    return true;
}

bool distribution_satisfies(const Distribution *given, const Distribution *wanted)
{
    if (distribution_equal(given, wanted)) {
        return true;
    }
    switch (wanted->kind) {
    case DISTRIBUTION_SCATTERED:
        return given->kind == DISTRIBUTION_HASHED;
    case DISTRIBUTION_SINGLE:
        return given->kind == DISTRIBUTION_REPLICATED; // one node's copy is all there is
    default:
        return false;
    }
}

static void key_add(DistributionKey *key, ColumnNumber column)
{
    if (key->count < DISTRIBUTION_ALIASES_MAX && !distribution_key_has(key, column)) {
        key->columns[key->count++] = column;
    }
}

void distribution_rename(Distribution *distribution, ColumnNumber from, ColumnNumber to)
{
    for (uint32_t i = 0; i < distribution->key_count; i++) {
        if (distribution_key_has(&distribution->keys[i], from)) {
            key_add(&distribution->keys[i], to);
        }
    }
}

void distribution_add_pair(Distribution *distribution, KeyPair pair)
{
    distribution_rename(distribution, pair.left, pair.right);
    distribution_rename(distribution, pair.right, pair.left);
}

void distribution_restrict(Distribution *distribution, const ColumnSet *visible)
{
    for (uint32_t i = 0; i < distribution->key_count; i++) {
        DistributionKey *key = &distribution->keys[i];
        uint32_t kept = 0;
        for (uint32_t k = 0; k < key->count; k++) {
            if (column_set_has(visible, key->columns[k])) {
                key->columns[kept++] = key->columns[k];
            }
        }
        key->count = kept;
        if (kept == 0) {
            *distribution = distribution_of(DISTRIBUTION_SCATTERED);
            return;
        }
    }
}

bool distribution_keeps_groups(const Distribution *distribution, const ColumnSet *group_columns)
{
    if (distribution->kind != DISTRIBUTION_HASHED) {
        return distribution->kind != DISTRIBUTION_SCATTERED;
    }
    for (uint32_t i = 0; i < distribution->key_count; i++) {
        bool is_found = false;
        for (uint32_t k = 0; k < distribution->keys[i].count; k++) {
            is_found |= column_set_has(group_columns, distribution->keys[i].columns[k]);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

bool distribution_is_collocated(const Distribution *left, const Distribution *right,
                                const KeyPair *pairs, uint32_t pair_count)
{
    if (left->kind != DISTRIBUTION_HASHED || right->kind != DISTRIBUTION_HASHED ||
        left->key_count != right->key_count) {
        return false;
    }
    for (uint32_t i = 0; i < left->key_count; i++) {
        bool is_joined = false;
        for (uint32_t k = 0; k < pair_count && !is_joined; k++) {
            is_joined = distribution_key_has(&left->keys[i], pairs[k].left) &&
                        distribution_key_has(&right->keys[i], pairs[k].right);
        }
        if (!is_joined) {
            return false;
        }
    }
    return true;
}

bool distribution_partner(const Distribution *distribution, bool is_left, const KeyPair *pairs,
                          uint32_t pair_count, Distribution *out)
{
    if (distribution->kind != DISTRIBUTION_HASHED) {
        return false;
    }
    ColumnNumber columns[DISTRIBUTION_KEYS_MAX];
    for (uint32_t i = 0; i < distribution->key_count; i++) {
        columns[i] = 0;
        for (uint32_t k = 0; k < pair_count && columns[i] == 0; k++) {
            ColumnNumber own = is_left ? pairs[k].left : pairs[k].right;
            if (distribution_key_has(&distribution->keys[i], own)) {
                columns[i] = is_left ? pairs[k].right : pairs[k].left;
            }
        }
        if (columns[i] == 0) {
            return false;
        }
    }
    *out = distribution_hashed(columns, distribution->key_count);
    return true;
}

/* Does every value keep its distribution hash in this cast? (See distribution_hash.h.) */
static bool cast_keeps_hash(Type from, Type to)
{
    bool is_from_exact = type_is_integer(from) || from.id == TYPE_DECIMAL;
    if (is_from_exact && (type_is_integer(to) ? type_is_integer(from) : to.id == TYPE_DECIMAL)) {
        return type_is_integer(from) || to.scale >= from.scale;
    }
    if (to.id == TYPE_DOUBLE) {
        return from.id == TYPE_SMALLINT || from.id == TYPE_INTEGER || from.id == TYPE_REAL;
    }
    if (type_is_text(from) && type_is_text(to)) {
        return to.length == 0 || (from.length > 0 && from.length <= to.length);
    }
    return type_equal(from, to);
}

ColumnNumber distribution_column_of(const Expr *expr)
{
    while (expr->kind == EXPR_CAST && cast_keeps_hash(expr->args[0]->type, expr->type)) {
        expr = expr->args[0];
    }
    return expr->kind == EXPR_COLUMN ? expr->column : 0;
}
