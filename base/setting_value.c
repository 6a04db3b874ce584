/*
 * setting_value.c — values of settings as text: read and shown as PostgreSQL does (guc.c).
 *
 *   "1.5GB" -> 1610612736 -> shown "1536MB"       "90 s" -> 90000 -> shown "90s"      "tr" -> on
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/setting_internal.h"

typedef struct SettingUnit {
    const char *name;
    double scale; /* base units in one of these */
} SettingUnit;

/* Largest first: SHOW takes the first that divides without a rest. */
static const SettingUnit byte_units[] = {
    {"TB", 1099511627776.0}, {"GB", 1073741824.0}, {"MB", 1048576.0}, {"kB", 1024.0}, {"B", 1.0},
};
static const SettingUnit duration_units[] = {
    {"d", 86400000.0}, {"h", 3600000.0}, {"min", 60000.0},
    {"s", 1000.0},     {"ms", 1.0},      {"us", 0.001},
};

static Status parse_bool(const SettingInfo *info, const char *text, int64_t *integer);
static Status parse_number(const SettingInfo *info, const char *text, int64_t *integer);
static Status parse_word(const SettingInfo *info, const char *text, char *buffer, int64_t *integer);
static void show_number(const SettingInfo *info, int64_t value, char buffer[SETTING_SHOWN_BYTES]);

Status setting_value_parse(const SettingInfo *info, const char *text, int64_t *integer,
                           char buffer[SETTING_SHOWN_BYTES], const char **shown)
{
    switch (info->kind) {
    case SETTING_KIND_BOOL:
        TRY(parse_bool(info, text, integer));
        *shown = *integer != 0 ? "on" : "off";
        return STATUS_OK;
    case SETTING_KIND_INTEGER:
    case SETTING_KIND_BYTES:
    case SETTING_KIND_DURATION:
        TRY(parse_number(info, text, integer));
        show_number(info, *integer, buffer);
        *shown = buffer;
        return STATUS_OK;
    case SETTING_KIND_ENUM:
        TRY(parse_word(info, text, buffer, integer));
        *shown = buffer;
        return STATUS_OK;
    case SETTING_KIND_TEXT:
        break;
    }
    *integer = 0;
    *shown = text;
    return STATUS_OK;
}

static Status invalid_value(const SettingInfo *info, const char *text)
{
    return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                        "invalid value for parameter \"%s\": \"%s\"", info->name, text);
}

// Any beginning of true, false, yes, no; on, of, off; 1, 0. "o" alone could be both.
static Status parse_bool(const SettingInfo *info, const char *text, int64_t *integer)
{
    static const struct {
        const char *word;
        size_t bytes_min;
        bool value;
    } words[] = {
        {"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
        {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false},
    };
    size_t bytes = strlen(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (bytes >= words[i].bytes_min && bytes <= strlen(words[i].word) &&
            strncasecmp(text, words[i].word, bytes) == 0) {
            *integer = words[i].value;
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                        "parameter \"%s\" requires a Boolean value", info->name);
}

static const SettingUnit *units_of(const SettingInfo *info, size_t *count)
{
    switch (info->kind) {
    case SETTING_KIND_BYTES:
        *count = sizeof byte_units / sizeof *byte_units;
        return byte_units;
    case SETTING_KIND_DURATION:
        *count = sizeof duration_units / sizeof *duration_units;
        return duration_units;
    default:
        *count = 0;
        return NULL;
    }
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\n\r\f\v");
}

static Status unknown_unit(const SettingInfo *info, const char *text)
{
    Status status = invalid_value(info, text);
    switch (info->kind) {
    case SETTING_KIND_BYTES:
        return status_with_hint(
            status, "valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"");
    case SETTING_KIND_DURATION:
        return status_with_hint(status, "valid units for this parameter are \"us\", \"ms\", "
                                        "\"s\", \"min\", \"h\", and \"d\"");
    default:
        return status;
    }
}

static Status out_of_range(const SettingInfo *info, const char *text)
{
    Status status = invalid_value(info, text);
    return status_with_detail(status, "the value must lie between %ld and %ld", info->min,
                              info->max);
}

// Whole numbers exactly, in base 10, 8 (0…) or 16 (0x…); numbers with a fraction, an exponent or a
// unit through double, rounded to whole base units.
static Status parse_number(const SettingInfo *info, const char *text, int64_t *integer)
{
    char *end;
    errno = 0;
    double scaled = 0;
    bool is_whole = true;
    int64_t value = strtoll(text, &end, 0);
    bool is_hexadecimal = strpbrk(text, "xX") != NULL;
    if (*end == '.' || (!is_hexadecimal && (*end == 'e' || *end == 'E')) || errno == ERANGE) {
        errno = 0;
        scaled = strtod(text, &end);
        is_whole = false;
    }
    if (end == text || errno == ERANGE || isnan(scaled)) {
        return invalid_value(info, text);
    }
    const char *unit = skip_blanks(end);
    size_t unit_bytes = strcspn(unit, " \t\n\r\f\v");
    if (*skip_blanks(unit + unit_bytes) != '\0') {
        return invalid_value(info, text);
    }
    if (unit_bytes > 0) {
        size_t count;
        const SettingUnit *units = units_of(info, &count);
        size_t i = 0;
        while (i < count && (strlen(units[i].name) != unit_bytes ||
                             memcmp(units[i].name, unit, unit_bytes) != 0)) {
            i++;
        }
        if (i == count) {
            return unknown_unit(info, text);
        }
        scaled = (is_whole ? (double)value : scaled) * units[i].scale;
        is_whole = false;
    }
    if (!is_whole) {
        scaled = rint(scaled);
        // 2^63 is exact as a double; whatever is below it fits.
        if (!(scaled >= -9223372036854775808.0 && scaled < 9223372036854775808.0)) {
            return out_of_range(info, text);
        }
        value = (int64_t)scaled;
    }
    bool has_range = info->min != 0 || info->max != 0;
    if (has_range && (value < info->min || value > info->max)) {
        return out_of_range(info, text);
    }
    *integer = value;
    return STATUS_OK;
}

static Status parse_word(const SettingInfo *info, const char *text, char *buffer, int64_t *integer)
{
    size_t text_bytes = strlen(text);
    int64_t index = 0;
    for (const char *word = info->words;; index++) {
        size_t bytes = strcspn(word, "|");
        if (bytes == text_bytes && bytes < SETTING_SHOWN_BYTES &&
            strncasecmp(word, text, bytes) == 0) {
            memcpy(buffer, word, bytes);
            buffer[bytes] = '\0';
            *integer = index;
            return STATUS_OK;
        }
        if (word[bytes] == '\0') {
            break;
        }
        word += bytes + 1;
    }
    char words[256];
    size_t used = 0;
    for (const char *byte = info->words; *byte != '\0' && used + 3 < sizeof words; byte++) {
        words[used++] = *byte == '|' ? ',' : *byte;
        if (*byte == '|') {
            words[used++] = ' ';
        }
    }
    words[used] = '\0';
    return status_with_hint(invalid_value(info, text), "available values: %s", words);
}

static void show_number(const SettingInfo *info, int64_t value, char buffer[SETTING_SHOWN_BYTES])
{
    size_t count;
    const SettingUnit *units = units_of(info, &count);
    for (size_t i = 0; i < count && value != 0; i++) {
        if (units[i].scale >= 1 && value % (int64_t)units[i].scale == 0) {
            snprintf(buffer, SETTING_SHOWN_BYTES, "%ld%s", value / (int64_t)units[i].scale,
                     units[i].name);
            return;
        }
    }
    snprintf(buffer, SETTING_SHOWN_BYTES, "%ld", value);
}
