/* aggregate.tmpl.h — needs T (the lane's C type) and NAME(stem). */
static int64_t NAME(sum_all)(const void *lanes, const uint16_t *rows, uint32_t count)
{
    const T *values = lanes;
    uint64_t sum = 0;
    if (rows == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            sum += (uint64_t)values[i];
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            sum += (uint64_t)values[rows[i]];
        }
    }
    return (int64_t)sum;
}

static void NAME(sum_groups)(const void *lanes, int64_t base, const uint16_t *rows,
                             const uint32_t *groups, uint32_t count, int64_t *sums)
{
    const T *values = lanes;
    if (rows == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            sums[groups[i]] += (int64_t)values[i] + base;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            sums[groups[i]] += (int64_t)values[rows[i]] + base;
        }
    }
}

static void NAME(sum_few)(const void *lanes, const uint16_t *rows, const uint32_t *groups,
                          uint32_t count, uint32_t group_count, int64_t *sums)
{
    const T *values = lanes;
    uint64_t parts[4][AGGREGATE_FEW_GROUPS];
    for (uint32_t p = 0; p < 4; p++) {
        for (uint32_t g = 0; g < group_count; g++) {
            parts[p][g] = 0;
        }
    }
    uint32_t i = 0;
    if (rows == NULL) {
        for (; i + 4 <= count; i += 4) {
            parts[0][groups[i]] += (uint64_t)values[i];
            parts[1][groups[i + 1]] += (uint64_t)values[i + 1];
            parts[2][groups[i + 2]] += (uint64_t)values[i + 2];
            parts[3][groups[i + 3]] += (uint64_t)values[i + 3];
        }
    } else {
        for (; i + 4 <= count; i += 4) {
            parts[0][groups[i]] += (uint64_t)values[rows[i]];
            parts[1][groups[i + 1]] += (uint64_t)values[rows[i + 1]];
            parts[2][groups[i + 2]] += (uint64_t)values[rows[i + 2]];
            parts[3][groups[i + 3]] += (uint64_t)values[rows[i + 3]];
        }
    }
    for (; i < count; i++) {
        parts[0][groups[i]] += (uint64_t)values[rows == NULL ? i : rows[i]];
    }
    for (uint32_t g = 0; g < group_count; g++) {
        sums[g] += (int64_t)(parts[0][g] + parts[1][g] + parts[2][g] + parts[3][g]);
    }
}

static void NAME(min_max_all)(const void *lanes, const uint16_t *rows, uint32_t count, int64_t *min,
                              int64_t *max)
{
    const T *values = lanes;
    T low = values[rows == NULL ? 0 : rows[0]];
    T high = low;
    if (rows == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            T value = values[rows[i]];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    *min = (int64_t)low;
    *max = (int64_t)high;
}

static void NAME(min_groups)(const void *lanes, int64_t base, const uint16_t *rows,
                             const uint32_t *groups, uint32_t count, int64_t *out)
{
    const T *values = lanes;
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = (int64_t)values[rows == NULL ? i : rows[i]] + base;
        int64_t former = out[groups[i]];
        out[groups[i]] = value < former ? value : former;
    }
}

static void NAME(max_groups)(const void *lanes, int64_t base, const uint16_t *rows,
                             const uint32_t *groups, uint32_t count, int64_t *out)
{
    const T *values = lanes;
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = (int64_t)values[rows == NULL ? i : rows[i]] + base;
        int64_t former = out[groups[i]];
        out[groups[i]] = value > former ? value : former;
    }
}
