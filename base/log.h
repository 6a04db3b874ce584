/*
 * log.h — one JSON object per line: event name first (stable, greppable), then key=value fields.
 *
 * log_info("rowset_sealed", "table=%u rows=%lu", …) prints {"ts":…,"level":"info","event":
 * "rowset_sealed","node":…,"query":…,"table":7,"rows":65536}. Values with blanks are written
 * key="…". Row values and passwords never appear.
 */
#pragma once
#include "base/status.h"

typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;
void log_open(int fd, LogLevel level); /* default: stderr, LOG_INFO */
void log_set_level(LogLevel level);
void log_write(LogLevel level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
void log_status(LogLevel level, const char *event, Status status); /* reads, does not free */
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
