/*
 * fuzz_block_decode.c — any bytes as a column block, or as a rowset file with its blocks.
 *
 * The first byte chooses: the type of the one block, or a file. Of a file the last 64 bytes are the
 * trailer; zeroes are put before it, so that it ends where files end, and bit 0 of its flags makes
 * the file end a byte before its size. Checksums are made right: a
 * fuzzer cannot guess them, and a decoder must survive what they let through.
 *
 * Promised of what opens: every value of every vector is one of its type and within the bounds it
 * comes with; a few rows decode to what the whole vector says; filters agree with the values.
 */
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "storage/block_filter.h"
#include "storage/rowset_reader.h"
#include "storage/zone_map.h"
#include "tests/fuzz/fuzz.h"

static const Type types[] = {
    {.id = TYPE_BIGINT},   {.id = TYPE_DATE},
    {.id = TYPE_BOOLEAN},  {.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
    {.id = TYPE_DOUBLE},   {.id = TYPE_REAL},
    {.id = TYPE_INTERVAL}, {.id = TYPE_VARCHAR, .length = 96},
};
enum { TYPE_CHOICES = sizeof types / sizeof types[0], FILE_CHOICE = TYPE_CHOICES };
#define BYTES_MAX ((size_t)256 << 10)
#define VECTORS_READ_MAX 3u /* of a block; 64 of them would take the fuzzer's time */

static MemoryBudget *budget;

static void require_damage(Status owned_status)
{
    require(status_sqlstate(owned_status) == SQLSTATE_DATA_CORRUPTED);
    status_free(owned_status);
}

/* ---- the values of a vector ---- */

static void check_value(const Vector *vector, const Value *value)
{
    if (value->is_null) {
        return;
    }
    if (type_is_text(value->type)) {
        require(value->text.length <= VARCHAR_BYTES_MAX);
        (void)hash_bytes(text_view_data(&value->text), value->text.length, 0); // reads all of it
    } else if (type_is_scaled_integer(value->type)) {
        require(value->i64 >= vector->lo && value->i64 <= vector->hi);
        require(value->i64 >= type_int64_min(value->type));
        require(value->i64 <= type_int64_max(value->type));
    }
}

/* The first, the middle and the last row, decoded apart. */
static void check_selection(const Block *block, uint32_t number, const Vector *whole,
                            DecodeBuffer *buffer)
{
    const uint32_t rows = block_vector_rows(block, number);
    const uint16_t all[3] = {0, (uint16_t)(rows / 2), (uint16_t)(rows - 1)};
    const uint32_t count = rows < 3 ? 1 : 3;
    Vector some;
    // Where the codes of a group of rows start is believed: a few rows may show other damage.
    const bool is_believed =
        block->encoding->id == ENCODING_FSST || block->encoding->id == ENCODING_PHRASES;
    Status status = block->encoding->decode(block, number, all, count, buffer, &some);
    if (status != STATUS_OK) {
        require(is_believed);
        require_damage(status);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const Value left = vector_value(whole, all[i]), right = vector_value(&some, all[i]);
        check_value(&some, &right);
        require(is_believed || value_equal(&left, &right));
    }
}

/* Rows at most `bound`. */
static void check_filter(const Block *block, uint32_t number, const Vector *whole, Value bound,
                         DecodeBuffer *buffer)
{
    static uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / sizeof(uint64_t)];
    const uint32_t rows = block_vector_rows(block, number);
    const Predicate predicate = {
        .kind = PREDICATE_RANGE, .type = block->type, .has_hi = true, .hi = bound};
    if (bound.is_null || block->type.id == TYPE_INTERVAL) {
        return;
    }
    // Whether rows ascend, a dictionary is sorted or text ends in blanks is believed.
    const bool is_believed =
        whole->is_ascending || block->has_dictionary || type_is_text(block->type);
    BlockFilter filter = {.bitmap = bitmap};
    RowMask mask, all;
    Vector decoded;
    bool is_decoded = false;
    row_mask_set_first(&mask, rows);
    row_mask_set_first(&all, rows);
    Predicate lookup = predicate;
    lookup.has_lo = true;
    lookup.lo = bound;
    block_filter_prepare(block, &lookup, &filter);
    block_filter_prepare(block, &predicate, &filter);
    Status status =
        block_filter_apply(block, number, &filter, buffer, &decoded, &is_decoded, &mask);
    if (status != STATUS_OK) {
        require(block->encoding->id == ENCODING_FSST || block->encoding->id == ENCODING_PHRASES);
        require_damage(status);
    }
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        require((mask.words[i] & ~all.words[i]) == 0);
    }
    for (uint32_t row = 0; row < rows && !is_believed; row++) {
        const Value value = vector_value(whole, row);
        const bool is_wanted = !value.is_null && predicate_accepts(&predicate, &value);
        require(validity_get(mask.words, row) == is_wanted);
    }
}

/* The base of differences: days, in lanes as wide as the column's id says. */
static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t number,
                        const Vector **out)
{
    static _Alignas(64) uint64_t lanes[VECTOR_ROWS];
    static Vector vector;
    (void)reader;
    if (column_id == 1) {
        return block_damaged(block, "differences from a column that is not there");
    }
    const Lane lane = (Lane)(column_id % 4);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        const uint64_t day = (number * 31 + i * 7) % 200;
        memcpy((uint8_t *)lanes + i * lane_bytes(lane), &day, lane_bytes(lane));
    }
    vector = (Vector){.type = block->type,
                      .lane = (uint8_t)lane,
                      .form = VECTOR_FLAT,
                      .lo = 0,
                      .hi = 199,
                      .data = lanes};
    *out = &vector;
    return STATUS_OK;
}

static void decode_all(const Block *block)
{
    BaseReader bases = {.read = read_base};
    DecodeBuffer buffer, other;
    require(decode_buffer_init(&buffer, budget) == STATUS_OK);
    require(decode_buffer_init(&other, budget) == STATUS_OK);
    buffer.bases = other.bases = &bases;
    for (uint32_t v = 0; v < block->vector_count && v < VECTORS_READ_MAX; v++) {
        const uint32_t number = v + 1 < VECTORS_READ_MAX ? v : block->vector_count - 1;
        Vector vector;
        Status status = block->encoding->decode(block, number, NULL, 0, &buffer, &vector);
        if (status != STATUS_OK) {
            require_damage(status);
            continue;
        }
        for (uint32_t row = 0; row < block_vector_rows(block, number); row++) {
            const Value value = vector_value(&vector, row);
            check_value(&vector, &value);
        }
        check_selection(block, number, &vector, &other);
        Value bound = vector_value(&vector, block_vector_rows(block, number) / 2);
        check_filter(block, number, &vector, bound, &other);
        if (type_is_scaled_integer(block->type) && vector.lo > INT64_MIN) {
            bound = value_int64(block->type, vector.lo - 1); // below all that the vector says
            check_filter(block, number, &vector, bound, &other);
        }
    }
    plant(block->encoding->id == ENCODING_RAW && block->row_count < 64);
    decode_buffer_deinit(&buffer);
    decode_buffer_deinit(&other);
}

/* ---- a block ---- */

static void open_block(const void *bytes, size_t byte_count, const BlockIdentity *identity,
                       Type type)
{
    Block block;
    uint8_t *copy = aligned_alloc(FORMAT_ALIGNMENT, byte_count); // nothing is readable behind it
    require(copy != NULL);
    memcpy(copy, bytes, byte_count);
    if (byte_count >= sizeof(BlockHeader)) {
        BlockHeader *header = (BlockHeader *)(void *)copy;
        header->checksum = block_checksum(copy, byte_count, identity);
    }
    Status status = block_open(copy, byte_count, identity, type, budget, &block);
    if (status == STATUS_OK) {
        decode_all(&block);
        block_close(&block);
    } else {
        require_damage(status);
    }
    free(copy);
}

static void fuzz_block(uint8_t *data, size_t bytes, Type type)
{
    const BlockIdentity identity = {.cluster = 1, .table_id = 2, .rowset_id = 3, .column_id = 4};
    BlockHeader header;
    bytes &= ~(size_t)(FORMAT_ALIGNMENT - 1);
    if (bytes < sizeof header) {
        return;
    }
    memcpy(&header, data, sizeof header);
    header.magic = BLOCK_MAGIC;
    header.version = FORMAT_VERSION;
    header.encryption = 0;
    header.cluster = identity.cluster;
    header.table_id = identity.table_id;
    header.rowset_id = identity.rowset_id;
    header.column_id = identity.column_id;
    header.row_group = 0;
    header.block_bytes = (uint32_t)bytes;
    memcpy(data, &header, sizeof header);
    open_block(data, bytes, &identity, type);
}

/* ---- a rowset file ---- */

typedef struct MemoryFile {
    File file;
    const uint8_t *data;
    size_t bytes, readable_bytes;
} MemoryFile;

static MemoryFile memory_file;

static Status memory_file_open(FileSystem *self, const char *path, uint32_t flags, File **out)
{
    (void)path, (void)flags;
    memory_file.file = (File){.system = self};
    *out = &memory_file.file;
    return STATUS_OK;
}

static void memory_file_close(File *file)
{
    (void)file;
}

static Status memory_file_read(File *file, void *data, size_t bytes, uint64_t offset,
                               size_t *read_bytes)
{
    const MemoryFile *self = (const MemoryFile *)file;
    const size_t end = self->readable_bytes, left = offset < end ? end - (size_t)offset : 0;
    *read_bytes = bytes < left ? bytes : left;
    if (*read_bytes > 0) {
        memcpy(data, self->data + offset, *read_bytes);
    }
    return STATUS_OK;
}

static Status memory_file_size(File *file, uint64_t *bytes)
{
    *bytes = ((const MemoryFile *)file)->bytes;
    return STATUS_OK;
}

static void read_blocks(Rowset *rowset, const RowsetFooter *footer)
{
    ByteBuffer text;
    byte_buffer_init(&text, (size_t)1 << 20);
    for (uint32_t c = 0; c < footer->header->column_count; c++) {
        const Type type = rowset_footer_type(footer, c);
        require(type_is_valid(type));
        require(rowset_footer_column(footer, footer->columns[c].column_id) <= (int32_t)c);
        require(!rowset_footer_has_lookups(footer, footer->columns[c].column_id) ||
                footer->lookup_count > 0);
        for (uint32_t g = 0; g < footer->header->row_group_count; g++) {
            const size_t index = rowset_footer_block(footer, c, g);
            const BlockIdentity identity = rowset_block_identity(rowset, footer, c, g);
            FilePiece piece;
            require(footer->zones[index].row_count == footer->row_group_rows[g]);
            zone_record_print(&footer->zones[index], type, &text);
            require(rowset_read_blocks(rowset, c, g, 1, &piece) == STATUS_OK);
            open_block(piece.data, footer->locations[index].bytes, &identity, type);
            file_piece_free(&piece, budget);
        }
    }
    byte_buffer_deinit(&text);
}

/* The file of the input: its bytes, zeroes, its trailer with the right length and checksum. */
static uint8_t *make_file(const uint8_t *data, size_t bytes)
{
    RowsetTrailer trailer;
    const size_t body_bytes = bytes - sizeof trailer;
    const size_t file_bytes =
        (bytes + FORMAT_FILE_ALIGNMENT - 1) & ~(size_t)(FORMAT_FILE_ALIGNMENT - 1);
    uint8_t *file = heap_alloc_zeroed(file_bytes);
    require(file != NULL);
    memcpy(file, data, body_bytes);
    memcpy(&trailer, data + body_bytes, sizeof trailer);
    trailer.file_bytes = file_bytes;
    trailer.checksum = 0;
    uint8_t *end = file + file_bytes - sizeof trailer;
    memcpy(end, &trailer, sizeof trailer);
    if (trailer.footer_offset < file_bytes) {
        trailer.checksum =
            hash_bytes(file + trailer.footer_offset, file_bytes - trailer.footer_offset, 1 ^ 3);
        memcpy(end, &trailer, sizeof trailer);
    }
    memory_file.data = file;
    memory_file.bytes = file_bytes;
    memory_file.readable_bytes = file_bytes - (trailer.flags & 1);
    return file;
}

static void fuzz_file(const uint8_t *data, size_t bytes)
{
    static const FileOps ops = {.open = memory_file_open,
                                .close = memory_file_close,
                                .read = memory_file_read,
                                .size = memory_file_size};
    static FileSystem system = {.ops = &ops};
    const RowsetIdentity identity = {.cluster = 1, .table_id = 2, .rowset_id = 3};
    const RowsetFooter *footer;
    Rowset *rowset;
    if (bytes < sizeof(RowsetTrailer)) {
        return;
    }
    uint8_t *file = make_file(data, bytes);
    require(rowset_create(&system, "rowset", &identity, budget, &rowset) == STATUS_OK);
    Status status = rowset_footer(rowset, &footer);
    if (status == STATUS_OK) {
        read_blocks(rowset, footer);
    } else {
        require_damage(status);
    }
    rowset_destroy(rowset);
    heap_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static PagePool *pool;
    if (pool == NULL) {
        status_ignore(page_pool_create(&pool, (size_t)256 << 20), "checked below");
        require(pool != NULL);
        budget = memory_budget_create(pool, NULL, "fuzz", 0);
    }
    if (bytes < 2 || bytes > BYTES_MAX) {
        return 0;
    }
    const uint32_t choice = data[0] % (FILE_CHOICE + 1);
    uint8_t *copy = heap_alloc(bytes - 1); // its own memory, since it is changed
    require(copy != NULL);
    memcpy(copy, data + 1, bytes - 1);
    if (choice == FILE_CHOICE) {
        fuzz_file(copy, bytes - 1);
    } else {
        fuzz_block(copy, bytes - 1, types[choice]);
    }
    heap_free(copy);
    require(memory_budget_used_bytes(budget) == 0);
    return 0;
}
