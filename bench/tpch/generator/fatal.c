/*
 * fatal.c — prints and leaves.
 */
#include "bench/tpch/generator/fatal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fatal(const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    fprintf(stderr, "tpch_gen: %s\n", message);
    _exit(1);    // not exit(): other threads still run
}
