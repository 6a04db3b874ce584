/*
 * reference.h — gates as ratios to a loop that is timed right beside what they are for.
 *
 * A gate is given in nanoseconds on a machine where the loop takes a known time, and holds for the
 * ratio of the two, so that another machine, or neighbours on this one, weigh on both sides alike.
 * There are two loops, as neighbours slow a core and its memory by different factors.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { GATE_LEVELS = 3, GATE_ROUNDS_MAX = 101 };

typedef enum Reference {
    REFERENCE_LANES, /* 1,024 lanes of 64 bits in the nearest cache: read, added to, written */
    REFERENCE_READS, /* single words of 48 MiB, each where nothing foretells it, none waited for */
    REFERENCE_COUNT
} Reference;
/* Nanoseconds per value on the machine that the gates in ns are for. */
#define REFERENCE_NS 0.145
#define REFERENCE_READS_NS 6.2
double reference_gate_ns(Reference reference);
#define ROUND_NS 300000.0 /* a measurement takes about so long, or longer */

/* Kernel levels that take turns: portable, and those that gates hold for. */
extern const char *const gate_level_names[GATE_LEVELS], *const gate_level_titles[GATE_LEVELS];

/* What was measured of one thing, by level and round. */
typedef struct GateFigures {
    double ns[GATE_LEVELS][GATE_ROUNDS_MAX], ratios[GATE_LEVELS][GATE_ROUNDS_MAX];
} GateFigures;

/* Nanoseconds per value, now, by ROUND_NS of work. */
double reference_time(Reference reference);
/* `ns` per value, between two times of the reference loop. */
void gate_figures_add(GateFigures *figures, uint32_t level, uint32_t round, double ns,
                      double before, double after);
/* Medians of the rounds. */
double gate_figures_ns(const GateFigures *figures, uint32_t level, uint32_t rounds);
double gate_figures_ratio(const GateFigures *figures, uint32_t level, uint32_t rounds);
/* On every level that gates hold for; 0: no gate. */
bool gate_is_held(const GateFigures *figures, uint32_t rounds, double gate_ratio);
