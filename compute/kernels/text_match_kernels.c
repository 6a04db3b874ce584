/* text_match_kernels.c — see text_match_kernels.h. */
#include "compute/kernels/text_match_kernels.h"

#include <string.h>

#if !defined(KERNEL_PORTABLE) && (defined(__AVX512BW__) || defined(__AVX2__))
#include <immintrin.h>
#endif

#if !defined(KERNEL_PORTABLE) && defined(__AVX512BW__)
static inline bool is_segment_at(const char *text, const TextSegment *segment)
{
    if (segment->length > 64) {
        return memcmp(text, segment->bytes, segment->length) == 0;
    }
    __mmask64 bytes = UINT64_MAX >> (64 - segment->length);
    __m512i there =
        _mm512_maskz_loadu_epi8(bytes, text); // bytes that are not asked for do not fault
    __m512i wanted = _mm512_maskz_loadu_epi8(bytes, segment->bytes);
    return _mm512_mask_cmpneq_epi8_mask(bytes, there, wanted) == 0;
}

static inline const char *find_segment(const char *text, size_t bytes, const TextSegment *segment)
{
    if (bytes < segment->length) {
        return NULL;
    }
    const size_t positions = bytes - segment->length + 1;
    const __m512i first = _mm512_set1_epi8(segment->bytes[segment->first]);
    const __m512i second = _mm512_set1_epi8(segment->bytes[segment->second]);
    for (size_t at = 0; at < positions; at += 64) {
        size_t left = positions - at;
        __mmask64 wanted = left >= 64 ? UINT64_MAX : UINT64_MAX >> (64 - left);
        __m512i starts = _mm512_maskz_loadu_epi8(wanted, text + at + segment->first);
        __m512i ends = _mm512_maskz_loadu_epi8(wanted, text + at + segment->second);
        uint64_t hits = _mm512_mask_cmpeq_epi8_mask(wanted, starts, first);
        hits = _mm512_mask_cmpeq_epi8_mask(hits, ends, second);
        for (; hits != 0; hits &= hits - 1) {
            const char *found = text + at + __builtin_ctzll(hits);
            if (is_segment_at(found, segment)) {
                return found;
            }
        }
    }
    return NULL;
}
#elif !defined(KERNEL_PORTABLE) && defined(__AVX2__)
static inline const char *find_segment(const char *text, size_t bytes, const TextSegment *segment)
{
    const size_t length = segment->length;
    if (bytes < length + 31) { // fewer than 32 positions
        return memmem(text, bytes, segment->bytes, length);
    }
    const size_t positions = bytes - length + 1;
    const __m256i first = _mm256_set1_epi8(segment->bytes[segment->first]);
    const __m256i second = _mm256_set1_epi8(segment->bytes[segment->second]);
    for (size_t at = 0; at < positions; at += 32) {
        at = at + 32 > positions ? positions - 32 : at; // the last step looks at some twice
        __m256i starts = _mm256_loadu_si256((const __m256i *)(text + at + segment->first));
        __m256i ends = _mm256_loadu_si256((const __m256i *)(text + at + segment->second));
        __m256i equal =
            _mm256_and_si256(_mm256_cmpeq_epi8(starts, first), _mm256_cmpeq_epi8(ends, second));
        for (uint32_t hits = (uint32_t)_mm256_movemask_epi8(equal); hits != 0; hits &= hits - 1) {
            const char *found = text + at + __builtin_ctz(hits);
            if (memcmp(found, segment->bytes, length) == 0) {
                return found;
            }
        }
    }
    return NULL;
}
#else
static inline const char *find_segment(const char *text, size_t bytes, const TextSegment *segment)
{
    return memmem(text, bytes, segment->bytes, segment->length);
}
#endif

static const char *find(const char *text, size_t bytes, const TextSegment *segment)
{
    return segment->length == 0 ? text : find_segment(text, bytes, segment);
}

/* Segments first..last, one behind the other, anywhere in the text. */
static inline bool contains_all(const TextPattern *pattern, uint32_t first, uint32_t last,
                                const char *text, size_t bytes)
{
    const char *end = text + bytes;
    for (; first < last; first++) {
        const TextSegment *segment = &pattern->segments[first];
        const char *found = find_segment(text, (size_t)(end - text), segment);
        if (found == NULL) {
            return false;
        }
        text = found + segment->length;
    }
    return true;
}

static inline bool match_one(const TextPattern *pattern, const TextView *view)
{
    if (view->length < pattern->bytes_min) {
        return false;
    }
    const char *text = text_view_data(view);
    size_t bytes = view->length;
    uint32_t first = 0, last = pattern->segment_count;
    const TextSegment *segments = pattern->segments;
    if (pattern->is_start_anchored) {
        if (memcmp(text, segments[0].bytes, segments[0].length) != 0) {
            return false;
        }
        text += segments[0].length;
        bytes -= segments[0].length;
        first = 1;
    }
    if (pattern->is_end_anchored) {
        last--;
        bytes -= segments[last].length;
        if (memcmp(text + bytes, segments[last].bytes, segments[last].length) != 0) {
            return false;
        }
    }
    return contains_all(pattern, first, last, text, bytes);
}

/* The bits of rows below row_count in the word that starts with `row`. */
static inline uint64_t rows_of_word(uint32_t row, uint32_t row_count)
{
    return row_count - row >= 64 ? UINT64_MAX : (UINT64_C(1) << (row_count - row)) - 1;
}

static void match_prefix(const TextView *views, uint32_t row_count, const TextSegment *segment,
                         uint64_t flip, uint64_t *words)
{
    // the first bytes stand in the view itself, beside the length
    uint32_t head = 0, mask = 0, head_bytes = segment->length < 4 ? segment->length : 4;
    memcpy(&head, segment->bytes, head_bytes);
    memset(&mask, 0xff, head_bytes);
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint64_t kept = 0, rows = rows_of_word(row, row_count);
        for (uint64_t left = *words & rows; left != 0; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            const TextView *view = &views[row + bit];
            uint32_t prefix;
            memcpy(&prefix, view->prefix, 4);
            bool is_match = view->length >= segment->length && (prefix & mask) == head;
            if (is_match && segment->length > 4) {
                is_match = memcmp(text_view_data(view), segment->bytes, segment->length) == 0;
            }
            kept |= (uint64_t)is_match << bit;
        }
        *words &= (kept ^ flip) | ~rows;
    }
}

/* '%segment%': what is the same for all rows stays in registers. */
static void match_contained(const TextView *views, uint32_t row_count, const TextSegment *wanted,
                            uint64_t flip, uint64_t *words)
{
    const TextSegment segment = *wanted;
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint64_t kept = 0, rows = rows_of_word(row, row_count);
        for (uint64_t left = *words & rows; left != 0; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            const TextView *view = &views[row + bit];
            bool is_match = find_segment(text_view_data(view), view->length, &segment) != NULL;
            kept |= (uint64_t)is_match << bit;
        }
        *words &= (kept ^ flip) | ~rows;
    }
}

static void match_equal(const TextView *views, uint32_t row_count, const TextSegment *whole,
                        uint64_t flip, uint64_t *words)
{
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint64_t kept = 0, rows = rows_of_word(row, row_count);
        for (uint64_t left = *words & rows; left != 0; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            const TextView *view = &views[row + bit];
            bool is_match = view->length == whole->length &&
                            memcmp(text_view_data(view), whole->bytes, whole->length) == 0;
            kept |= (uint64_t)is_match << bit;
        }
        *words &= (kept ^ flip) | ~rows;
    }
}

static void match_any(const TextView *views, uint32_t row_count, const TextPattern *pattern,
                      uint64_t flip, uint64_t *words)
{
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint64_t kept = 0, rows = rows_of_word(row, row_count);
        for (uint64_t left = *words & rows; left != 0; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            kept |= (uint64_t)match_one(pattern, &views[row + bit]) << bit;
        }
        *words &= (kept ^ flip) | ~rows;
    }
}

static void match(const TextView *views, uint32_t row_count, const TextPattern *pattern,
                  bool is_inverted, uint64_t *words)
{
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    const TextSegment empty = {.bytes = ""};
    const TextSegment *whole = pattern->segment_count > 0 ? pattern->segments : &empty;
    bool is_single = pattern->segment_count == 1;
    if (pattern->is_start_anchored && pattern->is_end_anchored && pattern->segment_count <= 1) {
        match_equal(views, row_count, whole, flip, words);
    } else if (is_single && pattern->is_start_anchored) {
        match_prefix(views, row_count, whole, flip, words);
    } else if (is_single && !pattern->is_end_anchored) {
        match_contained(views, row_count, whole, flip, words);
    } else {
        match_any(views, row_count, pattern, flip, words);
    }
}

const TextMatchKernels KERNEL(text_match_kernels) = {.match = match, .find = find};
