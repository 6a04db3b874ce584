/*
 * person_fields.h — the fields that suppliers and customers share: name, address, phone, balance.
 */
#pragma once

#include "bench/tpch/generator/data_set.h"

/* 10 to 40 characters of an alphabet of 64 (clause 4.2.2.7). */
char *format_address(char *cursor, RandomRow row, uint32_t column);

/* Country code of the nation and a random local number (clause 4.2.2.9): 13-702-694-4520. */
char *format_phone(char *cursor, RandomRow row, uint32_t column, uint64_t nation);

/* -999.99 to 9999.99 */
char *format_balance(char *cursor, RandomRow row, uint32_t column);
