/*
 * setting_file.c — the configuration file, read by libconfuse.
 *
 * libconfuse reports through callbacks without an object of ours, so the load in progress is a
 * thread's variable. Each value is checked while it is parsed, when the line is still known.
 */
#include <confuse.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/io/file.h"
#include "base/mutex.h"
#include "base/setting_internal.h"

enum { CONFIG_FILE_BYTES_MAX = 1 << 20, QUOTED_LINE_BYTES_MAX = 200 };

typedef struct Load {
    const char *path;
    const char *text; /* of the whole file */
    SettingSet *set;
    Status status; /* the first error */
} Load;

static _Thread_local Load *current_load;

/* libconfuse's lexer is one per process. */
static Mutex lexer_mutex = MUTEX_STATIC(MUTEX_RANK_SERVER);

// "config_file_error" for any cause; the cause's own words stay in message and hint.
static void load_fail(Load *load, int line, const char *message, const char *hint)
{
    if (load->status != STATUS_OK) {
        return;
    }
    const char *start = load->text;
    for (int i = 1; i < line && start != NULL; i++) {
        start = strchr(start, '\n');
        start = start != NULL ? start + 1 : NULL;
    }
    start = start != NULL ? start : "";
    size_t bytes = strcspn(start, "\r\n");
    bytes = bytes < QUOTED_LINE_BYTES_MAX ? bytes : QUOTED_LINE_BYTES_MAX;
    load->status = status_error(SQLSTATE_CONFIG_FILE_ERROR, "%s:%d: %s", load->path, line, message);
    load->status = status_with_detail(load->status, "line %d is: %.*s", line, (int)bytes, start);
    if (hint[0] != '\0') {
        load->status = status_with_hint(load->status, "%s", hint);
    }
}

static void load_error(cfg_t *cfg, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static void load_error(cfg_t *cfg, const char *format, va_list arguments)
{
    char message[512];
    vsnprintf(message, sizeof message, format, arguments);
    load_fail(current_load, cfg->line, message, "");
}

static int validate_option(cfg_t *cfg, cfg_opt_t *option)
{
    Load *load = current_load;
    const char *text = cfg_opt_getstr(option);
    Status status = setting_set_text(load->set, option->name, text != NULL ? text : "", false);
    if (status == STATUS_OK) {
        return 0;
    }
    load_fail(load, cfg->line, status_message(status), status_hint(status));
    status_free(status);
    return -1;
}

// Where the quoted string or comment that begins at `text` ends: behind it, or at the text's zero.
static char *piece_end(char *text, bool *is_closed)
{
    char *end;
    *is_closed = true;
    if (*text == '#' || (*text == '/' && text[1] == '/')) {
        return text + strcspn(text, "\n");
    }
    if (*text == '/') {
        end = strstr(text + 2, "*/");
        *is_closed = end != NULL;
        return end != NULL ? end + 2 : text + strlen(text);
    }
    for (end = text + 1; *end != '\0' && *end != *text; end++) {
        end += *end == '\\' && end[1] != '\0';
    }
    *is_closed = *end != '\0';
    return end + *is_closed;
}

// libconfuse loses count of lines at comments, and takes one that never ends, or a string, for the
// end of the file. So it gets the text with blanks for comments: # anywhere, // before a word, /*.
static void blank_comments(Load *load, char *text)
{
    int line = 1;
    char before = '\n';
    while (*text != '\0') {
        bool is_quote = *text == '"' || *text == '\'';
        bool is_comment = *text == '#' || (*text == '/' && text[1] == '*') ||
                          (*text == '/' && text[1] == '/' && strchr(" \t\r\n=", before) != NULL);
        if (!is_quote && !is_comment) {
            line += *text == '\n';
            before = *text++;
            continue;
        }
        bool is_closed;
        char *end = piece_end(text, &is_closed);
        if (!is_closed) {
            load_fail(load, line, "a string or comment does not end", "");
            return;
        }
        for (; text < end; text++) {
            line += *text == '\n';
            if (is_comment && *text != '\n') {
                *text = ' ';
            }
        }
        before = ' ';
    }
}

static Status load_parse(Load *load, const char *plain)
{
    cfg_opt_t options[SETTING_COUNT + 1];
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        options[i] = (cfg_opt_t)CFG_STR(setting_infos[i].name, NULL, CFGF_NONE);
    }
    options[SETTING_COUNT] = (cfg_opt_t)CFG_END();
    cfg_t *cfg = cfg_init(options, CFGF_NOCASE);
    if (cfg == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read \"%s\"", load->path);
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        cfg_set_validate_func(cfg, setting_infos[i].name, validate_option);
    }
    cfg_set_error_function(cfg, load_error);
    current_load = load;
    if (cfg_parse_buf(cfg, plain) != CFG_SUCCESS) {
        load_fail(load, cfg->line, "could not be read", "");
    }
    current_load = NULL;
    cfg_free(cfg);
    return load->status;
}

Status setting_load_file(SettingSet *set, const char *path)
{
    uint8_t *text = NULL;
    size_t bytes = 0;
    Status status = file_read_whole(file_system_os(), path, CONFIG_FILE_BYTES_MAX, &text, &bytes);
    if (status != STATUS_OK) {
        Status error = status_error(SQLSTATE_CONFIG_FILE_ERROR, "%s", status_message(status));
        status_free(status);
        return error;
    }
    // All or nothing: the file fills a copy, which then replaces the set's values.
    Load load = {.path = path, .text = (char *)text, .set = setting_set_create(set)};
    char *plain = heap_alloc(bytes + 1);
    if (load.set == NULL || plain == NULL) {
        status = status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read \"%s\"", path);
    } else if (memchr(text, 0, bytes) != NULL) {
        status = status_error(SQLSTATE_CONFIG_FILE_ERROR, "%s: the file holds a zero byte", path);
    } else {
        memcpy(plain, text, bytes + 1);
        blank_comments(&load, plain);
        mutex_lock(&lexer_mutex);
        status = load.status == STATUS_OK ? load_parse(&load, plain) : load.status;
        mutex_unlock(&lexer_mutex);
    }
    if (status == STATUS_OK) {
        setting_set_swap(set, load.set);
    }
    setting_set_destroy(load.set);
    heap_free(plain);
    heap_free(text);
    return status;
}
