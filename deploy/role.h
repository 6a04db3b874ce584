/* role.h — the roles of the one program: each takes settings, runs, and returns an exit code. */
#pragma once
#include "base/host.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int role_leader(SettingSet *owned_settings);
int role_compute(SettingSet *owned_settings);
int role_local(SettingSet *owned_settings);
int role_inspect(int argument_count, char **arguments);

/* Prints an error to stderr and frees it; returns EXIT_FAILED. */
int role_fail(Status owned_status);
/* Blocks the signals that stop a server; call before any thread starts. */
void role_block_signals(void);
/* Tells the supervisor, then waits for SIGTERM or SIGINT. */
void role_wait(const char *state);
/* Takes the lock of a data directory: 55006 when another process has it. Held until exit. */
Status role_lock_directory(FileSystem *files, const char *directory) CHECKED;
/* The admin password of a new cluster: from BASALT_ADMIN_PASSWORD, or made up; kept in
 * `<directory>/admin.pgpass` (mode 600). `*is_new` when it was made up now. malloc'ed. */
Status role_admin_password(FileSystem *files, const char *directory, char **password,
                           bool *is_new) CHECKED;
