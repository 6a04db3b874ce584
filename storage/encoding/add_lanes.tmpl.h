/* add_lanes.tmpl.h — needs LEFT, RIGHT, OUT (C types) and ADD_NAME: sums of 1,024 lanes, which fit
 * OUT or wrap. */
static void ADD_NAME(const void *left, const void *right, void *out)
{
    const LEFT *a = left;
    const RIGHT *b = right;
    OUT *target = out;
    for (size_t i = 0; i < 1024; i++) {
        target[i] = (OUT)((OUT)a[i] + (OUT)b[i]);
    }
}
#undef LEFT
#undef RIGHT
#undef OUT
#undef ADD_NAME
