/* poller.h for macOS and the BSDs: kqueue. poller_epoll.c is for Linux. */
#include "poller.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000, ALARM = 1, AT_ONCE = 64 };

int64_t hsa_poller_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int change(int queue, uintptr_t ident, short filter, unsigned short flags, unsigned int fflags,
                  intptr_t data)
{
  struct kevent event;
  EV_SET(&event, ident, filter, flags, fflags, data, NULL);
  return kevent(queue, &event, 1, NULL, 0, NULL);
}

int hsa_poller_open(hsa_poller *poller)
{
  poller->timer = -1; /* the alarm is an event of the queue itself */
  poller->fd = kqueue();
  if (poller->fd < 0)
    return -1;
  fcntl(poller->fd, F_SETFD, FD_CLOEXEC);
  return 0;
}

void hsa_poller_close(hsa_poller *poller)
{
  if (poller->fd >= 0)
    close(poller->fd);
  poller->fd = -1;
}

/* A fork does not inherit a queue. The new one takes the old number if that is free; what the child may have opened
 * with that number is not ours to close. */
int hsa_poller_reopen(hsa_poller *poller)
{
  int before = poller->fd;
  if (hsa_poller_open(poller) != 0)
    return -1; /* poller->fd is -1 now, so that nothing is mistaken for it */
  if (poller->fd == before || before < 0 || fcntl(before, F_GETFD) >= 0)
    return 0;
  int moved = fcntl(poller->fd, F_DUPFD_CLOEXEC, before);
  if (moved < 0)
    return 0;
  close(moved == before ? poller->fd : moved); /* another thread may have taken the number meanwhile */
  poller->fd = moved == before ? before : poller->fd;
  return 0;
}

/* Deleting a filter that is not set fails, and changes nothing: that is no error. */
static int set(int queue, int fd, short filter, int wanted)
{
  int result = change(queue, (uintptr_t)fd, filter, wanted ? EV_ADD : EV_DELETE, 0, 0);
  return wanted ? result : 0;
}

int hsa_poller_watch(hsa_poller *poller, int fd, int interest)
{
  int read = set(poller->fd, fd, EVFILT_READ, interest & HSA_POLL_IN);
  int write = set(poller->fd, fd, EVFILT_WRITE, interest & HSA_POLL_OUT);
  return read == 0 && write == 0 ? 0 : -1;
}

int hsa_poller_alarm(hsa_poller *poller, int64_t deadline)
{
  if (deadline == 0) {
    change(poller->fd, ALARM, EVFILT_TIMER, EV_DELETE, 0, 0); /* it may not be set */
    return 0;
  }
  /* Milliseconds are the one unit that all these systems take. Rounded up, so that the alarm is never early; some
   * systems reject a timer of 0. */
  int64_t left = (deadline - hsa_poller_now() + 999999) / 1000000;
  return change(poller->fd, ALARM, EVFILT_TIMER, EV_ADD, 0, left < 1 ? 1 : (intptr_t)left);
}

int hsa_poller_ready(hsa_poller *poller, hsa_poller_event *events, int max)
{
  static const struct timespec at_once;
  struct kevent ready[AT_ONCE];
  int count = kevent(poller->fd, NULL, 0, ready, max < AT_ONCE ? max : AT_ONCE, &at_once);
  int sockets = 0;
  for (int i = 0; i < count; i++) {
    if (ready[i].filter == EVFILT_TIMER)
      continue;
    events[sockets].fd = (int)ready[i].ident;
    events[sockets].ready = ready[i].filter == EVFILT_READ ? HSA_POLL_IN : HSA_POLL_OUT;
    sockets++;
  }
  return sockets;
}
