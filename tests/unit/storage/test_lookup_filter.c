/* test_lookup_filter.c — filters of texts: what is there is never excluded, what is not nearly
 * always; which columns get them; damage is found. */
#include "block_fixture.h"
#include "sample_column.h"
#include "storage/lookup_counts.h"
#include "storage/lookup_filter.h"

#define ROWS 30000u
#define TEXT_BYTES 24

typedef struct Texts {
    char *bytes;
    TextView *views;
    uint64_t *validity;
    ColumnChunk chunk;
} Texts;

/* "key 000007" and the like; each fourth ends in a blank, each fifth is null on demand. */
static Texts make_texts(bool has_nulls)
{
    Texts texts = {.bytes = calloc(ROWS + 2, TEXT_BYTES),
                   .views = calloc(ROWS + VECTOR_ROWS, sizeof(TextView)),
                   .validity = calloc(ROWS / 64 + 32, sizeof(uint64_t))};
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        char *text = texts.bytes + (size_t)i * TEXT_BYTES;
        const int length = snprintf(text, TEXT_BYTES, "key %06u%s", i, i % 4 == 0 ? " " : "");
        texts.views[i] = text_view_make(text, (uint32_t)length);
        if (has_nulls && i % 5 == 0) {
            texts.views[i] = text_view_make("", 0);
            nulls++;
        } else {
            validity_set(texts.validity, i);
        }
    }
    texts.chunk = (ColumnChunk){.type = type_varchar(20),
                                .lane = LANE_TEXT,
                                .row_count = ROWS,
                                .null_count = nulls,
                                .values = texts.views,
                                .validity = nulls > 0 ? texts.validity : NULL,
                                .is_looked_up = true};
    return texts;
}

static void free_texts(Texts *texts)
{
    free(texts->bytes);
    free(texts->views);
    free(texts->validity);
}

static uint8_t *encode(const Texts *texts, EncodingId encoding, size_t *bytes)
{
    EncodingMemory memory = {0};
    EncodedBlock *encoded = calloc(1, sizeof *encoded);
    must(
        encode_block(&context, &texts->chunk, &memory, encoding_set(encoding), &identity, encoded));
    ck_assert_uint_eq(encoded->encoding, encoding);
    uint8_t *copy = aligned_copy(encoded);
    *bytes = encoded->byte_count;
    free(encoded);
    encoding_memory_deinit(&memory);
    return copy;
}

static Value text_value(const char *text)
{
    return (Value){.type = type_varchar(20), .text = text_view_make(text, (uint32_t)strlen(text))};
}

static Predicate equal_to(const char *text)
{
    return (Predicate){.kind = PREDICATE_RANGE,
                       .type = type_varchar(20),
                       .has_lo = true,
                       .has_hi = true,
                       .lo = text_value(text),
                       .hi = text_value(text)};
}

static PredicateVerdict verdict_of(const Block *block, const Predicate *predicate)
{
    uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / sizeof(uint64_t)];
    BlockFilter filter = {.bitmap = bitmap};
    block_filter_prepare(block, predicate, &filter);
    return filter.verdict;
}

static const EncodingId encodings[] = {ENCODING_PHRASES, ENCODING_FSST, ENCODING_LZ4_BYTES,
                                       ENCODING_RAW_TEXT};

START_TEST(finds_what_is_there_and_little_else)
{
    Texts texts = make_texts(_i >= 4);
    size_t bytes;
    uint8_t *copy = encode(&texts, encodings[_i % 4], &bytes);
    Block block;
    uint32_t kept = 0;
    char text[TEXT_BYTES];
    must(block_open(copy, bytes, &identity, texts.chunk.type, budget, &block));
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(text, sizeof text, "key %06u%s", i, i % 3 == 0 ? "   " : ""); // blanks are nothing
        const Predicate there = equal_to(text);
        EXPECT((_i >= 4 && i % 5 == 0) || verdict_of(&block, &there) == PREDICATE_SOME, "row %u",
               i);
        snprintf(text, sizeof text, "key %06u", i + 500000);
        const Predicate missing = equal_to(text);
        kept += verdict_of(&block, &missing) == PREDICATE_SOME;
    }
    EXPECT(kept < ROWS / 25, "%u of %u are decoded in vain", kept, ROWS);
    const Predicate empty = equal_to("");
    ck_assert_int_eq(verdict_of(&block, &empty), PREDICATE_NONE); // nulls are not empty
    block_close(&block);
    free(copy);
    free_texts(&texts);
}
END_TEST

START_TEST(lists_and_ranges)
{
    Texts texts = make_texts(false);
    size_t bytes;
    uint8_t *copy = encode(&texts, ENCODING_FSST, &bytes);
    Block block;
    must(block_open(copy, bytes, &identity, texts.chunk.type, budget, &block));
    const Value values[3] = {text_value("aaa"), text_value("key 000123"), text_value("zzz")};
    Predicate in = {
        .kind = PREDICATE_IN, .type = type_varchar(20), .values = values, .value_count = 3};
    ck_assert_int_eq(verdict_of(&block, &in), PREDICATE_SOME);
    in.value_count = 1;
    ck_assert_int_eq(verdict_of(&block, &in), PREDICATE_NONE);
    Predicate range = equal_to("nothing of the kind");
    range.hi = text_value("zzz");
    ck_assert(!predicate_is_lookup(&range));
    ck_assert_int_eq(verdict_of(&block, &range), PREDICATE_SOME);
    range = equal_to("nothing of the kind");
    range.has_hi = false;
    ck_assert(!predicate_is_lookup(&range));
    in.value_count = 65;
    ck_assert(!predicate_is_lookup(&in));
    in.type = type_of(TYPE_INTEGER);
    in.value_count = 1;
    ck_assert(!predicate_is_lookup(&in));
    block_close(&block);
    free(copy);
    free_texts(&texts);
}
END_TEST

START_TEST(others_have_none)
{
    Texts texts = make_texts(false);
    size_t with, without, bytes;
    free(encode(&texts, ENCODING_FSST, &with));
    texts.chunk.is_looked_up = false;
    free(encode(&texts, ENCODING_FSST, &without));
    ck_assert_uint_eq(with - without, ROWS < 32768 * 32 / 12 ? 65536 : 0); // 16,384 words
    texts.chunk.is_looked_up = true;
    for (uint32_t i = 0; i < ROWS; i++) {
        texts.views[i] = text_view_make(i % 2 == 0 ? "even" : "odd", i % 2 == 0 ? 4 : 3);
    }
    uint8_t *copy = encode(&texts, ENCODING_DICTIONARY, &bytes);
    Block block;
    must(block_open(copy, bytes, &identity, texts.chunk.type, budget, &block));
    ck_assert_ptr_null(block_stream(&block, STREAM_LOOKUP, 0));
    block_close(&block);
    free(copy);
    free_texts(&texts);
}
END_TEST

START_TEST(wrong_lengths_are_damage)
{
    static const uint64_t wrong[] = {0, 32, 63, 65, 96, 65532, 1 << 20};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const BlockStream stream = {.kind = STREAM_LOOKUP, .bytes = wrong[i]};
        EXPECT(!lookup_filter_is_sound(&stream), "%llu bytes", (unsigned long long)wrong[i]);
    }
    Texts texts = make_texts(false);
    size_t bytes;
    uint8_t *copy = encode(&texts, ENCODING_FSST, &bytes);
    Block block;
    must(block_open(copy, bytes, &identity, texts.chunk.type, budget, &block));
    BlockStream *stream = (BlockStream *)(uintptr_t)block_stream(&block, STREAM_LOOKUP, 0);
    block_close(&block);
    stream->bytes -= 4;
    BlockHeader *header = (BlockHeader *)(void *)copy;
    header->checksum = block_checksum(copy, bytes, &identity);
    Status status = block_open(copy, bytes, &identity, texts.chunk.type, budget, &block);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
    status_free(status);
    free(copy);
    free_texts(&texts);
}
END_TEST

START_TEST(columns_are_worth_it_after_some_lookups)
{
    struct PlanTableColumn columns[2] = {{.column_id = 1}, {.column_id = 2}};
    uint32_t keys[1] = {1};
    PlanTable table = {.table_id = 7, .column_count = 2, .columns = columns, .sort_keys = keys};
    LookupCounts *counts = malloc(sizeof *counts);
    lookup_counts_init(counts);
    for (uint32_t i = 0; i < LOOKUPS_MIN; i++) {
        ck_assert(!lookup_counts_want(counts, &table, 1));
        lookup_counts_add(counts, 7, 2);
        lookup_counts_add(counts, 8, 1);
    }
    ck_assert(lookup_counts_want(counts, &table, 1));
    ck_assert(!lookup_counts_want(counts, &table, 0));
    table.sort_key_count = 1;
    ck_assert(!lookup_counts_want(counts, &table, 1));
    table.is_interleaved = true;
    ck_assert(lookup_counts_want(counts, &table, 1));
    for (uint64_t i = 100; i < 100000; i++) { // each once: none drives out what is used
        lookup_counts_add(counts, i, 1);
    }
    ck_assert(lookup_counts_want(counts, &table, 1));
    lookup_counts_deinit(counts);
    free(counts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup_filter");
    TCase *tests = tcase_create("lookups");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, finds_what_is_there_and_little_else, 0, 8);
    tcase_add_test(tests, lists_and_ranges);
    tcase_add_test(tests, others_have_none);
    tcase_add_test(tests, wrong_lengths_are_damage);
    tcase_add_test(tests, columns_are_worth_it_after_some_lookups);
    return run_suite(suite, tests);
}
