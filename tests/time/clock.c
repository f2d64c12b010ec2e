/* A clock of one's own for the program under test: added to a copy of it as a library that it needs.
 *
 * Beside this library lies a file, "clock", which whoever tests writes: what to add to the time of day and to the time since
 * the machine was started, or the one moment at which the time of day stands still. It may change while the program runs, as when
 * a clock is set or a machine sleeps: timers are then woken as the kernel would do it.
 *
 * The program asks the kernel without the C library where it can, so a filter hands those calls to a handler here. A call
 * of our own has a mark in the upper half of an argument that the kernel doesn't look at. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MARK 0x5eedL
#define MARKED(value) ((MARK << 32) | (uint32_t)(value))
#define GET_AUXV 0x41555856
#define FDS 1024
#define SECOND 1000000000LL

struct told {
    volatile uint64_t generation;
    volatile int64_t stands_still; /* 1: `wall` is the moment itself */
    volatile int64_t wall_seconds, wall_nanos;
    volatile int64_t boot_seconds;
};

static struct told *told;
static signed char clock_of[FDS]; /* 0 none, 1 the time of day, 2 since the start */
static int64_t boot_seen;

static void real(clockid_t id, struct timespec *at) { syscall(SYS_clock_gettime, MARKED(id), at); }

static void wall(struct timespec *at) {
    struct timespec now = {0, 0};
    if (!told->stands_still) real(CLOCK_REALTIME, &now);
    now.tv_sec += told->wall_seconds;
    now.tv_nsec += told->wall_nanos;
    if (now.tv_nsec >= SECOND) { now.tv_nsec -= SECOND; now.tv_sec++; }
    *at = now;
}

static int told_time(clockid_t id, struct timespec *at) {
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) { wall(at); return 0; }
    real(id, at);
    if (id == CLOCK_BOOTTIME) at->tv_sec += told->boot_seconds;
    return 0;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    if (!told) return (int)syscall(SYS_clock_gettime, MARKED(id), at);
    return told_time(id, at);
}

static long set(int fd, int flags, const struct itimerspec *to, struct itimerspec *old) {
    struct itimerspec changed = *to;
    if (fd >= 0 && fd < FDS && clock_of[fd] == 1 && (flags & TFD_TIMER_ABSTIME) && (to->it_value.tv_sec || to->it_value.tv_nsec)) {
        struct timespec now;
        wall(&now);
        __int128 left = ((__int128)to->it_value.tv_sec - now.tv_sec) * SECOND + to->it_value.tv_nsec - now.tv_nsec;
        if (left < 1) left = 1;
        /* A clock that stands still never gets there. */
        if (told->stands_still || left > (__int128)SECOND * 100000000) left = (__int128)SECOND * 100000000;
        changed.it_value.tv_sec = (time_t)(left / SECOND);
        changed.it_value.tv_nsec = (long)(left % SECOND);
        flags = 0;
    }
    long done = syscall(SYS_timerfd_settime, fd, MARKED(flags), &changed, old);
    return done < 0 ? -errno : done;
}

static long answer(long number, const long *a) {
    long done;
    switch (number) {
    case SYS_clock_gettime:
        return told_time((clockid_t)a[0], (struct timespec *)a[1]);
    case SYS_timerfd_create:
        done = syscall(number, a[0], MARKED(a[1]));
        if (done >= 0 && done < FDS) clock_of[done] = a[0] == CLOCK_REALTIME ? 1 : a[0] == CLOCK_BOOTTIME ? 2 : 0;
        break;
    case SYS_timerfd_settime:
        return set((int)a[0], (int)a[1], (const struct itimerspec *)a[2], (struct itimerspec *)a[3]);
    default: { /* prctl(GET_AUXV): without the page of the kernel by which the time is read with no call at all */
        done = syscall(number, MARKED(a[0]), a[1], a[2], a[3], a[4]);
        unsigned long *pair = (unsigned long *)a[1];
        for (long left = done < a[2] ? done : a[2]; left >= 16; left -= 16, pair += 2)
            if (pair[0] == 33) pair[0] = 1; /* AT_SYSINFO_EHDR becomes AT_IGNORE */
    }
    }
    return done < 0 ? -errno : done;
}

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    int before = errno;
    ucontext_t *at = context;
#if defined(__x86_64__)
    greg_t *r = at->uc_mcontext.gregs;
    long a[] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8]};
    r[REG_RAX] = answer(info->si_syscall, a);
#elif defined(__aarch64__)
    unsigned long long *r = at->uc_mcontext.regs;
    long a[] = {(long)r[0], (long)r[1], (long)r[2], (long)r[3], (long)r[4]};
    r[0] = (unsigned long long)answer(info->si_syscall, a);
#else
#error "say where this machine keeps a call's arguments"
#endif
    errno = before;
}

/* What the kernel does when its clock is set, or when the machine wakes up. */
static void *watch(void *nothing) {
    uint64_t seen = told->generation;
    boot_seen = told->boot_seconds;
    for (;;) {
        struct timespec nap = {0, 2000000};
        nanosleep(&nap, NULL);
        if (told->generation == seen) continue;
        seen = told->generation;
        int64_t slept = told->boot_seconds - boot_seen;
        boot_seen = told->boot_seconds;
        for (int fd = 0; fd < FDS; fd++) {
            struct itimerspec left;
            if (!clock_of[fd] || timerfd_gettime(fd, &left) || !(left.it_value.tv_sec || left.it_value.tv_nsec)) continue;
            if (clock_of[fd] == 1 || left.it_value.tv_sec <= slept) left.it_value = (struct timespec){0, 1};
            else left.it_value.tv_sec -= slept;
            syscall(SYS_timerfd_settime, fd, MARKED(0), &left, NULL);
        }
    }
    return nothing;
}

#define LOW(n) offsetof(struct seccomp_data, args[n])
#define HIGH(n) (offsetof(struct seccomp_data, args[n]) + 4)
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

__attribute__((constructor)) static void begin(void) {
    Dl_info here;
    char path[4096];
    if (!dladdr(&told, &here) || snprintf(path, sizeof path, "%s", here.dli_fname) <= 0) _exit(97);
    char *slash = strrchr(path, '/');
    if (!slash) _exit(97);
    strcpy(slash, "/clock");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, sizeof *told, PROT_READ, MAP_SHARED, fd, 0);
    if (fd < 0 || page == MAP_FAILED) _exit(97);
    close(fd);
    told = page;
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART | SA_ONSTACK};
    sigaction(SIGSYS, &action, NULL);
    struct sock_filter filter[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        /* 1 */ IS(SYS_timerfd_settime, 4, 0),
        /* 2 */ IS(SYS_timerfd_create, 3, 0),
        /* 3 */ IS(SYS_clock_gettime, 6, 0),
        /* 4 */ IS(SYS_prctl, 3, 0),
        /* 5 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* 6 */ LOAD(HIGH(1)),
        /* 7 */ IS(MARK, 4, 5),
        /* 8 */ LOAD(LOW(0)),
        /* 9 */ IS(GET_AUXV, 0, 2),
        /* 10 */ LOAD(HIGH(0)),
        /* 11 */ IS(MARK, 0, 1),
        /* 12 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* 13 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) _exit(98);
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, watch, NULL)) _exit(99);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
