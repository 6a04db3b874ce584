/* main.c — the one program `basalt`: chooses the role, reads configuration and options. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread_turn.h"
#include "deploy/role.h"

#ifndef BASALT_VERSION
#define BASALT_VERSION "0.1.0"
#endif

typedef struct Role {
    const char *name, *summary;
    int (*run)(SettingSet *owned_settings);
} Role;

static const Role roles[] = {
    {"local", "a leader and compute nodes in one process", role_local},
    {"leader", "the leader of a cluster: clients connect to it", role_leader},
    {"compute", "a compute node of a cluster", role_compute},
    {"inspect", "verify and dump files (see basalt inspect --help)", NULL},
};

static void help(void)
{
    printf("Basalt, a columnar data warehouse\n\nusage: basalt ROLE [options]\n\nroles:\n");
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
        printf("  %-8s  %s\n", roles[i].name, roles[i].summary);
    }
    printf("\nbasalt ROLE --help shows the options of a role; basalt --version the version.\n");
}

/* Options with short words of their own; every other setting is --NAME-WITH-DASHES. */
static void role_help(const Role *role)
{
    printf("usage: basalt %s [options]\n\n%s\n\noptions:\n"
           "  --config FILE           read settings from FILE first\n"
           "  --nodes N               same as --cluster-nodes\n",
           role->name, role->summary);
    for (int i = 0; i < SETTING_COUNT; i++) {
        char option[64];
        snprintf(option, sizeof(option), "--%s", setting_name((SettingId)i));
        for (char *c = option + 2; *c != '\0'; c++) {
            *c = *c == '_' ? '-' : *c;
        }
        printf("  %-40s %s\n", option, setting_help((SettingId)i));
    }
    printf("\nEach option is a setting of the configuration file, with _ for -.\n");
}

/* --name value or --name=value; `*index` moves past what was used. */
static Status read_option(SettingSet *settings, int count, char **arguments, int *index)
{
    const char *argument = arguments[*index];
    char name[128];
    if (strncmp(argument, "--", 2) != 0 || strlen(argument) >= sizeof(name)) {
        return status_error(SQLSTATE_CONFIG_FILE_ERROR, "unexpected argument \"%s\"", argument);
    }
    const char *equals = strchr(argument, '=');
    size_t length = equals == NULL ? strlen(argument) - 2 : (size_t)(equals - argument - 2);
    memcpy(name, argument + 2, length);
    name[length] = '\0';
    for (char *c = name; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : *c;
    }
    const char *value = equals == NULL ? NULL : equals + 1;
    if (value == NULL) {
        if (*index + 1 >= count) {
            return status_error(SQLSTATE_CONFIG_FILE_ERROR, "option \"%s\" needs a value",
                                argument);
        }
        value = arguments[++*index];
    }
    if (strcmp(name, "config") == 0) {
        return setting_load_file(settings, value);
    }
    return setting_set_text(settings, strcmp(name, "nodes") == 0 ? "cluster_nodes" : name, value,
                            false);
}

static int run_role(const Role *role, int count, char **arguments)
{
    SettingSet *settings = setting_set_create(NULL);
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0) {
            role_help(role);
            setting_set_destroy(settings);
            return EXIT_OK;
        }
        Status status = read_option(settings, count, arguments, &i);
        if (status != STATUS_OK) {
            role_fail(status);
            setting_set_destroy(settings);
            return EXIT_USAGE;
        }
    }
    return role->run(settings);
}

int main(int argument_count, char **arguments)
{
    const char *word = argument_count > 1 ? arguments[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0 || strcmp(word, "-h") == 0) {
        help();
        return EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("basalt %s\n", BASALT_VERSION);
        return EXIT_OK;
    }
    if (strcmp(word, "inspect") == 0) {
        return role_inspect(argument_count - 2, arguments + 2);
    }
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
        if (strcmp(word, roles[i].name) == 0 && roles[i].run != NULL) {
            // Before any other thread: those of libraries inherit it, workers ask for long turns.
            thread_ask_for_turn(THREAD_TURN_ANSWERING_US);
            return run_role(&roles[i], argument_count - 2, arguments + 2);
        }
    }
    if (word[0] != '\0') {
        fprintf(stderr, "basalt: unknown role \"%s\"\n\n", word);
    }
    help();
    return EXIT_USAGE;
}
