/* thread_turn.c — asks the kernel for turns of a length. Apart from thread.c, since the kernel's
 * header declares what <sched.h> declares too. */
#include "base/thread_turn.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

void thread_ask_for_turn(int turn_us)
{
    struct sched_attr attributes;
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        (attributes.sched_policy != SCHED_NORMAL && attributes.sched_policy != SCHED_BATCH)) {
        return; // whoever started the process gave it a policy
    }
    attributes.sched_runtime = (unsigned long long)turn_us * 1000;
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
        return; // a wish
    }
}
