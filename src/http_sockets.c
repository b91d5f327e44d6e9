/* The sockets that libcurl opens for a transport: watched by the poller, left alone while writing leads nowhere,
 * and cut when the server floods them. */
#define _GNU_SOURCE
#include "http_private.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MOST_TRANSFERS = 100, /* on one connection: libcurl's own limit */
  RECORD_COST = 256,    /* reading a TLS record costs as much as so many bytes of a long one */
};

static const int64_t FIRST_QUIET = 1000000, LONGEST_QUIET = 64000000; /* nanoseconds */

static hsa_http_socket *find(const hsa_http_sockets *sockets, int fd)
{
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->list[i].fd == fd)
      return &sockets->list[i];
  return NULL;
}

/* ---- opening and closing ---- */

int hsa_http_sockets_open(hsa_http_sockets *sockets, int family, int type, int protocol)
{
  if (sockets->count == sockets->room) {
    size_t room = sockets->room * 2 + 8;
    hsa_http_socket *list = realloc(sockets->list, room * sizeof *list);
    if (list == NULL)
      return -1;
    sockets->list = list;
    sockets->room = room;
  }
  int fd = socket(family, type, protocol);
  if (fd < 0)
    return -1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  sockets->list[sockets->count++] = (hsa_http_socket){.fd = fd};
  return fd;
}

curl_socket_t hsa_http_sockets_on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
  (void)purpose;
  int fd = hsa_http_sockets_open(&((hsa_http *)user)->sockets, address->family, address->socktype,
                                 address->protocol);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

int hsa_http_sockets_on_close(void *user, curl_socket_t socket)
{
  hsa_http_sockets *sockets = &((hsa_http *)user)->sockets;
  hsa_http_socket *found = find(sockets, socket);
  if (found != NULL)
    *found = sockets->list[--sockets->count];
  return close(socket);
}

void hsa_http_sockets_abandon(hsa_http_sockets *sockets)
{
  while (sockets->count > 0)
    close(sockets->list[--sockets->count].fd);
  sockets->deadline = 0;
}

/* ---- watching ---- */

/* When the poller fails, the socket stays quiet until the next try. */
static void end_quiet(hsa_http_sockets *sockets, hsa_http_socket *found)
{
  if (found->quiet_until != 0 && hsa_poller_watch(sockets->poller, found->fd, found->wanted) == 0)
    found->quiet_until = 0;
}

static void begin_quiet(hsa_http_sockets *sockets, hsa_http_socket *found, int64_t now)
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

/* libcurl also watches descriptors that it opened itself: those are not in the list. */
int hsa_http_sockets_on_change(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned)
{
  hsa_http_sockets *sockets = &((hsa_http *)user)->sockets;
  hsa_http_socket *found = find(sockets, socket);
  (void)easy, (void)assigned;
  int wanted = what == CURL_POLL_IN      ? HSA_POLL_IN
               : what == CURL_POLL_OUT   ? HSA_POLL_OUT
               : what == CURL_POLL_INOUT ? HSA_POLL_IN | HSA_POLL_OUT
                                         : 0;
  if (found != NULL) {
    found->wanted = wanted;
    found->quiet_until = 0;
  }
  return hsa_poller_watch(sockets->poller, socket, wanted);
}

int hsa_http_sockets_offer(const hsa_http_sockets *sockets, int fd, int ready)
{
  const hsa_http_socket *found = find(sockets, fd);
  return found != NULL && (ready & HSA_POLL_OUT) ? ready | (found->wanted & HSA_POLL_IN) : ready;
}

void hsa_http_sockets_served(hsa_http_sockets *sockets, int fd, int ready, int64_t now)
{
  hsa_http_socket *found = find(sockets, fd);
  if (found == NULL)
    return; /* one of libcurl's own, or closed meanwhile */
  if (sockets->traffic > 0) {
    found->quiet = 0;
    end_quiet(sockets, found);
  } else if (ready == HSA_POLL_OUT && found->wanted == (HSA_POLL_IN | HSA_POLL_OUT)) {
    begin_quiet(sockets, found, now);
  }
}

void hsa_http_sockets_wake(hsa_http_sockets *sockets, int64_t now)
{
  if (sockets->deadline == 0 || now < sockets->deadline)
    return;
  sockets->deadline = 0;
  for (size_t i = 0; i < sockets->count; i++) {
    hsa_http_socket *each = &sockets->list[i];
    if (each->quiet_until != 0 && now >= each->quiet_until)
      end_quiet(sockets, each);
    if (each->quiet_until != 0 && (sockets->deadline == 0 || each->quiet_until < sockets->deadline))
      sockets->deadline = each->quiet_until > now ? each->quiet_until : now + FIRST_QUIET;
  }
}

/* ---- floods ---- */

long hsa_http_sockets_port(CURL *easy)
{
  long port = 0;
  curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
  return port;
}

static long port_of(int fd)
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

/* Ends a connection at once: what was received and not read is lost, and reading fails. The descriptor stays open. */
static void cut(int fd)
{
  struct sockaddr nobody;
  memset(&nobody, 0, sizeof nobody);
  nobody.sa_family = AF_UNSPEC;
  /* On Linux, a socket that was shut down still reads its queue, which a flood refills; connecting it to no address
   * drops the queue. The BSDs drop it at the shutdown, and fail the second call. */
  shutdown(fd, SHUT_RDWR);
  (void)!connect(fd, &nobody, sizeof nobody);
}

/* Cuts the connections from this local port; all of them when none has it. */
static void cut_port(const hsa_http_sockets *sockets, long port)
{
  size_t found = 0;
  for (size_t i = 0; i < sockets->count; i++)
    if (port_of(sockets->list[i].fd) == port) {
      cut(sockets->list[i].fd);
      found++;
    }
  for (size_t i = 0; i < sockets->count && found == 0; i++)
    cut(sockets->list[i].fd);
}

/* The most that libcurl may read in one call while it hands over nothing of a response. Before 8.1, an honest server
 * fills at most one buffer for each transfer that waits; from then until 8.7, where libcurl stops by itself, the
 * windows of all transfers. */
static size_t most_read(const hsa_http_sockets *sockets)
{
  enum { MARGIN = 1024 * 1024, WINDOWS = 64 * 1024 * 1024 };
  size_t most =
    hsa_http_libcurl_number() < 0x080100 ? MOST_TRANSFERS * HSA_HTTP_TLS_DOWNLOAD + MARGIN : WINDOWS;
  return most + 4 * sockets->delivered;
}

/* libcurl reads on while there is something to read that belongs to no transfer: HTTP/2 frames such as WINDOW_UPDATE,
 * PRIORITY or PING, and TLS session tickets. A server that sends them faster than they are read would keep libcurl in
 * one call, beyond every deadline. Only the debug callback, which calls this, runs meanwhile and can end that. */
void hsa_http_sockets_count_read(hsa_http_request *request, const unsigned char *bytes, size_t count)
{
  enum { HEADER = 5, FIRST_TYPE = 20, LAST_TYPE = 23 };
  hsa_http_sockets *sockets = &request->http->sockets;
  int is_record = count == HEADER && bytes[0] >= FIRST_TYPE && bytes[0] <= LAST_TYPE;
  sockets->read += RECORD_COST + (is_record ? (size_t)bytes[3] * 256 + bytes[4] : count);
  if (sockets->read <= most_read(sockets))
    return;
  sockets->read = 0;
  long port = hsa_http_sockets_port(request->transfer.easy);
  for (hsa_http_request *each = request->http->requests; each != NULL; each = each->next)
    if (!each->done && hsa_http_sockets_port(each->transfer.easy) == port)
      each->transfer.flooded = 1;
  cut_port(sockets, port);
}
