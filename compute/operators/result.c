/* result.c — the last sink; its pipelines have one worker each, the receiver takes turns. */
#include "compute/operators/result.h"

typedef struct Result {
    Sink sink;
    const ResultReceiver *receiver;
    bool is_busy; /* atomic: a worker is inside the receiver */
} Result;

static const SinkOps result_ops;

Status result_create(QueryContext *query, const PlanResult *plan, Sink **out)
{
    if (query->result == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "nobody receives the result here");
    }
    Result *result = ARENA_NEW(query->arena, Result);
    sink_init(&result->sink, &result_ops, &plan->node);
    result->receiver = query->result;
    *out = &result->sink;
    return STATUS_OK;
}

static Status result_open(Sink *self, QueryContext *query)
{
    Result *result = (Result *)self;
    (void)query;
    if (result->receiver->open != NULL) {
        result->receiver->open(result->receiver->self, sink_waker(self));
    }
    return STATUS_OK;
}

static Status result_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    Result *result = (Result *)self;
    (void)local;
    TRY(batch_load_all(in));
    // The inputs of a UNION ALL are pipelines of their own. Who finds the receiver taken tries
    // again in its next turn; acquire and release order what the receiver has written.
    if (__atomic_exchange_n(&result->is_busy, true, __ATOMIC_ACQUIRE)) {
        Waker waker = sink_waker(self);
        waker.wake(waker.object);
        *flow = FLOW_BLOCKED;
        return STATUS_OK;
    }
    ResultAnswer answer = RESULT_TAKEN;
    Status status = result->receiver->receive(result->receiver->self, in, &answer);
    __atomic_store_n(&result->is_busy, false, __ATOMIC_RELEASE);
    *flow = answer == RESULT_BLOCKED  ? FLOW_BLOCKED
            : answer == RESULT_ENOUGH ? FLOW_DONE
                                      : FLOW_MORE;
    return status;
}

static const SinkOps result_ops = {
    .name = "Result",
    .open = result_open,
    .consume = result_consume,
};
