/* role.c — what every role does around its server: signals, locks, passwords, errors. */
#include "deploy/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"

#define PASSWORD_BYTES 15 /* of randomness: 20 characters of base64 */

int role_fail(Status owned_status)
{
    fprintf(stderr, "basalt: %s (%s)\n", status_message(owned_status),
            status_sqlstate_code(owned_status));
    if (status_detail(owned_status)[0] != '\0') {
        fprintf(stderr, "detail: %s\n", status_detail(owned_status));
    }
    if (status_hint(owned_status)[0] != '\0') {
        fprintf(stderr, "hint: %s\n", status_hint(owned_status));
    }
    status_free(owned_status);
    return EXIT_FAILED;
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void role_block_signals(void)
{
    sigset_t set;
    stop_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void role_wait(const char *state)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", state);
    sigset_t set;
    int number = 0;
    stop_signals(&set);
    while (sigwait(&set, &number) != 0) {
    }
    sd_notify(0, "STOPPING=1");
    log_info("stopping", "signal=%d", number);
}

Status role_lock_directory(FileSystem *files, const char *directory)
{
    char path[4096];
    TRY(file_make_directory(files, directory));
    snprintf(path, sizeof(path), "%s/basalt.lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return status_from_errno(errno, "could not open \"%s\"", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return status_error(SQLSTATE_OBJECT_IN_USE,
                            "another process uses the data directory \"%s\"", directory);
    }
    return STATUS_OK; // the descriptor stays open: the lock ends with the process
}

static void make_password(char *text, const uint8_t *random)
{
    crypto_base64_encode(random, PASSWORD_BYTES, text);
    for (char *c = text; *c != '\0'; c++) { // no characters that a .pgpass or a URL would quote
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
}

/* The password field of "host:port:database:user:password". */
static char *password_of_line(const char *line)
{
    for (int colons = 0; *line != '\0'; line++) {
        if (*line == ':' && ++colons == 4) {
            return strndup(line + 1, strcspn(line + 1, "\n"));
        }
    }
    return NULL;
}

Status role_admin_password(FileSystem *files, const char *directory, char **password, bool *is_new)
{
    char path[4096], made[64], line[512];
    const char *given = getenv("BASALT_ADMIN_PASSWORD");
    bool exists = false;
    *is_new = false;
    snprintf(path, sizeof(path), "%s/admin.pgpass", directory);
    TRY(file_exists(files, path, &exists));
    if (exists) {
        uint8_t *text = NULL;
        size_t bytes = 0;
        TRY(file_read_whole(files, path, sizeof(line) - 1, &text, &bytes));
        memcpy(line, text, bytes);
        line[bytes] = '\0';
        free(text);
        *password = password_of_line(line);
        return *password != NULL
                   ? STATUS_OK
                   : status_error(SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is no password file", path);
    }
    uint8_t random[PASSWORD_BYTES];
    TRY(crypto_random(random, sizeof(random)));
    make_password(made, random);
    *is_new = given == NULL || given[0] == '\0';
    *password = strdup(*is_new ? made : given);
    int bytes = snprintf(line, sizeof(line), "*:%s:*:admin:%s\n", "*", *password);
    if (*password == NULL || bytes >= (int)sizeof(line)) {
        return status_error(SQLSTATE_CONFIG_FILE_ERROR, "BASALT_ADMIN_PASSWORD is too long");
    }
    mode_t old = umask(077);
    Status status = file_write_whole(files, path, line, (size_t)bytes);
    umask(old);
    if (status == STATUS_OK && chmod(path, 0600) != 0) {
        status = status_from_errno(errno, "could not protect \"%s\"", path);
    }
    return status;
}
