/* seeds.h — the parts of make_seeds: where the inputs go. */
#pragma once
#include "base/byte_buffer.h"

/* Writes corpus/<target>/<name>: the choice byte (none when negative), then `bytes`. */
void seed_write(const char *target, const char *name, int choice, const void *data, size_t bytes);
/* The same for a buffer, which is emptied. */
void seed_write_buffer(const char *target, const char *name, int choice, ByteBuffer *buffer);

void seed_plans(void);
void seed_blocks(void);
void seed_deletes(void);
void seed_redos(void);
