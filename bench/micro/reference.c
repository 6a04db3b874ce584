/* reference.c — the reference loops, and medians of what was measured beside them. */
#include "bench/micro/reference.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/vector/vector.h"
#include "bench/micro/bench.h"

const char *const gate_level_names[GATE_LEVELS] = {"portable", "v3", "v4"};
const char *const gate_level_titles[GATE_LEVELS] = {"portable", "AVX2", "AVX-512"};

/* 1,024 lanes of 64 bits, each read, added to and written. */
static void reference(uint64_t *restrict target, const uint64_t *restrict source, uint64_t addend)
{
    for (size_t i = 0; i < VECTOR_ROWS; i++) {
        target[i] = source[i] + addend;
    }
}

static double time_lanes(void)
{
    static _Alignas(64) uint64_t source[VECTOR_ROWS], target[VECTOR_ROWS];
    const uint32_t repeats = (uint32_t)(ROUND_NS / (REFERENCE_NS * VECTOR_ROWS));
    const double start = cpu_ns();
    for (uint32_t i = 0; i < repeats; i++) {
        reference(target, source, i);
        __asm__ volatile("" ::"r"(target), "r"(source) : "memory");
    }
    return (cpu_ns() - start) / ((double)repeats * VECTOR_ROWS);
}

/* Neither the place nor the next one depends on what was read. */
static uint64_t read_words(const uint64_t *words, uint64_t word_count, uint64_t first,
                           uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = first; i < first + count; i++) {
        uint64_t bits = i * UINT64_C(0x9e3779b97f4a7c15);
        bits = (bits ^ (bits >> 32)) * UINT64_C(0xbf58476d1ce4e5b9);
        sum += words[(bits >> 32) * word_count >> 32];
    }
    return sum;
}

static double time_reads(void)
{
    enum { BYTES = 48 << 20, HUGE_PAGE_BYTES = 2 << 20 };
    static uint64_t *words, done;
    const uint64_t count = (uint64_t)(ROUND_NS / REFERENCE_READS_NS);
    if (words == NULL) {
        words = aligned_alloc(HUGE_PAGE_BYTES, BYTES);
        madvise(words, BYTES, MADV_HUGEPAGE);
        memset(words, 1, BYTES);
    }
    const double start = cpu_ns();
    const uint64_t sum = read_words(words, BYTES / sizeof *words, done, count);
    __asm__ volatile("" ::"r"(sum));
    done += count;
    return (cpu_ns() - start) / (double)count;
}

double reference_time(Reference reference)
{
    return reference == REFERENCE_READS ? time_reads() : time_lanes();
}

double reference_gate_ns(Reference reference)
{
    return reference == REFERENCE_READS ? REFERENCE_READS_NS : REFERENCE_NS;
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(const double *values, uint32_t count)
{
    double sorted[GATE_ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    return sorted[count / 2];
}

void gate_figures_add(GateFigures *figures, uint32_t level, uint32_t round, double ns,
                      double before, double after)
{
    figures->ns[level][round] = ns;
    figures->ratios[level][round] = ns / ((before + after) / 2);
}

double gate_figures_ns(const GateFigures *figures, uint32_t level, uint32_t rounds)
{
    return median(figures->ns[level], rounds);
}

double gate_figures_ratio(const GateFigures *figures, uint32_t level, uint32_t rounds)
{
    return median(figures->ratios[level], rounds);
}

bool gate_is_held(const GateFigures *figures, uint32_t rounds, double gate_ratio)
{
    bool is_held = true;
    for (uint32_t level = 1; level < GATE_LEVELS; level++) {
        is_held = is_held &&
                  (gate_ratio == 0 || gate_figures_ratio(figures, level, rounds) <= gate_ratio);
    }
    return is_held;
}
