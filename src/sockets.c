/* The sockets of a transport: opened for libcurl, watched by the poller, quiet while writing leads nowhere, cut off
 * when a peer floods. Knows neither libcurl nor HTTP. */
#define _GNU_SOURCE
#include "sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t FIRST_QUIET = 1000000, LONGEST_QUIET = 64000000; /* nanoseconds */

static hsa_socket *find(const hsa_sockets *sockets, int fd)
{
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->list[i].fd == fd)
      return &sockets->list[i];
  return NULL;
}

int hsa_sockets_open(hsa_sockets *sockets, int family, int type, int protocol)
{
  if (sockets->count == sockets->room) {
    size_t room = sockets->room * 2 + 8;
    hsa_socket *list = realloc(sockets->list, room * sizeof *list);
    if (list == NULL)
      return -1;
    sockets->list = list;
    sockets->room = room;
  }
  int fd = socket(family, type, protocol);
  if (fd < 0)
    return -1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  sockets->list[sockets->count++] = (hsa_socket){.fd = fd};
  return fd;
}

int hsa_sockets_close(hsa_sockets *sockets, int fd)
{
  hsa_socket *found = find(sockets, fd);
  if (found != NULL)
    *found = sockets->list[--sockets->count];
  return close(fd);
}

void hsa_sockets_abandon(hsa_sockets *sockets)
{
  while (sockets->count > 0)
    close(sockets->list[--sockets->count].fd);
  sockets->deadline = 0;
}

int hsa_sockets_watch(hsa_sockets *sockets, int fd, int wanted)
{
  hsa_socket *found = find(sockets, fd);
  if (found != NULL) {
    found->wanted = wanted;
    found->quiet_until = 0;
  }
  return hsa_poller_watch(sockets->poller, fd, wanted);
}

int hsa_sockets_offer(const hsa_sockets *sockets, int fd, int ready)
{
  const hsa_socket *found = find(sockets, fd);
  return found != NULL && (ready & HSA_POLL_OUT) ? ready | (found->wanted & HSA_POLL_IN) : ready;
}

/* One that cannot be watched as it should be stays quiet until the next try. */
static void end_quiet(hsa_sockets *sockets, hsa_socket *found)
{
  if (found->quiet_until != 0 && hsa_poller_watch(sockets->poller, found->fd, found->wanted) == 0)
    found->quiet_until = 0;
}

static void begin_quiet(hsa_sockets *sockets, hsa_socket *found, int64_t now)
{
  if (hsa_poller_watch(sockets->poller, found->fd, found->wanted & HSA_POLL_IN) != 0)
    return;
  found->quiet = found->quiet == 0 ? FIRST_QUIET : found->quiet * 2;
  if (found->quiet > LONGEST_QUIET)
    found->quiet = LONGEST_QUIET;
  found->quiet_until = now + found->quiet;
  if (sockets->deadline == 0 || found->quiet_until < sockets->deadline)
    sockets->deadline = found->quiet_until;
}

void hsa_sockets_told(hsa_sockets *sockets, int fd, int ready, int traffic, int64_t now)
{
  hsa_socket *found = find(sockets, fd);
  if (found == NULL)
    return; /* libcurl's own, or closed meanwhile */
  if (traffic) {
    found->quiet = 0;
    end_quiet(sockets, found);
  } else if (ready == HSA_POLL_OUT && found->wanted == (HSA_POLL_IN | HSA_POLL_OUT)) {
    begin_quiet(sockets, found, now);
  }
}

void hsa_sockets_wake(hsa_sockets *sockets, int64_t now)
{
  if (sockets->deadline == 0 || now < sockets->deadline)
    return;
  sockets->deadline = 0;
  for (size_t i = 0; i < sockets->count; i++) {
    hsa_socket *each = &sockets->list[i];
    if (each->quiet_until != 0 && now >= each->quiet_until)
      end_quiet(sockets, each);
    if (each->quiet_until != 0 && (sockets->deadline == 0 || each->quiet_until < sockets->deadline))
      sockets->deadline = each->quiet_until > now ? each->quiet_until : now + FIRST_QUIET;
  }
}

static long local_port(int fd)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
  } address;
  memset(&address, 0, sizeof address);
  socklen_t length = sizeof address;
  if (getsockname(fd, &address.any, &length) != 0)
    return -1;
  return address.any.sa_family == AF_INET    ? ntohs(address.v4.sin_port)
         : address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port)
                                             : -1;
}

static void cut(int fd)
{
  struct sockaddr nobody;
  memset(&nobody, 0, sizeof nobody);
  nobody.sa_family = AF_UNSPEC;
  /* Linux goes on to read what is queued after a shutdown, which a flood refills; to be connected to nobody
   * drops the queue. The BSDs drop it at the shutdown, and refuse the second call. */
  shutdown(fd, SHUT_RDWR);
  (void)!connect(fd, &nobody, sizeof nobody);
}

void hsa_sockets_cut(const hsa_sockets *sockets, long port)
{
  size_t found = 0;
  for (size_t i = 0; i < sockets->count; i++)
    if (local_port(sockets->list[i].fd) == port) {
      cut(sockets->list[i].fd);
      found++;
    }
  for (size_t i = 0; i < sockets->count && found == 0; i++)
    cut(sockets->list[i].fd);
}
