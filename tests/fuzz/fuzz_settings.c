/*
 * fuzz_settings.c — any bytes as settings: shipped to a node, given by SET, or in a file.
 *
 * The first byte chooses. What is accepted must be shown as text that means the same, and be told
 * to a node as it is.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/setting.h"
#include "tests/fuzz/fuzz.h"

enum { ENCODED_BYTES_MAX = 1 << 20, PATH_BYTES = 64 };

static void require_equal(const SettingSet *left, const SettingSet *right, SettingId id)
{
    require(strcmp(setting_text(left, id), setting_text(right, id)) == 0);
    require(setting_integer(left, id) == setting_integer(right, id));
}

/* Every value shown is a value taken, and means the same. */
static void check_shown(const SettingSet *set)
{
    SettingSet *again = setting_set_create(NULL);
    for (int id = 0; id < SETTING_COUNT; id++) {
        const char *text = setting_text(set, (SettingId)id);
        require(setting_set_text(again, setting_name((SettingId)id), text, false) == STATUS_OK);
        require_equal(set, again, (SettingId)id);
    }
    setting_set_destroy(again);
}

static void check_shipped(const SettingSet *set)
{
    SettingSet *node = setting_set_create(NULL);
    ByteBuffer encoded;
    ByteReader reader;
    byte_buffer_init(&encoded, ENCODED_BYTES_MAX);
    setting_set_encode(set, &encoded);
    byte_reader_init(&reader, encoded.data, encoded.bytes);
    require(setting_set_decode(node, &reader) == STATUS_OK);
    require(byte_reader_remaining(&reader) == 0);
    for (int id = 0; id < SETTING_COUNT; id++) {
        if (setting_scope((SettingId)id) == SETTING_SCOPE_SESSION) {
            require_equal(set, node, (SettingId)id);
        }
    }
    byte_buffer_deinit(&encoded);
    setting_set_destroy(node);
}

static Status decode(SettingSet *set, const uint8_t *data, size_t bytes)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    return setting_set_decode(set, &reader);
}

/* A name, a zero byte, a value. */
static Status set_text(SettingSet *set, const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 2);
    require(text != NULL);
    memcpy(text, data, bytes);
    memset(text + bytes, 0, 2);
    Status status = setting_set_text(set, text, text + strlen(text) + 1, false);
    if (status == STATUS_OK) {
        require(setting_set_text(set, text, text + strlen(text) + 1, false) == STATUS_OK);
    }
    free(text);
    return status;
}

static Status load_file(SettingSet *set, const uint8_t *data, size_t bytes)
{
    char path[PATH_BYTES];
    int fd = memfd_create("settings", 0);
    require(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    Status status = setting_load_file(set, path);
    close(fd);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    SettingSet *set = setting_set_create(NULL);
    Status status = data[0] % 4 == 0   ? decode(set, data + 1, bytes - 1)
                    : data[0] % 4 == 1 ? set_text(set, data + 1, bytes - 1)
                                       : load_file(set, data + 1, bytes - 1);
    if (status == STATUS_OK) {
        check_shown(set);
        check_shipped(set);
        SettingSet *reset = setting_set_create(set);
        require(setting_reset(reset, NULL, NULL) == STATUS_OK);
        setting_set_destroy(reset);
    }
    plant(setting_integer(set, SETTING_STATEMENT_TIMEOUT) > 3600000);
    status_free(status);
    setting_set_destroy(set);
    return 0;
}
