/* scale_entry.tmpl.h — one line of the table of scale kernels. */
[LEFT_LANE][OUT_LANE] = SCALE_NAME(scale),
