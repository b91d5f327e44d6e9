/* poller.h for Linux: epoll, a timerfd for an alarm to come, and an eventfd for one that is due. A timerfd would do for
 * both, but one that is due at once takes an interrupt: 20 to 35 microseconds on a virtual machine, where writing to an
 * eventfd and reading it takes 1. Watching an eventfd that is always readable only while the alarm is due is as cheap,
 * but does not wake who watches the poller edge-triggered, where it was due before. poller_kqueue.c is for macOS and
 * the BSDs. */
#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

int64_t hsa_poller_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int add(const hsa_poller *poller, int fd)
{
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event);
}

int hsa_poller_open(hsa_poller *poller)
{
  *poller = HSA_POLLER_CLOSED;
  poller->fd = epoll_create1(EPOLL_CLOEXEC);
  poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  poller->due = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (poller->fd >= 0 && poller->timer >= 0 && poller->due >= 0 && add(poller, poller->timer) == 0
      && add(poller, poller->due) == 0)
    return 0;
  int reason = errno;
  hsa_poller_close(poller);
  errno = reason;
  return -1;
}

static void close_alarm(const hsa_poller *poller)
{
  if (poller->timer >= 0)
    close(poller->timer);
  if (poller->due >= 0)
    close(poller->due);
}

void hsa_poller_close(hsa_poller *poller)
{
  if (poller->fd >= 0)
    close(poller->fd);
  close_alarm(poller);
  *poller = HSA_POLLER_CLOSED;
}

int hsa_poller_reopen(hsa_poller *poller)
{
  hsa_poller fresh;
  if (hsa_poller_open(&fresh) != 0)
    return -1;
  if (dup3(fresh.fd, poller->fd, O_CLOEXEC) < 0) {
    int reason = errno;
    hsa_poller_close(&fresh);
    errno = reason;
    return -1;
  }
  close(fresh.fd);
  close_alarm(poller);
  fresh.fd = poller->fd;
  *poller = fresh;
  return 0;
}

int hsa_poller_watch(hsa_poller *poller, int fd, int interest)
{
  struct epoll_event event = {.data.fd = fd};
  if (interest & HSA_POLL_IN)
    event.events |= EPOLLIN;
  if (interest & HSA_POLL_OUT)
    event.events |= EPOLLOUT;
  if (interest == 0) {
    /* This fails when the socket is closed already, which ended the watching: then `watched` stays too high. */
    poller->watched -= epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, &event) == 0;
    return 0;
  }
  /* Most are new: libcurl ends the watching of a socket with each transfer. */
  if (epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) == 0) {
    poller->watched++;
    return 0;
  }
  return errno == EEXIST ? epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event) : -1;
}

/* Each alarm that is due is written, so that each is an edge. */
static int ring(hsa_poller *poller)
{
  static const uint64_t one = 1;
  if (write(poller->due, &one, sizeof one) != sizeof one)
    return -1;
  poller->is_due = 1;
  return 0; /* a timer that is still set does no harm before the next alarm */
}

static void end_ring(hsa_poller *poller)
{
  uint64_t rung;
  if (poller->is_due)
    (void)!read(poller->due, &rung, sizeof rung); /* it fails when there is nothing to end */
  poller->is_due = 0;
}

int hsa_poller_alarm(hsa_poller *poller, int64_t deadline)
{
  if (deadline != 0 && deadline <= hsa_poller_now())
    return ring(poller);
  end_ring(poller);
  if (deadline == poller->timed)
    return 0;
  struct itimerspec when = {
    .it_value = {.tv_sec = (time_t)(deadline / SECOND), .tv_nsec = (long)(deadline % SECOND)}};
  if (timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
    return -1;
  poller->timed = deadline;
  return 0;
}

int hsa_poller_ready(hsa_poller *poller, hsa_poller_event *events, int max)
{
  if (poller->watched == 0)
    return 0; /* as before a call's first byte is sent */
  struct epoll_event ready[64];
  int room = max < 64 ? max : 64;
  int count = epoll_wait(poller->fd, ready, room, 0);
  int sockets = 0;
  for (int i = 0; i < count; i++) {
    if (ready[i].data.fd == poller->timer || ready[i].data.fd == poller->due)
      continue;
    events[sockets].fd = ready[i].data.fd;
    /* An error or a hang-up is reported when the socket is read or written. */
    int broken = (ready[i].events & (EPOLLERR | EPOLLHUP)) != 0;
    events[sockets].ready = (broken || (ready[i].events & EPOLLIN) ? HSA_POLL_IN : 0)
                            | (broken || (ready[i].events & EPOLLOUT) ? HSA_POLL_OUT : 0);
    sockets++;
  }
  return sockets;
}
