/* compare_entry.tmpl.h — one line of a table of comparisons; STEM names it. */
[LEFT_LANE][RIGHT_LANE] = COMPARE_NAME(STEM),
