/*
 * produce.c — workers claim chunks in order, print them into a buffer of their own and hand it to
 * the file.
 *
 * Claims are in order, so the worker with the lowest unfinished chunk of a file never waits for
 * another one: no deadlock with any number of workers.
 */
#include "bench/tpch/generator/produce.h"

#include <pthread.h>
#include <stdlib.h>

#include "bench/tpch/generator/fatal.h"

typedef struct Production {
    const DataSet *data_set;
    TableJob *jobs;
    size_t job_count;
    pthread_mutex_t mutex;
    size_t job_index;          /* next chunk to claim; guarded by mutex */
    uint64_t chunk_index;      /* of that job; guarded by mutex */
} Production;

typedef struct Chunk {
    TableJob *job;
    uint64_t index;
    uint64_t first_unit, end_unit;
} Chunk;

typedef struct ChunkBuffer {
    char *bytes;
    size_t capacity;
} ChunkBuffer;

static void *worker_main(void *argument);
static bool claim_chunk(Production *production, Chunk *chunk);
static size_t print_chunk(const DataSet *data_set, const Chunk *chunk, ChunkBuffer *buffer);

void produce(const DataSet *data_set, TableJob *jobs, size_t job_count, unsigned worker_count)
{
    Production production = {.data_set = data_set, .jobs = jobs, .job_count = job_count};
    pthread_mutex_init(&production.mutex, NULL);
    pthread_t *workers = malloc(worker_count * sizeof(*workers));
    if (workers == NULL) {
        fatal("out of memory for %u workers", worker_count);
    }
    for (unsigned i = 1; i < worker_count; i++) {
        if (pthread_create(&workers[i], NULL, worker_main, &production) != 0) {
            fatal("cannot start worker %u", i);
        }
    }
    worker_main(&production);
    for (unsigned i = 1; i < worker_count; i++) {
        pthread_join(workers[i], NULL);
    }
    free(workers);
    pthread_mutex_destroy(&production.mutex);
}

static void *worker_main(void *argument)
{
    Production *production = argument;
    ChunkBuffer buffer = {0};
    Chunk chunk;
    while (claim_chunk(production, &chunk)) {
        size_t length = print_chunk(production->data_set, &chunk, &buffer);
        output_file_write(&chunk.job->output, chunk.index, buffer.bytes, length);
    }
    free(buffer.bytes);
    return NULL;
}

/* False when nothing is left. */
static bool claim_chunk(Production *production, Chunk *chunk)
{
    bool has_chunk = false;
    pthread_mutex_lock(&production->mutex);
    while (!has_chunk && production->job_index < production->job_count) {
        TableJob *job = &production->jobs[production->job_index];
        uint64_t chunk_units = job->table->chunk_units;
        uint64_t first = job->first_unit + production->chunk_index * chunk_units;
        if (first < job->end_unit) {
            uint64_t rest = job->end_unit - first;
            *chunk = (Chunk){
                .job = job,
                .index = production->chunk_index++,
                .first_unit = first,
                .end_unit = first + (rest < chunk_units ? rest : chunk_units),
            };
            has_chunk = true;
        } else {
            production->job_index++;
            production->chunk_index = 0;
        }
    }
    pthread_mutex_unlock(&production->mutex);
    return has_chunk;
}

/* Prints all units of the chunk into the buffer, which grows as needed; returns their bytes. */
static size_t print_chunk(const DataSet *data_set, const Chunk *chunk, ChunkBuffer *buffer)
{
    const Table *table = chunk->job->table;
    size_t length = 0;
    for (uint64_t unit = chunk->first_unit; unit < chunk->end_unit; unit++) {
        if (buffer->capacity - length < table->unit_bytes_max) {
            buffer->capacity = buffer->capacity * 2 + table->unit_bytes_max + (1 << 20);
            buffer->bytes = realloc(buffer->bytes, buffer->capacity);
            if (buffer->bytes == NULL) {
                fatal("out of memory for %zu bytes of %s", buffer->capacity, table->name);
            }
        }
        char *end = table->format_unit(data_set, unit, buffer->bytes + length);
        length = (size_t)(end - buffer->bytes);
    }
    return length;
}
