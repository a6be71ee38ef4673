/* Recorder: notes every call that changes the files below a folder, and lets one of them fail.

   It is preloaded with LD_PRELOAD. Its settings are variables of the environment, which it reads
   when a program starts and when the program calls `recorder_start`:

       RECORDER_ROOT   the folder, as an absolute path without symbolic links; empty for none
       RECORDER_LOG    the file that the calls are appended to, outside of the folder
       RECORDER_FAIL   the number of the call that fails, from 1; 0 for none
       RECORDER_ERRNO  its error; after ENOSPC, every later call that needs space fails, too

   Each entry of the log is a header, the path and the data: the bytes that were written, or the
   new path of a rename or a link. Streams of C (fopen) are not seen; the tests compare what they
   rebuild from the log with the disk. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#define HERE AT_FDCWD
#define SETTING(name) (getenv(name) ? getenv(name) : "")
#define ALSO(other, name) extern __typeof__(name) other __attribute__((alias(#name)))

struct header {
    uint32_t kind, path_size;
    uint64_t number, inode, place, size;
};

static char root[PATH_MAX];
static size_t root_size;
static int log_file, fail_errno;
static long calls, fail;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) void recorder_start(void) {
    calls = 0;
    fail = atol(SETTING("RECORDER_FAIL"));
    fail_errno = atoi(SETTING("RECORDER_ERRNO"));
    root_size = strlen(strcpy(root, SETTING("RECORDER_ROOT")));
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int file = root_size ? syscall(SYS_openat, HERE, SETTING("RECORDER_LOG"), flags, 0644) : -1;
    log_file = fcntl(file, F_DUPFD_CLOEXEC, 900); /* no program looks for a free number there */
    syscall(SYS_close, file);
}

/* Count a call and return whether it must fail. Otherwise the lock is held until `end`. */
static int begin(int needs_space) {
    pthread_mutex_lock(&lock);
    calls++;
    int still_full = needs_space && fail_errno == ENOSPC && calls > fail;
    if (!fail || !(calls == fail || still_full))
        return 0;
    pthread_mutex_unlock(&lock);
    errno = fail_errno;
    return 1;
}

static void note(int kind, ino_t inode, off_t place, const char *path, const void *data, size_t size) {
    struct header head = {kind, strlen(path), calls, inode, place, size};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path_size}, {(void *)data, size}};
    if (syscall(SYS_writev, log_file, parts, 3) < 0)
        abort();
}

static long end(long result) {
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

static int is_below(const char *path) {
    return !strncmp(path, root, root_size) && (path[root_size] == '/' || !path[root_size]);
}

/* Find the absolute path of a name, and return whether it is below the folder. */
static int find(int folder, const char *name, char *path) {
    char link[64];
    ssize_t size = 0;
    if (!root_size || !name)
        return 0;
    if (name[0] != '/') {
        snprintf(link, sizeof link, folder == HERE ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        if ((size = readlink(link, path, PATH_MAX - 1)) < 0)
            return 0;
        path[size++] = '/';
    }
    snprintf(path + size, PATH_MAX - size, "%s", name);
    return is_below(path);
}

/* Find the path and the state of an open file or folder, and return whether it is below. */
static int find_open(int file, char *path, struct stat *state) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = root_size ? readlink(link, path, PATH_MAX - 1) : 0;
    path[size < 0 ? 0 : size] = 0;
    return size > 0 && is_below(path) && !fstat(file, state);
}

int openat(int folder, const char *name, int flags, ...) {
    char path[PATH_MAX];
    struct stat state;
    va_list rest;
    mode_t mode = (va_start(rest, flags), va_arg(rest, mode_t));
    va_end(rest);
    if ((flags & O_ACCMODE) == O_RDONLY || !find(folder, name, path))
        return syscall(SYS_openat, folder, name, flags, mode);
    if (begin(flags & O_CREAT))
        return -1;
    int is_new = fstatat(HERE, path, &state, 0) < 0;
    int file = syscall(SYS_openat, folder, name, flags, mode);
    if (file >= 0 && (flags & O_TMPFILE) != O_TMPFILE && !fstat(file, &state))
        note(is_new ? 'C' : flags & O_TRUNC ? 'T' : 'O', state.st_ino, 0, path, "", 0);
    return end(file);
}
int open(const char *name, int flags, ...) {
    va_list rest;
    mode_t mode = (va_start(rest, flags), va_arg(rest, mode_t));
    va_end(rest);
    return openat(HERE, name, flags, mode);
}
ALSO(open64, open);
ALSO(openat64, openat);

/* Write to an open file, at a place or, if that is negative, where the file stands. */
static ssize_t write_noted(int file, const struct iovec *parts, int count, off_t place) {
    char path[PATH_MAX];
    struct stat state;
    int is_noted = find_open(file, path, &state) && S_ISREG(state.st_mode);
    if (is_noted && begin(1))
        return -1;
    off_t start = place;
    if (is_noted && place < 0)
        start = fcntl(file, F_GETFL) & O_APPEND ? state.st_size : lseek(file, 0, SEEK_CUR);
    ssize_t done = place < 0 ? syscall(SYS_writev, file, parts, count)
                             : syscall(SYS_pwritev, file, parts, count, place, 0);
    for (ssize_t left = is_noted ? done : 0; left > 0; left -= (parts++)->iov_len) {
        size_t size = (size_t)left < parts->iov_len ? (size_t)left : parts->iov_len;
        note('W', state.st_ino, start + done - left, path, parts->iov_base, size);
    }
    return is_noted ? end(done) : done;
}
ssize_t write(int file, const void *data, size_t size) {
    return write_noted(file, &(struct iovec){(void *)data, size}, 1, -1);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t place) {
    return write_noted(file, &(struct iovec){(void *)data, size}, 1, place);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
    return write_noted(file, parts, count, -1);
}
ALSO(pwrite64, pwrite);

/* Programs that let the kernel copy read and write themselves after this error. */
ssize_t sendfile(int out, int in, off_t *place, size_t size) {
    char path[PATH_MAX];
    struct stat state;
    errno = ENOTSOCK;
    return find_open(out, path, &state) ? -1 : syscall(SYS_sendfile, out, in, place, size);
}
ALSO(sendfile64, sendfile);

static int on_file(int kind, int number, int file, off_t size) {
    char path[PATH_MAX];
    struct stat state;
    int is_noted = find_open(file, path, &state);
    if (is_noted && begin(0))
        return -1;
    int result = syscall(number, file, size);
    if (is_noted && !result)
        note(kind, state.st_ino, size, path, "", 0);
    return is_noted ? end(result) : result;
}
int fsync(int file) { return on_file('S', SYS_fsync, file, 0); }
int ftruncate(int file, off_t size) { return on_file('T', SYS_ftruncate, file, size); }
ALSO(fdatasync, fsync);
ALSO(ftruncate64, ftruncate);

/* A call on a name, of which `other` is the new one or NULL. */
static int on_name(int kind, int number, int f, const char *name, int g, const char *other, int last) {
    char from[PATH_MAX], to[PATH_MAX] = "";
    int is_noted = find(f, name, from) | find(g, other, to);
    if (is_noted && begin(kind == 'D' || kind == 'R' || kind == 'L'))
        return -1;
    int result = other ? syscall(number, f, name, g, other, last) : syscall(number, f, name, last);
    if (is_noted && !result)
        note(kind, 0, 0, from, to, strlen(to));
    return is_noted ? end(result) : result;
}
int renameat(int f, const char *a, int g, const char *b) {
    return on_name('R', SYS_renameat2, f, a, g, b, 0);
}
int rename(const char *a, const char *b) { return renameat(HERE, a, HERE, b); }
int link(const char *a, const char *b) { return on_name('L', SYS_linkat, HERE, a, HERE, b, 0); }
int mkdir(const char *a, mode_t mode) { return on_name('D', SYS_mkdirat, HERE, a, HERE, NULL, mode); }
int unlinkat(int f, const char *a, int flags) {
    return on_name(flags & AT_REMOVEDIR ? 'X' : 'U', SYS_unlinkat, f, a, HERE, NULL, flags);
}
int unlink(const char *a) { return unlinkat(HERE, a, 0); }
int rmdir(const char *a) { return unlinkat(HERE, a, AT_REMOVEDIR); }
