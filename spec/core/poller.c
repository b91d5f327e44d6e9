/* Checks what src/poller.h promises: when the descriptor is readable, and whom it wakes. For poller_spec.lua. */
#define _GNU_SOURCE
#include "../../src/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

enum { LONG = 10000 };

static const int64_t MILLISECOND = 1000000;

static int failures;

static void check(int holds, const char *what)
{
  if (!holds) {
    printf("not so: %s\n", what);
    failures++;
  }
}

static hsa_poller open_poller(void)
{
  hsa_poller poller;
  if (hsa_poller_open(&poller) != 0) {
    puts("no poller");
    exit(1);
  }
  return poller;
}

static int is_readable(int fd, int milliseconds)
{
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  return poll(&polled, 1, milliseconds) == 1;
}

static int64_t hours(int count)
{
  return hsa_poller_now() + count * 3600 * 1000 * MILLISECOND;
}

static void check_alarm(void)
{
  hsa_poller poller = open_poller();
  hsa_poller_event events[4];
  check(!is_readable(poller.fd, 0), "without an alarm, it is silent");
  hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
  check(is_readable(poller.fd, LONG), "an alarm that is due makes it readable");
  check(hsa_poller_ready(&poller, events, 4) == 0, "an alarm is no socket");
  check(is_readable(poller.fd, 0), "it stays readable until the next alarm is set");
  hsa_poller_alarm(&poller, 0);
  check(!is_readable(poller.fd, 0), "no alarm ends the one that was due");
  hsa_poller_alarm(&poller, hours(1));
  hsa_poller_alarm(&poller, hsa_poller_now());
  check(is_readable(poller.fd, LONG), "one that is due takes the place of a later one");
  int64_t later = hours(1);
  hsa_poller_alarm(&poller, later);
  check(!is_readable(poller.fd, 0), "a later one takes the place of one that was due");
  hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
  hsa_poller_alarm(&poller, later);
  check(!is_readable(poller.fd, 0), "also when it is the same as before");
  hsa_poller_close(&poller);
}

static void check_time(void)
{
  hsa_poller poller = open_poller();
  for (int i = 0; i < 3; i++) {
    int64_t deadline = hsa_poller_now() + 5 * MILLISECOND;
    hsa_poller_alarm(&poller, hours(1));
    hsa_poller_alarm(&poller, deadline);
    check(is_readable(poller.fd, LONG), "an alarm to come comes, also after another came");
    check(hsa_poller_now() >= deadline, "it is not early");
    if (i == 1)
      hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
    hsa_poller_alarm(&poller, 0);
    check(!is_readable(poller.fd, 0), "an alarm that came can be ended");
  }
  hsa_poller_close(&poller);
}

static void check_socket(void)
{
  hsa_poller poller = open_poller();
  hsa_poller_event events[4];
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
    exit(1);
  hsa_poller_watch(&poller, pair[0], HSA_POLL_IN);
  hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
  check(hsa_poller_ready(&poller, events, 4) == 0, "a socket with nothing to read is not ready");
  check(write(pair[1], "x", 1) == 1 && is_readable(poller.fd, LONG), "what can be read makes it readable");
  int count = hsa_poller_ready(&poller, events, 4);
  check(count == 1 && events[0].fd == pair[0] && events[0].ready == HSA_POLL_IN, "it tells the socket");
  hsa_poller_alarm(&poller, 0);
  check(is_readable(poller.fd, 0), "no alarm leaves it readable for the socket");
  check(hsa_poller_watch(&poller, pair[0], HSA_POLL_OUT) == 0, "a socket can be watched for another thing");
  count = hsa_poller_ready(&poller, events, 4);
  check(count == 1 && events[0].ready == HSA_POLL_OUT, "it is watched for that, in place of the one before");
  hsa_poller_watch(&poller, pair[0], HSA_POLL_IN);
  count = hsa_poller_ready(&poller, events, 4);
  check(count == 1 && events[0].ready == HSA_POLL_IN, "and for the one before again");
  hsa_poller_watch(&poller, pair[0], 0);
  check(!is_readable(poller.fd, 0), "a socket that is not watched does not make it readable");
  hsa_poller_watch(&poller, pair[0], HSA_POLL_IN);
  check(hsa_poller_ready(&poller, events, 4) == 1, "it can be watched again, with what came before that");
  hsa_poller_watch(&poller, pair[0], 0);
  hsa_poller_watch(&poller, pair[0], 0);
  check(hsa_poller_ready(&poller, events, 4) == 0, "it may be told twice that it is not watched");
  hsa_poller_watch(&poller, pair[0], HSA_POLL_IN);
  check(hsa_poller_ready(&poller, events, 4) == 1, "and be watched again after that");
  close(pair[0]);
  close(pair[1]);
  hsa_poller_close(&poller);
}

/* A forked child's poller has the same number, and is its own. */
static void check_fork(void)
{
  hsa_poller poller = open_poller();
  hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
  pid_t child = fork();
  if (child == 0) {
    int fd = poller.fd, failed = failures;
    check(hsa_poller_reopen(&poller) == 0 && poller.fd == fd, "a child's poller has the same number");
    check(!is_readable(poller.fd, 0), "a child's poller has no alarm");
    hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
    check(is_readable(poller.fd, LONG), "a child's alarm makes its poller readable");
    hsa_poller_alarm(&poller, 0);
    check(!is_readable(poller.fd, 0), "a child ends its own alarm");
    hsa_poller_close(&poller);
    fflush(stdout);
    _exit(failures > failed);
  }
  int status = -1;
  waitpid(child, &status, 0);
  check(status == 0, "all that holds in a child");
  check(is_readable(poller.fd, LONG), "a child does not end its parent's alarm");
  hsa_poller_alarm(&poller, 0);
  check(!is_readable(poller.fd, 0), "a child does not keep its parent's alarm");
  hsa_poller_close(&poller);
}

static int open_descriptors(void)
{
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static int lowest_descriptor(void)
{
  int fd = dup(1);
  close(fd);
  return fd;
}

static void check_limit(void)
{
  struct rlimit limit, before;
  for (int fd = 3; fd < 256; fd++)
    close(fd); /* what was inherited leaves gaps */
  int lowest = lowest_descriptor(), open = open_descriptors(), left = 0, opened = -1;
  getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  for (; opened != 0; left++) {
    hsa_poller poller;
    limit.rlim_cur = (rlim_t)lowest + (rlim_t)left;
    setrlimit(RLIMIT_NOFILE, &limit);
    errno = 0;
    opened = hsa_poller_open(&poller);
    int reason = errno;
    setrlimit(RLIMIT_NOFILE, &before);
    check(opened == 0 || (reason == EMFILE && poller.fd == -1), "without a descriptor, the reason is told");
    check(opened != 0 || open_descriptors() == open + left, "a poller takes no more than it needs");
    if (opened == 0)
      hsa_poller_close(&poller);
    check(open_descriptors() == open, "all of it is closed");
  }
}

#ifdef __linux__
static int wakes(int outer, int milliseconds)
{
  struct epoll_event event;
  return epoll_wait(outer, &event, 1, milliseconds) == 1;
}

/* Who watches edge-triggered is woken by a change alone, which each alarm has to be. `silent` is a socket. */
static void check_edges(int silent)
{
  hsa_poller poller = open_poller();
  hsa_poller_event events[4];
  if (silent >= 0)
    hsa_poller_watch(&poller, silent, HSA_POLL_IN);
  int outer = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  epoll_ctl(outer, EPOLL_CTL_ADD, poller.fd, &event);
  for (int i = 0; i < 3; i++) {
    hsa_poller_alarm(&poller, HSA_POLLER_AT_ONCE);
    check(wakes(outer, LONG), "each alarm that is due wakes who watches for edges");
    check(!wakes(outer, 0), "it wakes once");
    hsa_poller_ready(&poller, events, 4);
    hsa_poller_alarm(&poller, 0);
    hsa_poller_alarm(&poller, hsa_poller_now() + MILLISECOND);
    check(wakes(outer, LONG), "each alarm to come wakes who watches for edges");
    hsa_poller_ready(&poller, events, 4);
    hsa_poller_alarm(&poller, hsa_poller_now());
    check(wakes(outer, LONG), "also without an end between them");
    hsa_poller_alarm(&poller, hsa_poller_now());
    check(wakes(outer, LONG), "also where the one before was due");
    hsa_poller_alarm(&poller, 0);
  }
  close(outer);
  hsa_poller_close(&poller);
}
#endif

int main(void)
{
  check_alarm();
  check_time();
  check_socket();
  check_fork();
  check_limit();
#ifdef __linux__
  check_edges(-1);
  check_edges(socket(AF_UNIX, SOCK_DGRAM, 0));
#endif
  puts(failures == 0 ? "checked" : "failed");
  return failures;
}
