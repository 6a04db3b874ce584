/*
 * fuzz_value_parse.c — any bytes as the text of a value: what parses must print, and what it prints
 * must parse to an equal value.
 */
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/text_format.h"
#include "tests/fuzz/fuzz.h"

static const Type types[] = {
    {.id = TYPE_BOOLEAN},
    {.id = TYPE_SMALLINT},
    {.id = TYPE_BIGINT},
    {.id = TYPE_DECIMAL, .precision = 12, .scale = 2},
    {.id = TYPE_DECIMAL, .precision = 38, .scale = 10},
    {.id = TYPE_REAL},
    {.id = TYPE_DOUBLE},
    {.id = TYPE_CHAR, .length = 8},
    {.id = TYPE_VARCHAR, .length = 20},
    {.id = TYPE_DATE},
    {.id = TYPE_TIMESTAMP},
    {.id = TYPE_INTERVAL},
};
#define TYPE_CHOICES (sizeof types / sizeof types[0])

static void check_casts(const Value *value, Arena *arena)
{
    for (size_t i = 0; i < TYPE_CHOICES; i++) {
        Value out;
        status_ignore(value_cast(value, types[i], true, arena, &out), "only its memory matters");
    }
}

/* Offsets of valid UTF-8 lie between characters; of other bytes only within the text. */
static void check_characters(const char *text, size_t bytes)
{
    size_t length = utf8_length(text, bytes), clipped = utf8_clip(text, bytes, bytes / 2);
    require(length <= bytes && clipped <= bytes / 2 && utf8_offset(text, bytes, length) <= bytes);
    if (utf8_is_valid(text, bytes)) {
        require(utf8_offset(text, bytes, length) == bytes);
        require(utf8_is_valid(text, clipped));
        require(utf8_is_valid(text, utf8_offset(text, bytes, length / 2)));
    }
}

static void check_words(const char *text, size_t bytes)
{
    int64_t us;
    DateField field;
    if (datetime_word_parse(text, bytes, US_PER_DAY / 2, &us)) {
        require(us >= -US_PER_DAY && us <= US_PER_DAY);
    }
    if (date_field_parse(text, bytes, &field)) {
        require(field < DATE_FIELD_COUNT && date_field_name(field) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    Arena *arena = arena_create(NULL, "fuzz");
    Type type = types[data[0] % TYPE_CHOICES];
    char *text = arena_memdup(arena, data + 1, bytes - 1);
    Value value, again;
    Status status = value_parse(text, bytes - 1, type, arena, &value);
    check_characters(text, bytes - 1);
    check_words(text, bytes - 1);
    if (status == STATUS_OK) {
        ByteBuffer printed;
        byte_buffer_init(&printed, (size_t)1 << 20);
        value_print(&value, &printed);
        require(value_parse((const char *)printed.data, printed.bytes, type, arena, &again) ==
                STATUS_OK);
        require(value_equal(&value, &again));
        byte_buffer_deinit(&printed);
        plant(type.id == TYPE_INTERVAL && value.interval.months < -24 && value.interval.us > 0);
        check_casts(&value, arena);
    }
    status_free(status);
    arena_destroy(arena);
    return 0;
}
