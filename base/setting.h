/*
 * setting.h — every setting of server and session from one list, settings.def.
 *
 * Scopes: PROCESS (configuration file and command line, at start only) and SESSION (SET/SHOW; the
 * configuration file gives the default). A SettingSet is a full set of values; sessions own one,
 * copied from the process's; a query carries the encoded differences to the nodes.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/byte_reader.h"

typedef enum SettingId {
#define SETTING(id, name, kind, scope, default_text, min, max, unit, help) SETTING_##id,
#include "base/settings.def"
#undef SETTING
    SETTING_COUNT
} SettingId;

typedef enum SettingKind {
    SETTING_KIND_BOOL,
    SETTING_KIND_INTEGER,
    SETTING_KIND_BYTES,    /* 64MB, 1GB; kB MB GB TB */
    SETTING_KIND_DURATION, /* kept in ms; ms s min h */
    SETTING_KIND_TEXT,
    SETTING_KIND_ENUM /* `unit` lists the words, separated by | ; kept as text */
} SettingKind;
typedef enum SettingScope { SETTING_SCOPE_PROCESS, SETTING_SCOPE_SESSION } SettingScope;

typedef struct SettingSet SettingSet;
/* A copy of `source`, or of the defaults when that is null. Null when memory is refused. */
SettingSet *setting_set_create(const SettingSet *source);
void setting_set_destroy(SettingSet *set);
/* 42704 for an unknown name, 22023 for a bad value (with the range), 55P02 for a PROCESS setting
 * when `is_session`. Names are case-insensitive. */
Status setting_set_text(SettingSet *set, const char *name, const char *text,
                        bool is_session) CHECKED;
/* To the values of `source` (null: the built-in defaults); a null name: ALL session settings. */
Status setting_reset(SettingSet *set, const SettingSet *source, const char *name) CHECKED;
bool setting_find(const char *name, SettingId *id);
int64_t setting_integer(const SettingSet *set, SettingId id); /* integers, bytes, ms */
bool setting_bool(const SettingSet *set, SettingId id);
/* Every kind, as SHOW prints it; borrowed until changed. */
const char *setting_text(const SettingSet *set, SettingId id);
const char *setting_name(SettingId id);
const char *setting_help(SettingId id);
SettingScope setting_scope(SettingId id);
/* Session values that differ from the built-in defaults, for shipping to nodes; decoding makes the
 * session values equal to the sender's. 08P01, 42704 or 22023 on bytes that make no sense. */
void setting_set_encode(const SettingSet *set, ByteBuffer *buffer);
Status setting_set_decode(SettingSet *set, ByteReader *reader) CHECKED;
/* Reads a configuration file (libconfuse): `name = value` lines from settings.def; F0000 names
 * the file and the offending line, and the set is untouched then. */
Status setting_load_file(SettingSet *set, const char *path) CHECKED;
