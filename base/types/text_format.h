/*
 * text_format.h — any value to text and back, as PostgreSQL prints and reads it; UTF-8 checks.
 */
#pragma once
#include "base/arena.h"
#include "base/byte_buffer.h"
#include "base/types/type.h"

/* Parses SQL text input for `type` into `out`; long text is copied into `arena`. 22P02, 22003,
 * 22007, 22008; 22001 for text longer than the type allows (trailing blanks are cut silently). */
Status value_parse(const char *text, size_t bytes, Type type, Arena *arena, Value *out) CHECKED;
/* Appends the value's text; NULL appends nothing. CHAR is padded with blanks to its length. */
void value_print(const Value *value, ByteBuffer *target);
/* The same for a value that is neither NULL nor text; no terminator, returns the bytes written (at
 * most DATETIME_TEXT_BYTES, the longest kind). */
size_t value_print_fixed(const Value *value, char *target);
/* How much of `text` a CHAR or VARCHAR of this type keeps: blanks beyond the length go silently
 * (all trailing ones for CHAR), anything else is 22001 unless the cast is explicit. */
Status text_fit(const char *text, size_t bytes, Type type, bool is_explicit,
                size_t *kept_bytes) CHECKED;
/* Converts a value to another type by SQL's cast rules (explicit casts); see decimal.h for
 * rounding. 22003, 22P02, 22007, 42846. Text goes into `arena`. `is_explicit`: a cast to a shorter
 * CHAR or VARCHAR truncates silently when explicit and is 22001 when not. */
Status value_cast(const Value *value, Type target, bool is_explicit, Arena *arena,
                  Value *out) CHECKED;
Status integer_parse(const char *text, size_t bytes, Type type, int64_t *out) CHECKED;
Status double_parse(const char *text, size_t bytes, Type type, double *out) CHECKED;
#define NUMBER_TEXT_BYTES 40
size_t integer_print(int64_t value, char *target); /* no terminator; bytes written */
size_t double_print(double value, char *target);   /* shortest text that reads back */
size_t real_print(float value, char *target);
bool boolean_parse(const char *text, size_t bytes, bool *out);
bool utf8_is_valid(const char *text, size_t bytes);
/* Characters of valid UTF-8; and the byte offset of character `index` (or `bytes`). */
size_t utf8_length(const char *text, size_t bytes);
size_t utf8_offset(const char *text, size_t bytes, size_t index);
/* The longest prefix of whole characters within `limit_bytes`. */
size_t utf8_clip(const char *text, size_t bytes, size_t limit_bytes);
