/* plan_statistics.c — measured figures as bytes and back. */
#include "planner/plan/plan_statistics.h"

#include <stdio.h>
#include <string.h>

void plan_statistics_encode(const PlanNodeStatistics *statistics, uint32_t count,
                            ByteBuffer *target)
{
    byte_buffer_add_varint(target, count);
    for (uint32_t i = 0; i < count; i++) {
        const PlanNodeStatistics *entry = &statistics[i];
        byte_buffer_add_varint(target, entry->site);
        byte_buffer_add_varint(target, entry->plan_node_id);
        byte_buffer_add_varint(target, entry->rows);
        byte_buffer_add_varint(target, entry->bytes);
        byte_buffer_add_varint(target, entry->time_ns);
        byte_buffer_add_varint(target, entry->blocks_read);
        byte_buffer_add_varint(target, entry->blocks_skipped);
        byte_buffer_add_varint(target, entry->spilled_bytes);
        byte_buffer_add_string(target, entry->variant);
        byte_buffer_add_varint(target, entry->blocks_from_disk);
        byte_buffer_add_varint(target, entry->row_groups_from_zone_maps);
    }
}

Status plan_statistics_decode(const uint8_t *data, size_t bytes, Arena *arena,
                              PlanNodeStatistics **out, uint32_t *count)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t entries = byte_reader_count(&reader, 11);
    PlanNodeStatistics *statistics = ARENA_ARRAY(arena, PlanNodeStatistics, entries + 1);
    for (uint32_t i = 0; i < entries; i++) {
        PlanNodeStatistics *entry = &statistics[i];
        entry->site = (uint32_t)byte_reader_varint(&reader);
        entry->plan_node_id = (uint32_t)byte_reader_varint(&reader);
        entry->rows = byte_reader_varint(&reader);
        entry->bytes = byte_reader_varint(&reader);
        entry->time_ns = byte_reader_varint(&reader);
        entry->blocks_read = byte_reader_varint(&reader);
        entry->blocks_skipped = byte_reader_varint(&reader);
        entry->spilled_bytes = byte_reader_varint(&reader);
        snprintf(entry->variant, sizeof(entry->variant), "%s", byte_reader_string(&reader, arena));
        entry->blocks_from_disk = byte_reader_varint(&reader);
        entry->row_groups_from_zone_maps = byte_reader_varint(&reader);
    }
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed plan statistics");
    }
    *out = statistics;
    *count = entries;
    return STATUS_OK;
}
