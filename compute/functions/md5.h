/* md5.h — the MD5 digest as text. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define MD5_HEX_BYTES 32
void md5_hex(const void *data, size_t bytes, char target[MD5_HEX_BYTES]); /* no terminator */
