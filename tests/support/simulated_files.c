/*
 * simulated_files.c — inodes with two contents each (visible, durable) and a log of what differs.
 *
 * Names are a list of (path, inode), once as seen and once as durable, with a log of changes
 * between.
 */
#include "tests/support/simulated_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, NAMES_MAX = 256, PATH_MAX_BYTES = 512 };

typedef struct Content {
    uint8_t *data;
    size_t bytes, capacity;
} Content;

typedef struct Change { /* of an inode since its last sync: a write, or a resize when data is null
                         */
    struct Change *next;
    uint64_t offset; /* or the new size */
    size_t bytes;
    uint8_t *data;
} Change;

typedef struct Inode {
    struct Inode *next; /* of all, until the end */
    Content visible, durable;
    Change *first_change, **last_change;
} Inode;

typedef struct Name {
    char path[PATH_MAX_BYTES];
    Inode *inode; /* null: a directory */
} Name;

typedef struct Names {
    Name items[NAMES_MAX];
    size_t count;
} Names;

typedef struct NameChange { /* target gets the inode, source goes; either may be "" */
    char source[PATH_MAX_BYTES], target[PATH_MAX_BYTES];
    Inode *inode;
    bool is_done;
} NameChange;

struct SimulatedFiles {
    FileSystem system;
    Inode *inodes;
    Names visible, durable;
    NameChange *changes; /* grows: most tests need few */
    size_t change_count, change_capacity;
    uint64_t calls, fail_call, capacity;
    int fail_error;
    bool fails_for_good;
    uint32_t era; /* rises at each cut: files of former eras fail */
};

typedef struct SimulatedFile {
    File file;
    Inode *inode;
    uint32_t era;
    char path[PATH_MAX_BYTES];
} SimulatedFile;

static const FileOps simulated_ops;

static void content_resize(Content *content, size_t bytes)
{
    if (bytes > content->capacity) {
        content->capacity = bytes * 2;
        content->data = realloc(content->data, content->capacity);
        ASSERT(content->data != NULL);
    }
    if (bytes > content->bytes) {
        memset(content->data + content->bytes, 0, bytes - content->bytes);
    }
    content->bytes = bytes;
}

static void content_write(Content *content, const void *data, size_t bytes, uint64_t offset)
{
    if (offset + bytes > content->bytes) {
        content_resize(content, offset + bytes);
    }
    if (bytes > 0) {
        memcpy(content->data + offset, data, bytes);
    }
}

static void content_copy(Content *target, const Content *source)
{
    content_resize(target, source->bytes);
    if (source->bytes > 0) {
        memcpy(target->data, source->data, source->bytes);
    }
}

static void inode_note(Inode *inode, const void *data, size_t bytes, uint64_t offset)
{
    Change *change = calloc(1, sizeof *change);
    ASSERT(change != NULL);
    *change = (Change){.offset = offset, .bytes = bytes};
    if (data != NULL) {
        change->data = malloc(bytes + 1);
        ASSERT(change->data != NULL);
        memcpy(change->data, data, bytes);
    }
    *inode->last_change = change;
    inode->last_change = &change->next;
}

static void inode_forget_changes(Inode *inode)
{
    while (inode->first_change != NULL) {
        Change *change = inode->first_change;
        inode->first_change = change->next;
        free(change->data);
        free(change);
    }
    inode->last_change = &inode->first_change;
}

static Name *names_find(Names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].path, path) == 0) {
            return &names->items[i];
        }
    }
    return NULL;
}

static void names_put(Names *names, const char *path, Inode *inode)
{
    Name *name = names_find(names, path);
    if (name == NULL) {
        ASSERT(names->count < NAMES_MAX && strlen(path) < PATH_MAX_BYTES);
        name = &names->items[names->count++];
        memcpy(name->path, path, strlen(path) + 1);
    }
    name->inode = inode;
}

static void names_remove(Names *names, const char *path)
{
    Name *name = names_find(names, path);
    if (name != NULL) {
        *name = names->items[--names->count];
    }
}

static void names_apply(Names *names, const NameChange *change)
{
    if (change->source[0] != '\0') {
        names_remove(names, change->source);
    }
    if (change->target[0] != '\0') {
        names_put(names, change->target, change->inode);
    }
}

static void change_names(SimulatedFiles *files, const char *source, const char *target,
                         Inode *inode)
{
    if (files->change_count == files->change_capacity) {
        files->change_capacity = files->change_capacity * 2 + 8;
        files->changes = realloc(files->changes, files->change_capacity * sizeof *files->changes);
        ASSERT(files->changes != NULL);
    }
    NameChange *change = &files->changes[files->change_count++];
    memset(change, 0, sizeof *change);
    strncpy(change->source, source, sizeof change->source - 1);
    strncpy(change->target, target, sizeof change->target - 1);
    change->inode = inode;
    names_apply(&files->visible, change);
}

SimulatedFiles *simulated_files_create(void)
{
    SimulatedFiles *files = calloc(1, sizeof *files);
    ASSERT(files != NULL);
    files->system.ops = &simulated_ops;
    files->capacity = UINT64_MAX;
    return files;
}

void simulated_files_destroy(SimulatedFiles *files)
{
    while (files->inodes != NULL) {
        Inode *inode = files->inodes;
        files->inodes = inode->next;
        inode_forget_changes(inode);
        free(inode->visible.data);
        free(inode->durable.data);
        free(inode);
    }
    free(files->changes);
    free(files);
}

FileSystem *simulated_files_system(SimulatedFiles *files)
{
    return &files->system;
}

// Each sector of each write survives by itself, with a likelihood drawn for the whole cut.
static void cut_inode(Inode *inode, Random *random, uint64_t survival)
{
    for (const Change *change = inode->first_change; change != NULL; change = change->next) {
        if (change->data == NULL) {
            if (random_below(random, 4) < survival) {
                content_resize(&inode->durable, change->offset);
            }
            continue;
        }
        size_t done = 0;
        while (done < change->bytes) {
            uint64_t offset = change->offset + done;
            size_t piece = SECTOR_BYTES - offset % SECTOR_BYTES;
            piece = piece < change->bytes - done ? piece : change->bytes - done;
            if (random_below(random, 4) < survival) {
                content_write(&inode->durable, change->data + done, piece, offset);
            }
            done += piece;
        }
    }
    inode_forget_changes(inode);
    content_copy(&inode->visible, &inode->durable);
}

void simulated_files_cut_power(SimulatedFiles *files, Random *random)
{
    uint64_t survival = random_below(random, 5); // quarters: nothing … everything
    for (Inode *inode = files->inodes; inode != NULL; inode = inode->next) {
        cut_inode(inode, random, survival);
    }
    size_t kept = random_below(random, files->change_count + 1);
    for (size_t i = 0; i < kept; i++) {
        if (!files->changes[i].is_done) {
            names_apply(&files->durable, &files->changes[i]);
        }
    }
    files->change_count = 0;
    files->visible = files->durable;
    files->era++;
}

void simulated_files_kill(SimulatedFiles *files)
{
    files->era++;
}

uint64_t simulated_files_calls(const SimulatedFiles *files)
{
    return files->calls;
}

void simulated_files_fail_at(SimulatedFiles *files, uint64_t call, int error, bool is_for_good)
{
    files->fail_call = call;
    files->fail_error = error;
    files->fails_for_good = is_for_good;
}

void simulated_files_set_capacity(SimulatedFiles *files, uint64_t bytes)
{
    files->capacity = bytes;
}

bool simulated_files_flip(SimulatedFiles *files, const char *path, uint64_t bit)
{
    Name *name = names_find(&files->visible, path);
    if (name == NULL || name->inode == NULL || bit / 8 >= name->inode->visible.bytes) {
        return false;
    }
    name->inode->visible.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (bit / 8 < name->inode->durable.bytes) {
        name->inode->durable.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return true;
}

int64_t simulated_files_length(SimulatedFiles *files, const char *path)
{
    Name *name = names_find(&files->visible, path);
    return name != NULL && name->inode != NULL ? (int64_t)name->inode->visible.bytes : -1;
}

static Status count_call(SimulatedFiles *files, const char *what, const char *path)
{
    files->calls++;
    bool fails = files->calls == files->fail_call ||
                 (files->fails_for_good && files->fail_call > 0 && files->calls > files->fail_call);
    return fails ? status_from_errno(files->fail_error, "simulated %s of \"%s\"", what, path)
                 : STATUS_OK;
}

static Status file_call(File *file, const char *what)
{
    SimulatedFile *self = (SimulatedFile *)file;
    SimulatedFiles *files = (SimulatedFiles *)file->system;
    if (self->era != files->era) {
        return status_from_errno(EIO, "simulated %s of \"%s\" after the end", what, self->path);
    }
    return count_call(files, what, self->path);
}

static uint64_t used_bytes(SimulatedFiles *files)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->visible.count; i++) {
        const Inode *inode = files->visible.items[i].inode;
        bytes += inode != NULL ? inode->visible.bytes : 0;
    }
    return bytes;
}

static Status check_room(SimulatedFiles *files, const SimulatedFile *file, uint64_t end)
{
    uint64_t grown = end > file->inode->visible.bytes ? end - file->inode->visible.bytes : 0;
    uint64_t used = used_bytes(files);
    if (grown > 0 && (used > files->capacity || grown > files->capacity - used)) {
        return status_from_errno(ENOSPC, "simulated write of \"%s\"", file->path);
    }
    return STATUS_OK;
}

static Status simulated_open(FileSystem *system, const char *path, uint32_t flags, File **out)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "open", path));
    Name *name = names_find(&files->visible, path);
    if (name == NULL && (flags & (FILE_CREATE | FILE_EXCLUSIVE)) == 0) {
        return status_from_errno(ENOENT, "could not open file \"%s\"", path);
    }
    if (name != NULL && (flags & FILE_EXCLUSIVE) != 0) {
        return status_from_errno(EEXIST, "could not open file \"%s\"", path);
    }
    SimulatedFile *file = calloc(1, sizeof *file);
    ASSERT(file != NULL);
    file->file.system = system;
    if (name == NULL) {
        file->inode = calloc(1, sizeof *file->inode);
        ASSERT(file->inode != NULL);
        file->inode->last_change = &file->inode->first_change;
        file->inode->next = files->inodes;
        files->inodes = file->inode;
        change_names(files, "", path, file->inode);
    } else {
        file->inode = name->inode;
    }
    file->era = files->era;
    strncpy(file->path, path, sizeof file->path - 1);
    if ((flags & FILE_TRUNCATE) != 0) {
        inode_note(file->inode, NULL, 0, 0);
        content_resize(&file->inode->visible, 0);
    }
    *out = &file->file;
    return STATUS_OK;
}

static void simulated_close(File *file)
{
    free(file);
}

static Status simulated_read(File *file, void *data, size_t bytes, uint64_t offset,
                             size_t *read_bytes)
{
    TRY(file_call(file, "read"));
    const Content *content = &((SimulatedFile *)file)->inode->visible;
    size_t left = offset < content->bytes ? content->bytes - offset : 0;
    *read_bytes = bytes < left ? bytes : left;
    if (*read_bytes > 0) {
        memcpy(data, content->data + offset, *read_bytes);
    }
    return STATUS_OK;
}

static Status simulated_write(File *file, const void *data, size_t bytes, uint64_t offset)
{
    SimulatedFile *self = (SimulatedFile *)file;
    TRY(file_call(file, "write"));
    TRY(check_room((SimulatedFiles *)file->system, self, offset + bytes));
    inode_note(self->inode, data, bytes, offset);
    content_write(&self->inode->visible, data, bytes, offset);
    return STATUS_OK;
}

static Status simulated_sync(File *file)
{
    SimulatedFile *self = (SimulatedFile *)file;
    TRY(file_call(file, "sync"));
    content_copy(&self->inode->durable, &self->inode->visible);
    inode_forget_changes(self->inode);
    return STATUS_OK;
}

static Status simulated_truncate(File *file, uint64_t bytes)
{
    SimulatedFile *self = (SimulatedFile *)file;
    TRY(file_call(file, "truncate"));
    TRY(check_room((SimulatedFiles *)file->system, self, bytes));
    inode_note(self->inode, NULL, 0, bytes);
    content_resize(&self->inode->visible, bytes);
    return STATUS_OK;
}

static Status simulated_allocate(File *file, uint64_t bytes)
{
    TRY(file_call(file, "allocate"));
    return check_room((SimulatedFiles *)file->system, (SimulatedFile *)file, bytes);
}

static Status simulated_size(File *file, uint64_t *bytes)
{
    TRY(file_call(file, "size"));
    *bytes = ((SimulatedFile *)file)->inode->visible.bytes;
    return STATUS_OK;
}

static Status simulated_remove(FileSystem *system, const char *path)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "remove", path));
    if (names_find(&files->visible, path) != NULL) {
        change_names(files, path, "", NULL);
    }
    return STATUS_OK;
}

static Status simulated_rename(FileSystem *system, const char *source, const char *target)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "rename", source));
    Name *name = names_find(&files->visible, source);
    if (name == NULL) {
        return status_from_errno(ENOENT, "could not rename \"%s\"", source);
    }
    change_names(files, source, target, name->inode);
    return STATUS_OK;
}

static Status simulated_make_directory(FileSystem *system, const char *path)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "make_directory", path));
    names_put(&files->visible, path, NULL);
    names_put(&files->durable, path, NULL);
    return STATUS_OK;
}

static bool is_in(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t bytes = slash != NULL ? (size_t)(slash - path) : 0;
    if (slash == NULL) {
        return path[0] != '\0' && strcmp(directory, ".") == 0;
    }
    return strlen(directory) == bytes && memcmp(path, directory, bytes) == 0;
}

static Status simulated_sync_directory(FileSystem *system, const char *path)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "sync_directory", path));
    for (size_t i = 0; i < files->change_count; i++) {
        NameChange *change = &files->changes[i];
        if (!change->is_done && (is_in(change->source, path) || is_in(change->target, path))) {
            names_apply(&files->durable, change);
            change->is_done = true;
        }
    }
    return STATUS_OK;
}

static Status simulated_list(FileSystem *system, const char *path,
                             Status (*visit)(void *object, const char *name, bool is_directory),
                             void *object)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "list", path));
    for (size_t i = 0; i < files->visible.count; i++) {
        const Name *name = &files->visible.items[i];
        if (is_in(name->path, path)) {
            const char *slash = strrchr(name->path, '/');
            TRY(visit(object, slash != NULL ? slash + 1 : name->path, name->inode == NULL));
        }
    }
    return STATUS_OK;
}

static Status simulated_exists(FileSystem *system, const char *path, bool *exists)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "exists", path));
    *exists = names_find(&files->visible, path) != NULL;
    return STATUS_OK;
}

static Status simulated_free_bytes(FileSystem *system, const char *path, uint64_t *bytes)
{
    SimulatedFiles *files = (SimulatedFiles *)system;
    TRY(count_call(files, "free_bytes", path));
    uint64_t used = used_bytes(files);
    *bytes = used < files->capacity ? files->capacity - used : 0;
    return STATUS_OK;
}

static const FileOps simulated_ops = {
    .open = simulated_open,
    .close = simulated_close,
    .read = simulated_read,
    .write = simulated_write,
    .sync = simulated_sync,
    .truncate = simulated_truncate,
    .allocate = simulated_allocate,
    .size = simulated_size,
    .remove = simulated_remove,
    .rename = simulated_rename,
    .make_directory = simulated_make_directory,
    .sync_directory = simulated_sync_directory,
    .list = simulated_list,
    .exists = simulated_exists,
    .free_bytes = simulated_free_bytes,
};
