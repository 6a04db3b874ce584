/* setting_check.c — DateStyle, TimeZone, and settings that have one value. */
#include "leader/setting_check.h"

#include <string.h>
#include <strings.h>

#define DATE_STYLE_WORD_MAX 16

typedef enum WordKind { WORD_UNKNOWN, WORD_OURS, WORD_NOT_BUILT } WordKind;

static WordKind date_style_word(const char *word)
{
    static const char *const ours[] = {"iso", "mdy", "us", "noneuro", "noneuropean", "default"};
    static const char *const others[] = {"sql", "postgres", "postgresql", "german",
                                         "ymd", "dmy",      "euro",       "european"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
        if (strcasecmp(word, ours[i]) == 0) {
            return WORD_OURS;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (strcasecmp(word, others[i]) == 0) {
            return WORD_NOT_BUILT;
        }
    }
    return WORD_UNKNOWN;
}

static Status check_date_style(const char *text, const char **canonical)
{
    *canonical = "ISO, MDY";
    for (const char *at = text + strspn(text, ", "); *at != '\0'; at += strspn(at, ", ")) {
        size_t length = strcspn(at, ", ");
        char word[DATE_STYLE_WORD_MAX] = {0};
        memcpy(word, at, length < sizeof(word) ? length : sizeof(word) - 1);
        at += length;
        switch (date_style_word(word)) {
        case WORD_OURS:
            break;
        case WORD_NOT_BUILT:
            return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                "DateStyle \"%s\" is not built yet: there is ISO, MDY", text);
        case WORD_UNKNOWN:
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                                "invalid value for parameter \"DateStyle\": \"%s\"", text);
        }
    }
    return STATUS_OK;
}

static Status check_time_zone(const char *text, const char **canonical)
{
    static const char *const utc[] = {
        "utc",       "gmt",     "uct", "zulu", "z",      "etc/utc",   "etc/gmt", "etc/universal",
        "universal", "etc/uct", "0",   "+00",  "+00:00", "greenwich", "default"};
    *canonical = "UTC";
    for (size_t i = 0; i < sizeof(utc) / sizeof(*utc); i++) {
        if (strcasecmp(text, utc[i]) == 0) {
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                        "time zone \"%s\" is not built yet: sessions are in UTC", text);
}

static Status check_value(const char *name, const char *text, const char **canonical)
{
    static const char *const single[][2] = {{"bytea_output", "hex"}, {"intervalstyle", "postgres"}};
    *canonical = text;
    if (strcasecmp(name, "datestyle") == 0) {
        return check_date_style(text, canonical);
    }
    if (strcasecmp(name, "timezone") == 0) {
        return check_time_zone(text, canonical);
    }
    for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++) {
        bool is_name = strcasecmp(name, single[i][0]) == 0;
        bool is_other = strcasecmp(text, single[i][1]) != 0 && strcasecmp(text, "default") != 0;
        if (is_name && is_other) {
            return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                "%s other than %s is not built yet: \"%s\"", name, single[i][1],
                                text);
        }
    }
    return STATUS_OK;
}

Status setting_set_checked(SettingSet *settings, const char *name, const char *text)
{
    const char *canonical = text;
    TRY(check_value(name, text, &canonical));
    TRY(setting_set_text(settings, name, canonical, true));
    if (!setting_bool(settings, SETTING_STANDARD_CONFORMING_STRINGS)) {
        TRY(setting_set_text(settings, name, "on", true));
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "%s = off is not built yet", name);
    }
    return STATUS_OK;
}
