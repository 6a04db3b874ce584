/*
 * engine_bench.c — what operators cost on one core at each kernel level, beside a reference loop; a
 * gate for each, as a ratio to that loop: reads of memory for what waits for it, else work in
 * cache.
 *
 *   engine_bench [part of a name [rounds [kernel level]]]
 *
 * Prints a table for bench/results/operators.md; exit status 1 when a gate is missed on the levels
 * that gates hold for. All levels and rows of the table take turns; a figure is the median of its
 * rounds, by CPU time of the thread, so that neighbours and drift weigh on both sides alike.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vector/kernel_level.h"
#include "bench/micro/operator_case.h"
#include "compute/exec/scheduler.h"

enum { CASES_MAX = 64, ROUNDS = 9 };

static OperatorCase *cases[CASES_MAX];
static uint32_t case_count, rounds = ROUNDS;
static const char *wanted = "", *wanted_level = "";

void operator_case_add(OperatorCase *operator_case)
{
    if (strstr(operator_case->name, wanted) != NULL) {
        ASSERT(case_count < CASES_MAX);
        cases[case_count++] = operator_case;
    }
}

static void add_cases(void)
{
    scan_cases_add();
    join_cases_add();
    group_cases_add();
    sort_cases_add();
    exchange_cases_add();
    copy_cases_add();
}

static void measure(OperatorCase *operator_case, uint32_t level, uint32_t round)
{
    const Reference reference = operator_case->reference;
    if (strstr(gate_level_names[level], wanted_level) == NULL ||
        !kernel_level_select(gate_level_names[level])) {
        return;
    }
    const double before = reference_time(reference);
    const double ns = operator_case->run(operator_case);
    gate_figures_add(&operator_case->figures, level, round, ns, before, reference_time(reference));
}

static void print_head(void)
{
    printf("| operator | ns per | beside |");
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        printf(" %s ns | ratio |", gate_level_titles[level]);
    }
    printf(" gate ns | ratio | held | how |\n| --- | --- | --- |");
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        printf(" ---: | ---: |");
    }
    printf(" ---: | ---: | --- | --- |\n");
}

static bool print_case(const OperatorCase *operator_case)
{
    const double gate_ns = operator_case->gate_ns;
    const GateFigures *figures = &operator_case->figures;
    const double gate_ratio = gate_ns / reference_gate_ns(operator_case->reference);
    const bool is_held = gate_is_held(figures, rounds, gate_ratio);
    printf("| %s | %s | %s |", operator_case->name, operator_case->unit,
           operator_case->reference == REFERENCE_READS ? "reads" : "lanes");
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        printf(" %.2f | %.2f |", gate_figures_ns(figures, level, rounds),
               gate_figures_ratio(figures, level, rounds));
    }
    if (gate_ns > 0) {
        printf(" %g | %.2f | %s | %s |\n", gate_ns, gate_ratio, is_held ? "yes" : "**no**",
               operator_case->note);
    } else {
        printf(" | | | %s |\n", operator_case->note);
    }
    return is_held;
}

static void open_world(void)
{
    static char directory[4096];
    must(host_create(setting_set_create(NULL), NULL, NULL, &engine_world.host));
    must(scheduler_create(1, NULL, &engine_world.host->scheduler));
    engine_world.budget = memory_budget_create(NULL, engine_world.host->budget, "bench", 0);
    if (getcwd(directory, sizeof directory - 32) == NULL ||
        mkdtemp(strcat(directory, "/engine_bench_XXXXXX")) == NULL) {
        perror("engine_bench");
        exit(1);
    }
    engine_world.directory = directory;
}

static void close_world(void)
{
    char command[4200];
    scan_cases_close();
    exchange_cases_close();
    copy_cases_close();
    snprintf(command, sizeof command, "rm -rf '%s'", engine_world.directory);
    if (system(command) != 0) {
        fprintf(stderr, "%s is left behind\n", engine_world.directory);
    }
    memory_budget_destroy(engine_world.budget);
    scheduler_destroy(engine_world.host->scheduler);
    host_destroy(engine_world.host);
}

int main(int argc, char **argv)
{
    uint32_t missed = 0;
    wanted = argc > 1 ? argv[1] : "";
    rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : ROUNDS;
    wanted_level = argc > 3 ? argv[3] : "";
    if (rounds == 0 || rounds > GATE_ROUNDS_MAX) {
        fprintf(stderr, "usage: engine_bench [part of a name [rounds, at most %d [level]]]\n",
                GATE_ROUNDS_MAX);
        return 2;
    }
    open_world();
    add_cases();
    for (uint32_t i = 0; i < case_count; i++) {
        cases[i]->run(cases[i]); // makes its tables, finds memory
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < case_count; i++) {
            for (uint32_t level = 0; level < GATE_LEVELS; level++) {
                measure(cases[i], level, round);
            }
        }
    }
    print_head();
    for (uint32_t i = 0; i < case_count; i++) {
        missed += !print_case(cases[i]);
    }
    printf("\nreference: lanes %.4f ns, reads %.2f ns; gates missed: %u\n",
           reference_time(REFERENCE_LANES), reference_time(REFERENCE_READS), missed);
    close_world();
    return missed == 0 ? 0 : 1;
}
