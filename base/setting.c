/*
 * setting.c — sets of values over the list settings.def.
 *
 * A set keeps of each setting the number and the text that SHOW prints. Texts are shared with the
 * defaults, which live as long as the process, until they are changed.
 */
#include "base/setting.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/heap.h"
#include "base/setting_internal.h"

enum { SETTING_NAME_BYTES_MAX = 64, SETTING_TEXT_BYTES_MAX = 4096 };

typedef struct SettingValue {
    int64_t integer;
    const char *text; /* `owned` or a default's */
    char *owned;
} SettingValue;

struct SettingSet {
    SettingValue values[SETTING_COUNT];
};

const SettingInfo setting_infos[SETTING_COUNT] = {
#define SETTING(id, name_text, kind_word, scope_word, default_value, low, high, unit, help_text)   \
    [SETTING_##id] = {.name = (name_text),                                                         \
                      .kind = SETTING_KIND_##kind_word,                                            \
                      .scope = SETTING_SCOPE_##scope_word,                                         \
                      .default_text = (default_value),                                             \
                      .min = (low),                                                                \
                      .max = (high),                                                               \
                      .words = (unit),                                                             \
                      .help = (help_text)},
#include "base/settings.def"
#undef SETTING
};

/* The built-in defaults, parsed once; what they show is in `default_shown`. */
static SettingSet default_set;
static char default_shown[SETTING_COUNT][SETTING_SHOWN_BYTES];
static pthread_once_t default_once = PTHREAD_ONCE_INIT;

static void defaults_parse(void)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        SettingValue *value = &default_set.values[i];
        Status status = setting_value_parse(&setting_infos[i], setting_infos[i].default_text,
                                            &value->integer, default_shown[i], &value->text);
        ASSERT(status == STATUS_OK); // a line of settings.def that contradicts itself
    }
}

static const SettingSet *defaults(void)
{
    pthread_once(&default_once, defaults_parse);
    return &default_set;
}

// `text` is copied unless it is the default's own.
static Status value_assign(SettingSet *set, SettingId id, int64_t integer, const char *text)
{
    const SettingValue *builtin = &defaults()->values[id];
    char *owned = NULL;
    if (text != builtin->text) {
        owned = heap_strdup(text);
        if (owned == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for setting \"%s\"",
                                setting_infos[id].name);
        }
    }
    heap_free(set->values[id].owned);
    set->values[id] =
        (SettingValue){.integer = integer, .text = owned != NULL ? owned : text, .owned = owned};
    return STATUS_OK;
}

SettingSet *setting_set_create(const SettingSet *source)
{
    SettingSet *set = heap_alloc_zeroed(sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    const SettingSet *origin = source != NULL ? source : defaults();
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const SettingValue *value = &origin->values[i];
        Status status = value_assign(set, (SettingId)i, value->integer, value->text);
        if (status != STATUS_OK) {
            status_ignore(status, "a refused set is a null");
            setting_set_destroy(set);
            return NULL;
        }
    }
    return set;
}

void setting_set_destroy(SettingSet *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        heap_free(set->values[i].owned);
    }
    heap_free(set);
}

void setting_set_swap(SettingSet *left, SettingSet *right)
{
    SettingSet kept = *left;
    *left = *right;
    *right = kept;
}

static Status find_or_fail(const char *name, SettingId *id)
{
    if (setting_find(name, id)) {
        return STATUS_OK;
    }
    return status_error(SQLSTATE_UNDEFINED_OBJECT, "unrecognized configuration parameter \"%s\"",
                        name);
}

static Status check_scope(SettingId id, bool is_session)
{
    if (is_session && setting_infos[id].scope == SETTING_SCOPE_PROCESS) {
        return status_error(SQLSTATE_CANT_CHANGE_RUNTIME_PARAM,
                            "parameter \"%s\" cannot be changed without restarting the server",
                            setting_infos[id].name);
    }
    return STATUS_OK;
}

// The one character set: any of its names is taken and shown as PostgreSQL shows it.
static Status check_client_encoding(const char **text)
{
    static const char *const names[] = {"UTF8", "UTF-8", "UNICODE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(*text, names[i]) == 0) {
            *text = names[0];
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                        "invalid value for parameter \"client_encoding\": \"%s\"", *text);
}

static Status set_by_id(SettingSet *set, SettingId id, const char *text)
{
    const SettingInfo *info = &setting_infos[id];
    if (strlen(text) > SETTING_TEXT_BYTES_MAX) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "value for parameter \"%s\" is longer than %d bytes", info->name,
                            SETTING_TEXT_BYTES_MAX);
    }
    char buffer[SETTING_SHOWN_BYTES];
    int64_t integer;
    const char *shown;
    if (id == SETTING_CLIENT_ENCODING) {
        TRY(check_client_encoding(&text));
    }
    TRY(setting_value_parse(info, text, &integer, buffer, &shown));
    return value_assign(set, id, integer, shown);
}

Status setting_set_text(SettingSet *set, const char *name, const char *text, bool is_session)
{
    SettingId id;
    TRY(find_or_fail(name, &id));
    TRY(check_scope(id, is_session));
    return set_by_id(set, id, text);
}

static Status value_copy(SettingSet *set, const SettingSet *source, SettingId id)
{
    const SettingValue *value = &source->values[id];
    return value_assign(set, id, value->integer, value->text);
}

Status setting_reset(SettingSet *set, const SettingSet *source, const char *name)
{
    const SettingSet *origin = source != NULL ? source : defaults();
    if (name != NULL) {
        SettingId id;
        TRY(find_or_fail(name, &id));
        TRY(check_scope(id, true));
        return value_copy(set, origin, id);
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (setting_infos[i].scope == SETTING_SCOPE_SESSION) {
            TRY(value_copy(set, origin, (SettingId)i));
        }
    }
    return STATUS_OK;
}

bool setting_find(const char *name, SettingId *id)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcasecmp(setting_infos[i].name, name) == 0) {
            *id = (SettingId)i;
            return true;
        }
    }
    return false;
}

int64_t setting_integer(const SettingSet *set, SettingId id)
{
    return set->values[id].integer;
}

bool setting_bool(const SettingSet *set, SettingId id)
{
    DEBUG_ASSERT(setting_infos[id].kind == SETTING_KIND_BOOL);
    return set->values[id].integer != 0;
}

const char *setting_text(const SettingSet *set, SettingId id)
{
    return set->values[id].text;
}

const char *setting_name(SettingId id)
{
    return setting_infos[id].name;
}

const char *setting_help(SettingId id)
{
    return setting_infos[id].help;
}

SettingScope setting_scope(SettingId id)
{
    return setting_infos[id].scope;
}

// SESSION settings only: what one process may use is not another's business. By name, so that a
// node of another release can tell what it does not know.
static bool is_shipped(const SettingSet *set, size_t i)
{
    return setting_infos[i].scope == SETTING_SCOPE_SESSION &&
           strcmp(set->values[i].text, defaults()->values[i].text) != 0;
}

void setting_set_encode(const SettingSet *set, ByteBuffer *buffer)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        count += is_shipped(set, i);
    }
    byte_buffer_add_varint(buffer, count);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (is_shipped(set, i)) {
            byte_buffer_add_string(buffer, setting_infos[i].name);
            byte_buffer_add_string(buffer, set->values[i].text);
        }
    }
}

static bool read_text(ByteReader *reader, char *text, size_t bytes_max)
{
    size_t bytes;
    const uint8_t *view = byte_reader_blob(reader, &bytes);
    if (view == NULL || bytes > bytes_max || (bytes > 0 && memchr(view, 0, bytes) != NULL)) {
        byte_reader_fail(reader);
        return false;
    }
    memcpy(text, view, bytes);
    text[bytes] = '\0';
    return true;
}

Status setting_set_decode(SettingSet *set, ByteReader *reader)
{
    TRY(setting_reset(set, NULL, NULL));
    uint32_t count = byte_reader_count(reader, 2);
    for (uint32_t i = 0; i < count; i++) {
        char name[SETTING_NAME_BYTES_MAX + 1];
        char text[SETTING_TEXT_BYTES_MAX + 1];
        if (!read_text(reader, name, SETTING_NAME_BYTES_MAX) ||
            !read_text(reader, text, SETTING_TEXT_BYTES_MAX)) {
            break;
        }
        TRY(setting_set_text(set, name, text, true));
    }
    if (!byte_reader_is_ok(reader)) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "encoded settings are malformed");
    }
    return STATUS_OK;
}
