/*
 * replay_main.c — gives a fuzz target the inputs that are kept, without a fuzzer: the files named
 * on the command line and the files of the folders named there. A folder may be missing; no input
 * at all is a failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static _Noreturn void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

/* Each input lies in memory of its own size, so that a read past its end is seen. */
static void replay_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        fail("open", path);
    }
    size_t bytes = (size_t)info.st_size;
    uint8_t *data = malloc(bytes);
    if ((data == NULL && bytes > 0) || fread(data, 1, bytes, file) != bytes) {
        fail("read", path);
    }
    fclose(file);
    printf("%s\n", path);
    fflush(stdout); // the last line names the input that stopped the program
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
}

static size_t replay_folder(const char *path)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    size_t replayed = 0;
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            replay_file(file);
            replayed++;
        }
        free(names[i]);
    }
    free(names);
    return replayed;
}

int main(int argc, char **argv)
{
    size_t replayed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            if (errno != ENOENT) {
                fail("open", argv[i]);
            }
        } else if (S_ISDIR(info.st_mode)) {
            replayed += replay_folder(argv[i]);
        } else {
            replay_file(argv[i]);
            replayed++;
        }
    }
    printf("%zu inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
