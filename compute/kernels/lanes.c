/* lanes.c — one loop per lane; a dictionary's codes are read first, then its entries. */
#include "compute/kernels/lanes.h"

#include <string.h>

#define TEMPLATE "compute/kernels/lanes.tmpl.h"
#define T uint8_t
#define NAME(stem) stem##_u8
#include TEMPLATE
#undef T
#undef NAME
#define T uint16_t
#define NAME(stem) stem##_u16
#include TEMPLATE
#undef T
#undef NAME
#define T uint32_t
#define NAME(stem) stem##_u32
#include TEMPLATE
#undef T
#undef NAME
#define T int64_t
#define NAME(stem) stem##_i64
#include TEMPLATE
#undef T
#undef NAME
static void read_flat_int64(Lane lane, const void *data, int64_t base, const uint16_t *rows,
                            uint32_t row_count, int64_t *out)
{
    switch (lane) {
    case LANE_U8:
        read_u8(data, base, rows, row_count, out);
        break;
    case LANE_U16:
        read_u16(data, base, rows, row_count, out);
        break;
    case LANE_U32:
        read_u32(data, base, rows, row_count, out);
        break;
    default:
        read_i64(data, 0, rows, row_count, out);
        break;
    }
}

// The code of each row, 0 for NULL rows: their lanes need not name an entry.
static void read_codes(const Vector *vector, const uint16_t *rows, uint32_t row_count,
                       int64_t *codes)
{
    read_flat_int64(vector->lane, vector->data, 0, rows, row_count, codes);
    if (vector->validity != NULL) {
        for (uint32_t i = 0; i < row_count; i++) {
            uint32_t row = rows == NULL ? i : rows[i];
            codes[i] = validity_get(vector->validity, row) ? codes[i] : 0;
        }
    }
}

void lanes_read_int64(const Vector *vector, const uint16_t *rows, uint32_t row_count, int64_t *out)
{
    if (vector->form == VECTOR_CONSTANT) {
        int64_t value;
        read_flat_int64(vector->lane, vector->data, vector->base, NULL, 1, &value);
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = value;
        }
    } else if (vector->form == VECTOR_DICTIONARY) {
        const Dictionary *dictionary = vector->dictionary;
        int64_t codes[VECTOR_ROWS];
        if (dictionary->entry_count == 0) {
            memset(out, 0, row_count * sizeof *out); // nulls only
            return;
        }
        read_codes(vector, rows, row_count, codes);
        const int64_t *entries = dictionary->entries;
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = entries[codes[i]];
        }
    } else {
        read_flat_int64(vector->lane, vector->data, vector->base, rows, row_count, out);
    }
}

void lanes_read_int128(const Vector *vector, const uint16_t *rows, uint32_t row_count, Int128 *out)
{
    if (vector->form != VECTOR_DICTIONARY && vector->lane == LANE_I128) {
        const Int128 *lanes = vector->data;
        bool is_constant = vector->form == VECTOR_CONSTANT;
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = lanes[is_constant ? 0 : rows == NULL ? i : rows[i]];
        }
        return;
    }
    int64_t narrow[VECTOR_ROWS];
    lanes_read_int64(vector, rows, row_count, narrow);
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = narrow[i];
    }
}

void lanes_read_double(const Vector *vector, const uint16_t *rows, uint32_t row_count, double *out)
{
    static const uint16_t first_row[1] = {0};
    bool is_constant = vector->form == VECTOR_CONSTANT;
    const uint16_t *source = is_constant ? first_row : rows;
    uint32_t count = is_constant ? 1 : row_count;
    const float *floats = vector->data;
    const double *doubles = vector->data;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = source == NULL ? i : source[i];
        out[i] = vector->lane == LANE_F32 ? (double)floats[row] : doubles[row];
    }
    for (uint32_t i = 1; is_constant && i < row_count; i++) {
        out[i] = out[0];
    }
}

void lanes_read_text(const Vector *vector, const uint16_t *rows, uint32_t row_count, TextView *out)
{
    if (vector->form == VECTOR_DICTIONARY) {
        const Dictionary *dictionary = vector->dictionary;
        int64_t codes[VECTOR_ROWS];
        if (dictionary->entry_count == 0) {
            memset(out, 0, row_count * sizeof *out);
            return;
        }
        read_codes(vector, rows, row_count, codes);
        const TextView *entries = dictionary->entries;
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = entries[codes[i]];
        }
        return;
    }
    const TextView *lanes = vector->data;
    bool is_constant = vector->form == VECTOR_CONSTANT;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = lanes[is_constant ? 0 : rows == NULL ? i : rows[i]];
    }
}

bool lanes_read_nulls(const Vector *vector, const uint16_t *rows, uint32_t row_count, uint8_t *out)
{
    const uint64_t *validity = vector->validity;
    if (validity == NULL) {
        return false;
    }
    if (vector->form == VECTOR_CONSTANT) {
        memset(out, !(validity[0] & 1), row_count);
        return !(validity[0] & 1);
    }
    uint8_t any = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t row = rows == NULL ? i : rows[i];
        out[i] = !((validity[row >> 6] >> (row & 63)) & 1);
        any |= out[i];
    }
    return any != 0;
}
