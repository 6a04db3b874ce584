/* arithmetic_entry.tmpl.h — one line of the table of pair kernels; STEM and OP say which. */
[OP][LEFT_LANE][RIGHT_LANE][OUT_LANE] = PAIR_NAME(STEM),
