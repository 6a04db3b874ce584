/* server_host.h — the Host of a server process, with its workers. */
#pragma once
#include "base/host.h"

/* Makes the host, chooses the kernels, starts the workers; takes the settings. */
Status server_host_create(SettingSet *owned_settings, Host **out) CHECKED;
void server_host_destroy(Host *host); /* null is allowed */
