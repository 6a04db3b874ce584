/* widen.tmpl.h — needs FROM, TO (unsigned C types) and WIDEN_NAME. */
static void WIDEN_NAME(const FROM *restrict lanes, TO *restrict out)
{
    for (size_t i = 0; i < 1024; i++) {
        out[i] = lanes[i];
    }
}

#undef FROM
#undef TO
#undef WIDEN_NAME
