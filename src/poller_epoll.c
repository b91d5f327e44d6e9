/* poller.h for Linux: epoll and a timerfd. poller_kqueue.c is for macOS and the BSDs. */
#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
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

int hsa_poller_open(hsa_poller *poller)
{
  poller->fd = epoll_create1(EPOLL_CLOEXEC);
  poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = poller->timer};
  if (poller->fd >= 0 && poller->timer >= 0
      && epoll_ctl(poller->fd, EPOLL_CTL_ADD, poller->timer, &event) == 0)
    return 0;
  int reason = errno;
  hsa_poller_close(poller);
  errno = reason;
  return -1;
}

void hsa_poller_close(hsa_poller *poller)
{
  if (poller->fd >= 0)
    close(poller->fd);
  if (poller->timer >= 0)
    close(poller->timer);
  poller->fd = poller->timer = -1;
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
  close(poller->timer);
  poller->timer = fresh.timer;
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
    /* This fails when the socket is closed already, which ended the watching. */
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  if (epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event) == 0)
    return 0;
  return errno == ENOENT ? epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) : -1;
}

int hsa_poller_alarm(hsa_poller *poller, int64_t deadline)
{
  struct itimerspec when = {
    .it_value = {.tv_sec = (time_t)(deadline / SECOND), .tv_nsec = (long)(deadline % SECOND)}};
  return timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int hsa_poller_ready(hsa_poller *poller, hsa_poller_event *events, int max)
{
  struct epoll_event ready[64];
  int room = max < 64 ? max : 64;
  int count = epoll_wait(poller->fd, ready, room, 0);
  int sockets = 0;
  for (int i = 0; i < count; i++) {
    if (ready[i].data.fd == poller->timer)
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
