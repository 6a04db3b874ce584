/*
 * fatal.h — how the generator gives up: it is a tool with nobody to hand an error to.
 */
#pragma once

/* Prints "tpch_gen: <message>" to stderr and stops the program with status 1. Unfinished files
 * stay behind. Callable by any thread. */
__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...);
