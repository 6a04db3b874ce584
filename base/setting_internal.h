/* setting_internal.h — the description of a setting, and how its values are read and shown. */
#pragma once
#include "base/setting.h"

enum { SETTING_SHOWN_BYTES = 48 }; /* of a number with its unit */

typedef struct SettingInfo {
    const char *name;
    SettingKind kind;
    SettingScope scope;
    const char *default_text;
    int64_t min, max;  /* both 0: any */
    const char *words; /* of an ENUM, separated by | */
    const char *help;
} SettingInfo;

extern const SettingInfo setting_infos[SETTING_COUNT];

void setting_set_swap(SettingSet *left, SettingSet *right);

/* Reads `text` as PostgreSQL does: `*integer` for everything but TEXT; `*shown` points at what SHOW
 * prints: into `buffer`, at the info's own words, or at `text` itself. 22023 otherwise. */
Status setting_value_parse(const SettingInfo *info, const char *text, int64_t *integer,
                           char buffer[SETTING_SHOWN_BYTES], const char **shown) CHECKED;
