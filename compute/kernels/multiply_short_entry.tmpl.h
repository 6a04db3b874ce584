/* multiply_short_entry.tmpl.h — one line of the table of short products. */
#if OUT_LANE == 3 && LEFT_LANE < 3 && RIGHT_LANE < 3
[LEFT_LANE][RIGHT_LANE] = PAIR_NAME(multiply_short),
#endif
