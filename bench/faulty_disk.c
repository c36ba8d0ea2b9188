/*
 * A disk that fails, or is slow, for the files below one folder: preloaded into a
 * process, it stands between LMDB and the C library. bench/faulty_disk.py builds it
 * and says how it is told what to do.
 *
 * It knows the ways in which LMDB writes without MDB_WRITEMAP, and Python's: write,
 * writev, pwrite, pwritev, fsync, fdatasync. A write to a file opened with O_DSYNC, as LMDB's
 * last write of a commit is, is a flush as well. A map that is written to (msync) is
 * not seen.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Shared by all processes, so that one sequence of draws is for all of them, and what
 * is asked of them can change while they run. bench/faulty_disk.py writes and reads
 * these fields in this order. */
struct control {
    uint64_t failures_ppm;
    uint64_t flush_delay_us;
    uint64_t seed;
    uint64_t draws;
    uint64_t failed_writes;
    uint64_t failed_flushes;
    uint64_t delayed_flushes;
};

static struct control *control;
static const char *folder;
static size_t folder_bytes;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTY_DISK_CONTROL");
    folder = getenv("FAULTY_DISK_FOLDER");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 || folder == NULL
                    ? MAP_FAILED
                    : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE,
                           MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        /* A test that injects nothing by mistake would prove nothing. */
        fprintf(stderr, "faulty_disk: set FAULTY_DISK_CONTROL, FAULTY_DISK_FOLDER\n");
        abort();
    }
    close(fd);
    control = map;
    folder_bytes = strlen(folder);
}

static uint64_t add(uint64_t *count)
{
    return __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static int is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    if (control == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link, path, sizeof path);
    return bytes > (ssize_t)folder_bytes && path[folder_bytes] == '/' &&
           memcmp(path, folder, folder_bytes) == 0;
}

/* The next number of the sequence (splitmix64). */
static uint64_t draw(void)
{
    uint64_t z = control->seed + (add(&control->draws) + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* What becomes of one call: whether it is made, and the error it is to end with. */
struct fate {
    int is_made;
    int error;
};

static struct fate fate_of(uint64_t *failed)
{
    struct fate fate = {1, 0};
    uint64_t ppm = __atomic_load_n(&control->failures_ppm, __ATOMIC_RELAXED);
    if (ppm == 0)
        return fate;
    uint64_t drawn = draw();
    if (drawn % 1000000 < ppm) {
        add(failed);
        /* What failed may have reached the disk all the same. */
        fate.is_made = drawn >> 62 & 1;
        fate.error = drawn >> 63 ? ENOSPC : EIO;
    }
    return fate;
}

static void delay_flush(void)
{
    uint64_t us = __atomic_load_n(&control->flush_delay_us, __ATOMIC_RELAXED);
    if (us == 0)
        return;
    struct timespec left = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    add(&control->delayed_flushes);
}

#define REAL(name)                                                                   \
    static __typeof__(&name) real;                                                   \
    if (real == NULL)                                                                \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);

#define ENDING_AS(fate, result)                                                      \
    if (fate.error != 0) {                                                           \
        errno = fate.error;                                                          \
        return -1;                                                                   \
    }                                                                                \
    return result;

#define WRITE(name, parameters, arguments)                                           \
    ssize_t name parameters                                                          \
    {                                                                                \
        REAL(name)                                                                   \
        if (!is_ours(fd))                                                            \
            return real arguments;                                                   \
        int flushes = fcntl(fd, F_GETFL) & O_DSYNC;                                  \
        struct fate fate = fate_of(flushes ? &control->failed_flushes                \
                                           : &control->failed_writes);               \
        ssize_t written = fate.is_made ? real arguments : 0;                         \
        if (flushes)                                                                 \
            delay_flush();                                                           \
        ENDING_AS(fate, written)                                                     \
    }

#define FLUSH(name)                                                                  \
    int name(int fd)                                                                 \
    {                                                                                \
        REAL(name)                                                                   \
        if (!is_ours(fd))                                                            \
            return real(fd);                                                         \
        struct fate fate = fate_of(&control->failed_flushes);                        \
        int flushed = fate.is_made ? real(fd) : 0;                                   \
        delay_flush();                                                               \
        ENDING_AS(fate, flushed)                                                     \
    }

#define BUFFER int fd, const void *bytes, size_t count
#define VECTOR int fd, const struct iovec *parts, int count

WRITE(write, (BUFFER), (fd, bytes, count))
WRITE(writev, (VECTOR), (fd, parts, count))
WRITE(pwrite, (BUFFER, off_t offset), (fd, bytes, count, offset))
WRITE(pwrite64, (BUFFER, off64_t offset), (fd, bytes, count, offset))
WRITE(pwritev, (VECTOR, off_t offset), (fd, parts, count, offset))
WRITE(pwritev64, (VECTOR, off64_t offset), (fd, parts, count, offset))
FLUSH(fsync)
FLUSH(fdatasync)
