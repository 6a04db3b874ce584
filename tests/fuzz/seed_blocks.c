/* seed_blocks.c — blocks of every encoding and type, and small rowset files, as first inputs of
 * block_decode. */
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "storage/rowset_reader.h"
#include "storage/rowset_writer.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/simulated_files.h"
#include "tests/unit/storage/sample_column.h"

/* The choices of fuzz_block_decode.c. */
enum { BIGINT, DATE, BOOLEAN, DECIMAL, DOUBLE, REAL, INTERVAL, VARCHAR, TYPE_CHOICES };
#define FILE_CHOICE TYPE_CHOICES
static const Type types[TYPE_CHOICES] = {
    {.id = TYPE_BIGINT},   {.id = TYPE_DATE},
    {.id = TYPE_BOOLEAN},  {.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
    {.id = TYPE_DOUBLE},   {.id = TYPE_REAL},
    {.id = TYPE_INTERVAL}, {.id = TYPE_VARCHAR, .length = 96},
};

typedef struct SeedBlock {
    uint32_t choice;
    EncodingId encoding;
    Shape shape;
    Nulls nulls;
    uint32_t row_count;
    uint32_t
        width; /* 0: as `shape` says; else bits of integers, hundredths and steps, bytes of text */
} SeedBlock;

static const SeedBlock blocks[] = {
    {BIGINT, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_NONE, 70, 0},
    {BIGINT, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_SOME, 70, 0},
    {BIGINT, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_ALL, 70, 0},
    {DATE, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_SOME, 1100, 0},
    {DECIMAL, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_NONE, 70, 0},
    {DECIMAL, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_SOME, 70, 0},
    {DOUBLE, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_SOME, 70, 0},
    {REAL, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_NONE, 70, 0},
    {INTERVAL, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_MANY, 70, 0},
    {VARCHAR, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_NONE, 70, 0},
    {VARCHAR, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_SOME, 70, 0},
    {VARCHAR, ENCODING_CONSTANT, SHAPE_CONSTANT, NULLS_ALL, 3, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_MANY, 70, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_OUTLIERS, NULLS_SOME, 1100, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_RUNS, NULLS_NONE, 1025, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_RANDOM, NULLS_NONE, 70, 0},
    {DATE, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 0},
    {BOOLEAN, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_SOME, 70, 0},
    {DECIMAL, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_SOME, 70, 0},
    {BIGINT, ENCODING_RUN_LENGTH, SHAPE_RUNS, NULLS_NONE, 70, 0},
    {BIGINT, ENCODING_RUN_LENGTH, SHAPE_RUNS, NULLS_SOME, 1100, 0},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 0},
    {BIGINT, ENCODING_DELTA, SHAPE_RUNS, NULLS_SOME, 1100, 0},
    {DATE, ENCODING_DELTA, SHAPE_SORTED, NULLS_SOME, 70, 0},
    {BIGINT, ENCODING_DICTIONARY, SHAPE_FEW_WIDE, NULLS_NONE, 400, 0},
    {BIGINT, ENCODING_DICTIONARY, SHAPE_FEW_WIDE, NULLS_SOME, 1100, 0},
    {VARCHAR, ENCODING_DICTIONARY, SHAPE_FEW_WIDE, NULLS_NONE, 70, 0},
    {VARCHAR, ENCODING_DICTIONARY, SHAPE_OUTLIERS, NULLS_SOME, 200, 0},
    {VARCHAR, ENCODING_LZ4_BYTES, SHAPE_SORTED, NULLS_NONE, 70, 0},
    {VARCHAR, ENCODING_LZ4_BYTES, SHAPE_SMALL, NULLS_SOME, 70, 0},
    {VARCHAR, ENCODING_LZ4_BYTES, SHAPE_RANDOM, NULLS_NONE, 70, 0},
    {VARCHAR, ENCODING_FSST, SHAPE_EXTREME, NULLS_NONE, 200, 0},
    {VARCHAR, ENCODING_FSST, SHAPE_RANDOM, NULLS_SOME, 250, 0},
    {VARCHAR, ENCODING_FSST, SHAPE_SORTED, NULLS_SOME, 1100, 0},
    {BIGINT, ENCODING_RAW, SHAPE_RANDOM, NULLS_NONE, 70, 0},
    {DOUBLE, ENCODING_RAW, SHAPE_OUTLIERS, NULLS_NONE, 70, 0},
    {REAL, ENCODING_RAW, SHAPE_SMALL, NULLS_SOME, 70, 0},
    {DECIMAL, ENCODING_RAW, SHAPE_SMALL, NULLS_NONE, 70, 0},
    {INTERVAL, ENCODING_RAW, SHAPE_SORTED, NULLS_SOME, 70, 0},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 2},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 5},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 9},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 11},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 13},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 14},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 17},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 19},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 20},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 22},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 23},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 25},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 26},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 28},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 29},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 31},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 36},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 1024, 3},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 1024, 10},
    {BIGINT, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 1024, 18},
    {DATE, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 1024, 4},
    {DECIMAL, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 8},
    {DECIMAL, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 15},
    {DECIMAL, ENCODING_BIT_PACKED, SHAPE_SMALL, NULLS_NONE, 70, 21},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 3},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 7},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 12},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 24},
    {BIGINT, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 40},
    {DATE, ENCODING_DELTA, SHAPE_SORTED, NULLS_NONE, 70, 1},
    {VARCHAR, ENCODING_LZ4_BYTES, SHAPE_SMALL, NULLS_NONE, 200, 900},
    {VARCHAR, ENCODING_FSST, SHAPE_SMALL, NULLS_NONE, 40, 300},
    {VARCHAR, ENCODING_PHRASES, SHAPE_EXTREME, NULLS_NONE, 250, 0},
    {VARCHAR, ENCODING_PHRASES, SHAPE_EXTREME, NULLS_SOME, 1100, 0},
    {VARCHAR, ENCODING_PHRASES, SHAPE_SMALL, NULLS_NONE, 40, 300},
    {DATE, ENCODING_DIFFERENCE, SHAPE_SMALL, NULLS_NONE, 70, 3},
    {DATE, ENCODING_DIFFERENCE, SHAPE_SMALL, NULLS_SOME, 1100, 4},
    {BIGINT, ENCODING_DIFFERENCE, SHAPE_SMALL, NULLS_NONE, 70, 5},
    {BIGINT, ENCODING_DIFFERENCE, SHAPE_SMALL, NULLS_SOME, 1100, 4},
    {BIGINT, ENCODING_MULTIPLE, SHAPE_RUNS, NULLS_SOME, 1100, 0},
    {BIGINT, ENCODING_MULTIPLE, SHAPE_EXTREME, NULLS_NONE, 70, 0},
    {DOUBLE, ENCODING_ALP, SHAPE_OUTLIERS, NULLS_SOME, 1100, 0},
    {DOUBLE, ENCODING_ALP, SHAPE_SMALL, NULLS_NONE, 70, 0},
    {DOUBLE, ENCODING_ALP_RD, SHAPE_RANDOM, NULLS_SOME, 1100, 0},
    {REAL, ENCODING_ALP, SHAPE_SORTED, NULLS_NONE, 1100, 0},
    {REAL, ENCODING_ALP, SHAPE_SMALL, NULLS_SOME, 70, 0},
    {REAL, ENCODING_ALP_RD, SHAPE_RANDOM, NULLS_NONE, 70, 0},
    {BIGINT, ENCODING_DOMINANT, SHAPE_DOMINANT, NULLS_SOME, 1100, 0},
    {BIGINT, ENCODING_DOMINANT, SHAPE_DOMINANT, NULLS_NONE, 400, 0},
    {DATE, ENCODING_DOMINANT, SHAPE_DOMINANT, NULLS_NONE, 70, 0},
    {BOOLEAN, ENCODING_DOMINANT, SHAPE_DOMINANT, NULLS_NONE, 70, 0},
    {VARCHAR, ENCODING_RAW_TEXT, SHAPE_EXTREME, NULLS_SOME, 1100, 0},
    {VARCHAR, ENCODING_RAW_TEXT, SHAPE_SMALL, NULLS_NONE, 70, 0},
    {DOUBLE, ENCODING_FLOAT_DICTIONARY, SHAPE_FEW_WIDE, NULLS_SOME, 1100, 0},
    {DOUBLE, ENCODING_ALP, SHAPE_SMALL, NULLS_SOME, 1100, 7},
    {DOUBLE, ENCODING_ALP, SHAPE_SMALL, NULLS_NONE, 70, 19},
    {DOUBLE, ENCODING_ALP, SHAPE_SMALL, NULLS_NONE, 70, 42},
    {REAL, ENCODING_ALP, SHAPE_SMALL, NULLS_SOME, 1100, 7},
};
#define BLOCK_COUNT (sizeof blocks / sizeof blocks[0])

static void require_ok(Status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", status_message(status));
        exit(1);
    }
}

/* The base that fuzz_block_decode.c hands out. */
static int64_t base_day(uint32_t row)
{
    return (row / VECTOR_ROWS * 31 + row % VECTOR_ROWS * 7) % 200;
}

/* Integers of `width` bits, ascending by such steps for delta; from 1,024 rows on a few are wider:
 * patches. */
static void set_integers(const SeedBlock *seed, SampleColumn *column)
{
    Random random;
    int64_t last = 0;
    random_seed(&random, seed->width);
    for (uint32_t i = 0; i < seed->row_count; i++) {
        int64_t value = (int64_t)random_below(&random, UINT64_C(1) << seed->width);
        if (seed->encoding == ENCODING_DIFFERENCE) {
            value += base_day(i);
        }
        if (seed->row_count >= VECTOR_ROWS && i % 100 == 7) {
            value += (int64_t)1 << (seed->width + 9);
        }
        last = seed->encoding == ENCODING_DELTA ? last + value : value;
        if (column->chunk.lane == LANE_I128) {
            ((Int128 *)column->values)[i] = last + ((Int128)1 << 70);
        } else {
            ((int64_t *)column->values)[i] = last;
        }
    }
}

/* Hundredths of `width` bits; from 1,024 rows on a few are no decimals: exceptions. */
static void set_floats(const SeedBlock *seed, SampleColumn *column)
{
    Random random;
    random_seed(&random, seed->width);
    for (uint32_t i = 0; i < seed->row_count; i++) {
        double value = (double)random_below(&random, UINT64_C(1) << seed->width) / 100;
        if (seed->row_count >= VECTOR_ROWS && i % 100 == 7) {
            value = (double)(i + 1) / 3;
        }
        if (column->chunk.lane == LANE_F32) {
            ((float *)column->values)[i] = (float)value;
        } else {
            ((double *)column->values)[i] = value;
        }
    }
}

static void set_texts(const SeedBlock *seed, SampleColumn *column)
{
    free(column->text);
    column->text = calloc(seed->row_count + 1, seed->width + 64);
    for (uint32_t i = 0; i < seed->row_count; i++) {
        char *text = column->text + (size_t)i * seed->width;
        const uint32_t bytes = (i * 37 + 1) % seed->width;
        for (uint32_t k = 0; k < bytes; k++) {
            text[k] = "the same "[k % 9];
        }
        ((TextView *)column->values)[i] = text_view_make(text, bytes);
    }
}

static SampleColumn make_column(const SeedBlock *seed)
{
    SampleColumn column =
        sample_column(types[seed->choice], seed->shape, seed->nulls, seed->row_count, 1);
    if (seed->width > 0 && seed->choice == VARCHAR) {
        set_texts(seed, &column);
    } else if (seed->width > 0 && (seed->choice == DOUBLE || seed->choice == REAL)) {
        set_floats(seed, &column);
    } else if (seed->width > 0) {
        set_integers(seed, &column);
    }
    return column;
}

static void encode(EncodeContext *context, const SeedBlock *seed, const BlockIdentity *identity,
                   EncodedBlock *block)
{
    EncodingMemory memory = {0};
    SampleColumn column = make_column(seed);
    column.chunk.is_looked_up = true;
    int64_t days[2 * VECTOR_ROWS];
    ColumnChunk base = column.chunk;
    base.values = days;
    for (uint32_t i = 0; i < 2 * VECTOR_ROWS; i++) {
        days[i] = base_day(i);
    }
    context->base_count = 0;
    if (seed->encoding == ENCODING_DIFFERENCE) { // lanes of 8, 32 and 64 bits
        encode_context_add_base(context, 4 + (uint32_t)(seed - blocks) % 4, &base,
                                ENCODING_BIT_PACKED);
    }
    require_ok(encode_block(context, &column.chunk, &memory, encoding_set(seed->encoding), identity,
                            block));
    encoding_memory_deinit(&memory);
    sample_column_free(&column);
}

static void seed_block(EncodeContext *context, const SeedBlock *seed, EncodedBlock *block)
{
    static const BlockIdentity identity = {
        .cluster = 1, .table_id = 2, .rowset_id = 3, .column_id = 4};
    char name[64];
    encode(context, seed, &identity, block);
    if (block->encoding != seed->encoding) {
        fprintf(stderr, "seed %zu of block_decode came out as %s\n", (size_t)(seed - blocks),
                encoding_ops(block->encoding)->name);
        exit(1);
    }
    snprintf(name, sizeof name, "block_%02zu_%s", (size_t)(seed - blocks),
             encoding_ops(block->encoding)->name);
    seed_write("block_decode", name, (int)seed->choice, block->bytes, block->byte_count);
}

/* What is left when the zeroes before the trailer are taken out. */
static void write_file(FileSystem *system, const char *name)
{
    uint8_t *bytes;
    size_t byte_count;
    ByteBuffer target;
    RowsetTrailer trailer;
    require_ok(file_read_whole(system, "rowset", (size_t)1 << 20, &bytes, &byte_count));
    memcpy(&trailer, bytes + byte_count - sizeof trailer, sizeof trailer);
    byte_buffer_init(&target, (size_t)1 << 20);
    byte_buffer_add(&target, bytes, trailer.footer_offset + trailer.footer_bytes);
    byte_buffer_add(&target, &trailer, sizeof trailer);
    seed_write_buffer("block_decode", name, FILE_CHOICE, &target);
    byte_buffer_deinit(&target);
    free(bytes);
}

/* A rowset of the columns `seeds` with one or two row groups. */
static void seed_file(EncodeContext *context, const SeedBlock *seeds, uint32_t column_count,
                      uint32_t row_group_count, const char *name)
{
    SimulatedFiles *files = simulated_files_create();
    const RowsetPlace place = {.system = simulated_files_system(files),
                               .cluster = 1,
                               .table_id = 2,
                               .rowset_id = 3,
                               .txn_id = 4};
    RowsetColumn columns[3];
    RowsetWriter *writer;
    SealedRowset sealed;
    EncodedBlock *block = heap_alloc(sizeof *block);
    for (uint32_t c = 0; c < column_count; c++) {
        columns[c] = (RowsetColumn){
            .column_id = 10 + c, .type = types[seeds[c].choice], .is_looked_up = c == 1};
    }
    require_ok(rowset_writer_create(&place, columns, column_count, context->budget, &writer));
    for (uint32_t g = 0; g < row_group_count; g++) {
        for (uint32_t c = 0; c < column_count; c++) {
            const BlockIdentity identity = rowset_writer_identity(writer, c, g);
            encode(context, &seeds[c], &identity, block);
            require_ok(rowset_writer_add(writer, c, g, block));
        }
        rowset_writer_end_row_group(writer, seeds[0].row_count);
    }
    rowset_writer_set_sort_keys(writer, (const uint32_t[]){0}, 1);
    require_ok(rowset_writer_seal(writer, "rowset", &sealed));
    file_close(sealed.file);
    heap_free(sealed.footer);
    write_file(place.system, name);
    rowset_writer_destroy(writer);
    heap_free(block);
    simulated_files_destroy(files);
}

static void seed_files(EncodeContext *context)
{
    static const SeedBlock one[] = {{BIGINT, ENCODING_AUTO, SHAPE_CONSTANT, NULLS_NONE, 5, 0}};
    static const SeedBlock three[] = {{DATE, ENCODING_AUTO, SHAPE_SORTED, NULLS_NONE, 20, 0},
                                      {VARCHAR, ENCODING_AUTO, SHAPE_FEW_WIDE, NULLS_SOME, 20, 0},
                                      {DECIMAL, ENCODING_AUTO, SHAPE_CONSTANT, NULLS_SOME, 20, 0}};
    static const SeedBlock floats[] = {{DOUBLE, ENCODING_AUTO, SHAPE_CONSTANT, NULLS_NONE, 9, 0},
                                       {INTERVAL, ENCODING_AUTO, SHAPE_CONSTANT, NULLS_NONE, 9, 0},
                                       {VARCHAR, ENCODING_AUTO, SHAPE_SMALL, NULLS_ALL, 9, 0}};
    seed_file(context, one, 1, 1, "file_one");
    seed_file(context, three, 3, 2, "file_three");
    seed_file(context, floats, 3, 1, "file_floats");
}

void seed_blocks(void)
{
    PagePool *pool;
    EncodeContext context;
    require_ok(page_pool_create(&pool, (size_t)256 << 20));
    MemoryBudget *budget = memory_budget_create(pool, NULL, "seeds", 0);
    EncodedBlock *block = heap_alloc(sizeof *block);
    require_ok(encode_context_init(&context, budget));
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        seed_block(&context, &blocks[i], block);
    }
    seed_files(&context);
    heap_free(block);
    encode_context_deinit(&context);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}
