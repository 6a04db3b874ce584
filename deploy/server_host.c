/* server_host.c — memory, workers and kernels of a server process. */
#include "deploy/server_host.h"

#include <string.h>

#include "base/io/file_journal.h"
#include "base/log.h"
#include "base/vector/kernel_level.h"
#include "compute/exec/scheduler.h"
#include "deploy/fault_control.h"

Status server_host_create(SettingSet *owned_settings, Host **out)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(levels[i], setting_text(owned_settings, SETTING_LOG_LEVEL)) == 0) {
            log_set_level((LogLevel)i);
        }
    }
    Host *host = NULL;
    FileSystem *files = NULL;
    TRY(fault_control_open());
    TRY(file_journal_open(&files));
    if (files == file_system_os() && fault_control_files() != NULL) {
        files = fault_control_files(); // where a journal is kept, no call fails
    }
    TRY(host_create(owned_settings, files, NULL, &host));
    Status status = STATUS_OK;
    const char *level = setting_text(host->settings, SETTING_KERNEL_LEVEL);
    if (!kernel_level_select(level)) {
        status = status_error(SQLSTATE_CONFIG_FILE_ERROR,
                              "this processor does not run kernel_level \"%s\"", level);
    } else {
        status = scheduler_create(host->worker_count, NULL, &host->scheduler);
    }
    if (status != STATUS_OK) {
        host_destroy(host);
        return status;
    }
    *out = host;
    return STATUS_OK;
}

void server_host_destroy(Host *host)
{
    if (host == NULL) {
        return;
    }
    scheduler_destroy(host->scheduler);
    host_destroy(host);
    fault_control_close();
}
