/*
 * pipeline.c — all loops that move batches.
 *
 * Stages are numbered 0 (source), 1 .. n (transforms), n + 1 (sink). A worker keeps one output
 * batch per stage and a flag for each transform that wants its input again, so a full output batch
 * costs no recursion: after the sink the deepest flagged stage goes on, and only then the source.
 *
 * Example, source -> probe -> limit -> sink: the probe fills an output batch and answers AGAIN; the
 * batch passes limit and sink; the probe gets the same input again; when it answers MORE the source
 * is asked.
 *
 * A stage that answers DONE stops all stages before it, for all workers; what is held back behind
 * it is still flushed.
 */
#include "compute/exec/pipeline.h"

#include <time.h>

enum {
    QUANTUM_BATCHES = 64, /* source batches per turn: a row group */
    QUANTUM_STEPS = 1024, /* stage calls per turn */
    RAMP_PARALLELISM = 4, /* sources of less start with one worker and wake the others later */
};

typedef enum WorkerPhase {
    PHASE_OPEN,
    PHASE_RUN,
    PHASE_FLUSH,
    PHASE_MERGE,
    PHASE_FINISH
} WorkerPhase;

typedef struct PipelineWorker {
    Task task; /* first: the scheduler hands it back */
    Pipeline *pipeline;
    WorkerPhase phase;
    uint32_t stage; /* to run next; in PHASE_FLUSH 0 stands for flushing flush_stage */
    uint32_t flush_stage;
    Arena *arena;
    void **locals;       /* per stage */
    uint32_t open_count; /* stages whose local is open */
    Batch *batches;      /* outputs of stages 0 .. n */
    bool *is_again;      /* per stage */
    uint64_t *rows, *time_ns;
    uint64_t clock_ns;
} PipelineWorker;

typedef enum StepResult { STEP_MORE, STEP_PARK, STEP_END } StepResult;

static enum TaskResult worker_run(Task *task, uint32_t worker_index);
static void pipeline_end(Pipeline *pipeline);

Pipeline *pipeline_create(QueryContext *query, Source *source, Transform **transforms,
                          uint32_t transform_count, SinkGroup *target, uint32_t worker_max)
{
    Pipeline *pipeline = ARENA_NEW(query->arena, Pipeline);
    *pipeline = (Pipeline){
        .query = query,
        .source = source,
        .transform_count = transform_count,
        .transforms = transforms,
        .target = target,
        .worker_max = worker_max,
        .waiting_count = 1,
        .workers = ARENA_ARRAY(query->arena, PipelineWorker, worker_max),
    };
    for (uint32_t i = 0; i < worker_max; i++) {
        pipeline->workers[i].pipeline = pipeline;
        pipeline->workers[i].task = (Task){.run = worker_run, .group = query->query_id};
    }
    source->pipeline = pipeline;
    target->pending_count++;
    pointer_list_add(query->arena, &target->pipelines, pipeline);
    return pipeline;
}

SinkGroup *sink_group_create(Arena *arena, Sink *sink)
{
    SinkGroup *group = ARENA_NEW(arena, SinkGroup);
    *group = (SinkGroup){.sink = sink, .finished = {.pending_count = 1}};
    sink->group = group;
    return group;
}

void pipeline_wait_for(Pipeline *pipeline, PipelineEvent *event)
{
    pipeline->waiting_count++;
    pointer_list_add(pipeline->query->arena, &event->waiters, pipeline);
}

void pipeline_signals(Pipeline *pipeline, PipelineEvent *event)
{
    event->pending_count++;
    pointer_list_add(pipeline->query->arena, &pipeline->signals, event);
}

Waker source_waker(Source *source)
{
    return (Waker){.wake = (void (*)(void *))pipeline_wake, .object = source->pipeline};
}

bool source_may_mask(const Source *source)
{
    const Pipeline *pipeline = source->pipeline;
    return pipeline->transform_count == 0 && pipeline->target->sink->ops->takes_masks;
}

static void wake_sink(void *object)
{
    SinkGroup *group = object;
    for (uint32_t i = 0; i < group->pipelines.count; i++) {
        pipeline_wake(group->pipelines.items[i]);
    }
}

Waker sink_waker(Sink *sink)
{
    return (Waker){.wake = wake_sink, .object = sink->group};
}

void pipeline_wake(Pipeline *pipeline)
{
    // Acquire: workers below started_count are fully set up.
    uint32_t count = __atomic_load_n(&pipeline->started_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        scheduler_wake(pipeline->query->host->scheduler, &pipeline->workers[i].task);
    }
}

static void start_workers(Pipeline *pipeline, uint32_t wanted)
{
    uint32_t started = pipeline->started_count; // only one thread starts workers at a time
    uint32_t target = wanted < pipeline->worker_max ? wanted : pipeline->worker_max;
    if (started >= target) {
        return;
    }
    // Relaxed: the scheduler's mutex orders it before the workers' runs.
    __atomic_fetch_add(&pipeline->running_count, target - started, __ATOMIC_RELAXED);
    __atomic_store_n(&pipeline->started_count, target, __ATOMIC_RELEASE);
    for (uint32_t i = started; i < target; i++) {
        scheduler_submit(pipeline->query->host->scheduler, &pipeline->workers[i].task);
    }
}

static uint32_t source_parallelism(Source *source)
{
    return source->ops->parallelism == NULL ? 0 : source->ops->parallelism(source);
}

// Whether a stage answers that nothing can come out of this pipeline.
static bool pipeline_is_done(const Pipeline *pipeline)
{
    Source *source = pipeline->source;
    if (source->ops->is_done != NULL && source->ops->is_done(source)) {
        return true;
    }
    for (uint32_t i = 0; i < pipeline->transform_count; i++) {
        Transform *transform = pipeline->transforms[i];
        if (transform->ops->is_done != NULL && transform->ops->is_done(transform)) {
            return true;
        }
    }
    return false;
}

void pipeline_start(Pipeline *pipeline)
{
    // Acquire and release: who starts it has seen what all it waited for have written.
    if (__atomic_sub_fetch(&pipeline->waiting_count, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    uint32_t useful = pipeline_is_done(pipeline) ? 1 : source_parallelism(pipeline->source);
    start_workers(pipeline, useful < RAMP_PARALLELISM ? 1 : useful);
}

static void event_signal(PipelineEvent *event)
{
    if (__atomic_sub_fetch(&event->pending_count, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (uint32_t i = 0; i < event->waiters.count; i++) {
        pipeline_start(event->waiters.items[i]);
    }
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *open_local_memory(PipelineWorker *worker, size_t bytes)
{
    return bytes == 0 ? NULL : arena_alloc_aligned(worker->arena, bytes, 64);
}

// Makes the worker's arena, batches and locals; what was opened before a failure is closed again.
static Status worker_open(PipelineWorker *worker)
{
    Pipeline *pipeline = worker->pipeline;
    uint32_t stages = pipeline->transform_count + 2;
    worker->arena = arena_create(pipeline->query->arena, "worker");
    worker->locals = ARENA_ARRAY(worker->arena, void *, stages);
    worker->batches = ARENA_ARRAY(worker->arena, Batch, stages);
    worker->is_again = ARENA_ARRAY(worker->arena, bool, stages);
    worker->rows = ARENA_ARRAY(worker->arena, uint64_t, stages);
    worker->time_ns = ARENA_ARRAY(worker->arena, uint64_t, stages);

    Source *source = pipeline->source;
    batch_init(&worker->batches[0], source->output_count, worker->arena);
    worker->locals[0] = open_local_memory(worker, source->ops->local_bytes);
    worker->open_count = 1;
    if (source->ops->local_open != NULL) {
        TRY(source->ops->local_open(source, worker->locals[0], worker->arena));
    }
    for (uint32_t i = 1; i <= pipeline->transform_count; i++) {
        Transform *transform = pipeline->transforms[i - 1];
        batch_init(&worker->batches[i], transform->output_count, worker->arena);
        worker->locals[i] = open_local_memory(worker, transform->ops->local_bytes);
        worker->open_count = i + 1;
        if (transform->ops->local_open != NULL) {
            TRY(transform->ops->local_open(transform, worker->locals[i], worker->arena));
        }
    }
    Sink *sink = pipeline->target->sink;
    worker->locals[stages - 1] = open_local_memory(worker, sink->ops->local_bytes);
    worker->open_count = stages;
    if (sink->ops->local_open != NULL) {
        TRY(sink->ops->local_open(sink, worker->locals[stages - 1], worker->arena));
    }
    return STATUS_OK;
}

static void add_statistics(OperatorStatistics *statistics, uint64_t rows, uint64_t time_ns)
{
    __atomic_fetch_add(&statistics->rows, rows, __ATOMIC_RELAXED); // plain counters
    __atomic_fetch_add(&statistics->time_ns, time_ns, __ATOMIC_RELAXED);
}

static void worker_close(PipelineWorker *worker)
{
    Pipeline *pipeline = worker->pipeline;
    uint32_t last = pipeline->transform_count + 1;
    for (uint32_t i = 0; i < worker->open_count; i++) {
        void *local = worker->locals[i];
        if (i == 0) {
            Source *source = pipeline->source;
            add_statistics(&source->statistics, worker->rows[0], worker->time_ns[0]);
            if (source->ops->local_close != NULL) {
                source->ops->local_close(source, local);
            }
        } else if (i < last) {
            Transform *transform = pipeline->transforms[i - 1];
            add_statistics(&transform->statistics, worker->rows[i], worker->time_ns[i]);
            if (transform->ops->local_close != NULL) {
                transform->ops->local_close(transform, local);
            }
        } else {
            Sink *sink = pipeline->target->sink;
            add_statistics(&sink->statistics, worker->rows[i], worker->time_ns[i]);
            if (sink->ops->local_close != NULL) {
                sink->ops->local_close(sink, local);
            }
        }
    }
    worker->open_count = 0;
    arena_destroy(worker->arena);
    worker->arena = NULL;
}

static void stop_stages(Pipeline *pipeline, uint32_t stage)
{
    uint32_t stopped = __atomic_load_n(&pipeline->stop_stage, __ATOMIC_RELAXED);
    while (stopped < stage && // relaxed: a worker that sees it late only works in vain
           !__atomic_compare_exchange_n(&pipeline->stop_stage, &stopped, stage, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

// The stage to run after a batch has gone as far as it could: the deepest that has more output.
static uint32_t resume_stage(PipelineWorker *worker)
{
    Pipeline *pipeline = worker->pipeline;
    uint32_t stopped = __atomic_load_n(&pipeline->stop_stage, __ATOMIC_RELAXED);
    for (uint32_t i = pipeline->transform_count; i > stopped; i--) {
        if (worker->is_again[i]) {
            return i;
        }
    }
    return 0;
}

static void charge_time(PipelineWorker *worker, uint32_t stage)
{
    uint64_t now = now_ns();
    worker->time_ns[stage] += now - worker->clock_ns;
    worker->clock_ns = now;
}

static Status step_source(PipelineWorker *worker, StepResult *result)
{
    Pipeline *pipeline = worker->pipeline;
    Source *source = pipeline->source;
    uint32_t stopped = __atomic_load_n(&pipeline->stop_stage, __ATOMIC_RELAXED);
    if (stopped > 0) {
        worker->phase = PHASE_FLUSH;
        worker->flush_stage = stopped + 1;
        return STATUS_OK;
    }
    Flow flow = FLOW_MORE;
    Batch *out = &worker->batches[0];
    out->row_count = out->selected_count = 0;
    TRY(source->ops->produce(source, worker->locals[0], out, &flow));
    worker->rows[0] += out->selected_count;
    if (flow == FLOW_BLOCKED) {
        *result = STEP_PARK;
    } else if (flow == FLOW_DONE) {
        worker->phase = PHASE_FLUSH;
        worker->flush_stage = 1;
    }
    if (flow != FLOW_BLOCKED && out->selected_count > 0) {
        worker->stage = 1;
    }
    return STATUS_OK;
}

// The batch of `stage` goes on, or the next one is fetched.
static void pass_on(PipelineWorker *worker, uint32_t stage)
{
    worker->rows[stage] += worker->batches[stage].selected_count;
    worker->stage = worker->batches[stage].selected_count > 0 ? stage + 1 : resume_stage(worker);
}

static Status step_transform(PipelineWorker *worker, uint32_t stage)
{
    Transform *transform = worker->pipeline->transforms[stage - 1];
    Flow flow = FLOW_MORE;
    Batch *out = &worker->batches[stage];
    out->row_count = out->selected_count = 0;
    TRY(transform->ops->apply(transform, worker->locals[stage], &worker->batches[stage - 1], out,
                              &flow));
    worker->is_again[stage] = flow == FLOW_AGAIN;
    if (flow == FLOW_DONE) {
        stop_stages(worker->pipeline, stage);
    }
    pass_on(worker, stage);
    return STATUS_OK;
}

static Status step_flush(PipelineWorker *worker)
{
    Pipeline *pipeline = worker->pipeline;
    uint32_t stopped = __atomic_load_n(&pipeline->stop_stage, __ATOMIC_RELAXED);
    if (worker->flush_stage <= stopped) {
        worker->flush_stage = stopped + 1;
    }
    uint32_t stage = worker->flush_stage;
    if (stage > pipeline->transform_count) {
        worker->phase = PHASE_MERGE;
        return STATUS_OK;
    }
    Transform *transform = pipeline->transforms[stage - 1];
    if (transform->ops->flush == NULL) {
        worker->flush_stage++;
        return STATUS_OK;
    }
    Flow flow = FLOW_DONE;
    Batch *out = &worker->batches[stage];
    out->row_count = out->selected_count = 0;
    TRY(transform->ops->flush(transform, worker->locals[stage], out, &flow));
    if (flow != FLOW_AGAIN) {
        worker->flush_stage++;
    }
    pass_on(worker, stage);
    return STATUS_OK;
}

static Status step_sink(PipelineWorker *worker, StepResult *result)
{
    Pipeline *pipeline = worker->pipeline;
    Sink *sink = pipeline->target->sink;
    uint32_t last = pipeline->transform_count + 1;
    Flow flow = FLOW_MORE;
    TRY(sink->ops->consume(sink, worker->locals[last], &worker->batches[last - 1], &flow));
    if (flow == FLOW_BLOCKED) {
        *result = STEP_PARK;
        return STATUS_OK;
    }
    worker->rows[last] += worker->batches[last - 1].selected_count;
    if (flow == FLOW_DONE) {
        stop_stages(pipeline, last);
    }
    worker->stage = resume_stage(worker);
    return STATUS_OK;
}

// The worker's rows join those of the others. The last worker of the sink's last pipeline finishes.
static Status step_merge(PipelineWorker *worker, StepResult *result)
{
    Pipeline *pipeline = worker->pipeline;
    Sink *sink = pipeline->target->sink;
    Flow flow = FLOW_MORE;
    if (sink->ops->merge != NULL) {
        TRY(sink->ops->merge(sink, worker->locals[pipeline->transform_count + 1], &flow));
    }
    if (flow == FLOW_BLOCKED) {
        *result = STEP_PARK;
        return STATUS_OK;
    }
    charge_time(worker, pipeline->transform_count + 1);
    worker->phase = PHASE_FINISH;
    *result = STEP_END;
    return STATUS_OK;
}

static Status worker_step(PipelineWorker *worker, StepResult *result)
{
    uint32_t stage = worker->stage;
    uint32_t sink_stage = worker->pipeline->transform_count + 1;
    Status status = STATUS_OK;
    if (stage == sink_stage) {
        status = step_sink(worker, result);
    } else if (stage > 0) {
        status = step_transform(worker, stage);
    } else if (worker->phase == PHASE_RUN) {
        status = step_source(worker, result);
    } else if (worker->phase == PHASE_FLUSH) {
        stage = worker->flush_stage <= sink_stage ? worker->flush_stage : sink_stage;
        status = step_flush(worker);
    } else {
        return step_merge(worker, result);
    }
    charge_time(worker, stage);
    return status;
}

// Runs until the turn is over, the worker must park, or its part is done.
static Status worker_advance(PipelineWorker *worker, StepResult *result)
{
    Pipeline *pipeline = worker->pipeline;
    if (worker->phase == PHASE_OPEN) {
        if (query_context_is_canceled(pipeline->query) || pipeline_is_done(pipeline)) {
            *result = STEP_END; // nothing was opened, nothing is to be merged
            return STATUS_OK;
        }
        worker->phase = PHASE_RUN;
        TRY(worker_open(worker));
    }
    worker->clock_ns = now_ns();
    uint32_t batches = 0;
    for (uint32_t steps = 0; steps < QUANTUM_STEPS && batches < QUANTUM_BATCHES; steps++) {
        // at every step: one batch of a join may become millions
        if (query_context_is_canceled(pipeline->query)) {
            *result = STEP_END;
            return STATUS_OK;
        }
        if (worker->stage == 0) {
            batches++;
            if (arena_is_exhausted(pipeline->query->arena)) {
                return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the query's state");
            }
        }
        TRY(worker_step(worker, result));
        if (*result != STEP_MORE) {
            break;
        }
    }
    return STATUS_OK;
}

// Finishes the sink when this is the last pipeline into it. True: done; false: blocked.
static bool worker_finish(Pipeline *pipeline)
{
    Sink *sink = pipeline->target->sink;
    if (query_context_is_canceled(pipeline->query) || sink->ops->finish == NULL) {
        return true;
    }
    uint64_t start_ns = now_ns();
    Flow flow = FLOW_MORE;
    Status status = sink->ops->finish(sink, &flow);
    add_statistics(&sink->statistics, 0, now_ns() - start_ns);
    if (status != STATUS_OK) {
        query_context_fail(pipeline->query, status);
        return true;
    }
    return flow != FLOW_BLOCKED;
}

static void pipeline_end(Pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->signals.count; i++) {
        event_signal(pipeline->signals.items[i]);
    }
    pipeline->end(pipeline->end_object);
}

static void ramp_up(Pipeline *pipeline)
{
    uint32_t useful = source_parallelism(pipeline->source);
    start_workers(pipeline, useful == 0 ? pipeline->worker_max : useful);
}

static enum TaskResult worker_run(Task *task, uint32_t worker_index)
{
    PipelineWorker *worker = (PipelineWorker *)task;
    Pipeline *pipeline = worker->pipeline;
    SinkGroup *target = pipeline->target;
    (void)worker_index;

    if (worker->phase != PHASE_FINISH) {
        StepResult result = STEP_MORE;
        Status status = worker_advance(worker, &result);
        if (status != STATUS_OK) {
            query_context_fail(pipeline->query, status);
            result = STEP_END;
        }
        if (result == STEP_PARK) {
            return TASK_PARKED;
        }
        if (result == STEP_MORE) {
            if (worker == &pipeline->workers[0]) {
                ramp_up(pipeline);
            }
            return TASK_AGAIN;
        }
        worker_close(worker);
        // Acquire and release: the last worker sees what the others have left in the sink.
        if (__atomic_sub_fetch(&pipeline->running_count, 1, __ATOMIC_ACQ_REL) > 0) {
            return TASK_DONE;
        }
        if (pipeline->source->ops->stop != NULL) {
            pipeline->source->ops->stop(pipeline->source);
        }
        worker->phase = PHASE_FINISH;
        if (__atomic_sub_fetch(&target->pending_count, 1, __ATOMIC_ACQ_REL) > 0) {
            pipeline_end(pipeline);
            return TASK_DONE;
        }
    }
    if (!worker_finish(pipeline)) {
        return TASK_PARKED;
    }
    event_signal(&target->finished);
    pipeline_end(pipeline);
    return TASK_DONE;
}
