/* machine.h — what this process may use of its machine: cores and memory, less cgroup limits. */
#pragma once
#include "base/status.h"

uint32_t machine_core_count(void);   /* at least 1 */
uint64_t machine_memory_bytes(void); /* at least 64 MiB */
