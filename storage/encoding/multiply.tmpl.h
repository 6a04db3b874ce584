/* multiply.tmpl.h — needs T (an unsigned C type) and MULTIPLY_NAME: 1,024 lanes times a factor, in
 * place. */
static void MULTIPLY_NAME(void *lanes, uint64_t factor)
{
    T *target = lanes;
    for (size_t i = 0; i < 1024; i++) {
        target[i] = (T)((uint64_t)target[i] * factor);
    }
}
#undef T
#undef MULTIPLY_NAME
