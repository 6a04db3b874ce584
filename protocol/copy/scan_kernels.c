/*
 * scan_kernels.c — field and row ends over 64-byte masks; see structure_scan.h.
 *
 * A step of 64 bytes gives one mask per interesting byte, with 64, 32, 16 or 8 bytes compared at
 * once. Quotes become "inside" masks by a running parity: bit i is the parity of the quotes up to
 * i.
 */
#include <string.h>

#include "protocol/copy/structure_scan.h"

#if defined(__SSE2__) && !defined(KERNEL_PORTABLE)
#include <immintrin.h>
#endif

/* ---- masks of a step: bit i belongs to at[i] ---- */

#if defined(__AVX512BW__)

static inline uint64_t step_equal(const uint8_t *at, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(at), _mm512_set1_epi8((char)byte));
}

static inline uint64_t step_high(const uint8_t *at)
{
    return _mm512_movepi8_mask(_mm512_loadu_si512(at));
}

#elif defined(__AVX2__)

static inline __m256i load256(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

static inline uint64_t step_high(const uint8_t *at)
{
    uint32_t low = (uint32_t)_mm256_movemask_epi8(load256(at));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(load256(at + 32));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t step_equal(const uint8_t *at, uint8_t byte)
{
    __m256i pattern = _mm256_set1_epi8((char)byte);
    __m256i low = _mm256_cmpeq_epi8(load256(at), pattern);
    __m256i high = _mm256_cmpeq_epi8(load256(at + 32), pattern);
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 |
           (uint32_t)_mm256_movemask_epi8(low);
}

#elif defined(__SSE2__) && !defined(KERNEL_PORTABLE)

static inline __m128i load128(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline uint64_t step_high(const uint8_t *at)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(load128(at + i)) << i;
    }
    return mask;
}

static inline uint64_t step_equal(const uint8_t *at, uint8_t byte)
{
    __m128i pattern = _mm_set1_epi8((char)byte);
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i equal = _mm_cmpeq_epi8(load128(at + i), pattern);
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << i;
    }
    return mask;
}

#else /* eight bytes in a word */

#define LOW_BITS UINT64_C(0x0101010101010101)
#define LOW_SEVEN UINT64_C(0x7F7F7F7F7F7F7F7F)

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Bit 7 of each byte, side by side. */
static inline uint64_t gather_high(uint64_t word)
{
    return ((word >> 7 & LOW_BITS) * UINT64_C(0x0102040810204080)) >> 56;
}

static inline uint64_t step_high(const uint8_t *at)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        mask |= gather_high(load64(at + i)) << i;
    }
    return mask;
}

static inline uint64_t step_equal(const uint8_t *at, uint8_t byte)
{
    uint64_t pattern = LOW_BITS * byte;
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t word = load64(at + i) ^ pattern;
        uint64_t zeroes = ~(((word & LOW_SEVEN) + LOW_SEVEN) | word | LOW_SEVEN);
        mask |= gather_high(zeroes) << i;
    }
    return mask;
}

#endif

/* ---- what the masks mean ---- */

/* Bit i: the parity of the mask's bits 0 to i. */
static inline uint64_t running_parity(uint64_t mask)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        mask ^= mask << shift;
    }
    return mask;
}

/* Bits of bytes that a backslash before them protects. */
static inline uint64_t protected_bits(uint64_t backslashes, uint64_t *carry)
{
    uint64_t escaped = *carry;
    backslashes &= ~escaped;
    *carry = 0;
    while (backslashes != 0) {
        uint64_t lowest = backslashes & -backslashes;
        uint64_t next = lowest << 1;
        *carry = next == 0; // the last byte of the step protects the first of the following one
        escaped |= next;
        backslashes &= ~(lowest | next);
    }
    return escaped;
}

/* Bits of the bytes that belong to [at, last). */
static inline uint64_t live_bits(size_t at, size_t last)
{
    return last - at >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (last - at)) - 1;
}

/* Bits of bytes inside quotes or behind a backslash. */
static inline uint64_t hidden_bits(ScanState *state, const ScanRules *rules, const uint8_t *step,
                                   uint64_t live, bool *has_quotes, bool *has_backslashes)
{
    if (rules->has_quotes) {
        uint64_t quotes = step_equal(step, rules->quote) & live;
        uint64_t inside = state->quoted;
        if (quotes != 0) {
            *has_quotes = true;
            inside ^= running_parity(quotes);
            // The parity behind the last live byte: the bits beyond repeat it.
            state->quoted = (uint64_t)((int64_t)inside >> 63);
        }
        return inside;
    }
    if (rules->has_backslashes) {
        uint64_t backslashes = step_equal(step, '\\') & live;
        if (backslashes != 0 || state->escaped != 0) {
            *has_backslashes = true;
            uint64_t escaped = protected_bits(backslashes, &state->escaped);
            if (live != ~UINT64_C(0)) {
                // A short step: the byte it protects may lie behind its end.
                state->escaped = (escaped & ~live) != 0;
            }
            return escaped;
        }
    }
    return 0;
}

static void scan_rows(RowScan *scan, const ScanRules *rules, const uint8_t *data, size_t first,
                      size_t last, size_t end)
{
    (void)end;
    bool is_ignored = false;
    uint64_t line_count = scan->line_count;
    for (size_t at = first; at < last; at += 64) {
        uint64_t live = live_bits(at, last);
        uint64_t newlines = step_equal(data + at, '\n') & live;
        uint64_t hidden =
            hidden_bits(&scan->state, rules, data + at, live, &is_ignored, &is_ignored);
        uint64_t ends = newlines & ~hidden;
        if (ends != 0) {
            uint32_t index = 63 - (uint32_t)__builtin_clzll(ends);
            uint64_t up_to = ~UINT64_C(0) >> (63 - index);
            scan->last_end = at + index + 1;
            scan->last_end_lines = line_count + (uint64_t)__builtin_popcountll(newlines & up_to);
        }
        line_count += (uint64_t)__builtin_popcountll(newlines);
    }
    scan->line_count = line_count;
}

static void scan_fields(FieldScan *scan, const ScanRules *rules, const uint8_t *data, size_t first,
                        size_t last, size_t end)
{
    (void)end;
    uint32_t *marks = scan->marks + scan->mark_count;
    uint32_t *row_marks = scan->row_marks + scan->row_count;
    uint64_t high_bits = 0, zeroes = 0;
    for (size_t at = first; at < last; at += 64) {
        const uint8_t *step = data + at;
        uint64_t live = live_bits(at, last);
        uint64_t newlines = step_equal(step, '\n');
        uint64_t ends = (step_equal(step, rules->delimiter[0]) | newlines) & live;
        ends &= ~hidden_bits(&scan->state, rules, step, live, &scan->has_quotes,
                             &scan->has_backslashes);
        high_bits |= step_high(step) & live;
        zeroes |= step_equal(step, 0) & live;
        uint32_t count = (uint32_t)__builtin_popcountll(ends);
        uint32_t mark_index = (uint32_t)(marks - scan->marks);
        for (newlines &= ends; newlines != 0; newlines &= newlines - 1) {
            uint64_t below = (newlines & -newlines) - 1;
            *row_marks++ = mark_index + (uint32_t)__builtin_popcountll(ends & below);
        }
        // Eight at a time without asking: marks has room for what is written too much.
        uint32_t base = (uint32_t)at;
        for (uint32_t done = 0; done < count; done += 8) {
            for (uint32_t i = 0; i < 8; i++) {
                marks[done + i] = base + (uint32_t)__builtin_ctzll(ends | UINT64_C(1) << 63);
                ends &= ends - 1;
            }
        }
        marks += count;
    }
    scan->mark_count = (uint32_t)(marks - scan->marks);
    scan->row_count = (uint32_t)(row_marks - scan->row_marks);
    scan->high_bits |= high_bits;
    scan->has_zeroes |= zeroes != 0;
}

const ScanKernels KERNEL(scan_kernels) = {.rows = scan_rows, .fields = scan_fields};
