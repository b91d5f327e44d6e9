/* The server that every benchmark talks to: answers batch creates with 201 and one result for each input; with
 * --echo also batch reads, with LINKS links for each record, batch archives, and lists of one record, which has as
 * many links as its id says.
 * One thread, many connections, keep-alive; binds a free port of 127.0.0.1 and prints it.
 * No HTTP server beyond that: wants Content-Length, checks nothing.
 *
 *   server              the same 2,000 results to every request
 *   server --echo       results for the ids of the request (ids without escapes)
 *   server --delay-ms N each answer N ms after its request; other connections go on
 *   server --limit N    what the rate-limit headers allow, in 10 seconds (190 unless told); not enforced
 *   server --encoded NAME FILE
 *                       the bytes of FILE to every request, with "Content-Encoding: NAME"
 *   server --answer     prints the body of the first form's answer, and ends */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RESULTS = 2000, LINKS = 3, HEAD_ROOM = 1024, READ_ROOM = 64 * 1024, AT_ONCE = 64 };

typedef struct bytes {
  char *data;
  size_t length, room;
} bytes;

typedef struct text {
  const char *data;
  size_t length;
} text;

typedef struct connection {
  int fd;           /* -1: gone, while it waited for its answer */
  int last;         /* the client asked for Connection: close */
  int blocked;      /* watched for writing */
  bytes in;         /* what came and is not yet answered */
  size_t head, all; /* of the request: bytes of its head, and of all of it; 0 until known */
  bytes made;       /* the answer, where it is made for the request */
  text out;         /* what is left to send */
  int64_t due;
  struct connection *next; /* in the queue of those that wait for `due` */
} connection;

static struct {
  int echo;
  int64_t delay; /* nanoseconds */
  int limit;
  const char *encoding, *file; /* NULL unless the same encoded answer goes to every request */
  int epoll, listener;
  text canned;
  connection *first, *last; /* the delay is the same for all, so that they become due in this order */
} server = {.limit = 190};

static void die(const char *what)
{
  perror(what);
  exit(1);
}

static int64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- answers ---- */

static void reserve(bytes *to, size_t extra)
{
  size_t room = to->room == 0 ? READ_ROOM : to->room;
  while (room < to->length + extra)
    room *= 2;
  if (room == to->room)
    return;
  to->data = realloc(to->data, room);
  if (to->data == NULL)
    die("realloc");
  to->room = room;
}

static void put(bytes *to, const char *data, size_t length)
{
  memcpy(to->data + to->length, data, length);
  to->length += length;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

/* The body begins at HEAD_ROOM: its head is written in front of it once its length is known. */
static void begin_answer(bytes *to)
{
  to->length = 0;
  reserve(to, HEAD_ROOM + 512);
  to->length = HEAD_ROOM;
}

static void begin_batch(bytes *to)
{
  begin_answer(to);
  PUT(to, "{\"status\":\"COMPLETE\",\"results\":[");
}

static void put_result(bytes *to, text from_id, text to_id)
{
  reserve(to, from_id.length + to_id.length + 256); /* the end of the answer fits, too */
  if (to->data[to->length - 1] == '}')
    PUT(to, ",");
  PUT(to, "{\"fromObjectTypeId\":\"0-1\",\"fromObjectId\":\"");
  put(to, from_id.data, from_id.length);
  PUT(to, "\",\"toObjectTypeId\":\"0-2\",\"toObjectId\":\"");
  put(to, to_id.data, to_id.length);
  PUT(to, "\",\"labels\":[]}");
}

static void put_link(bytes *to, long long id)
{
  static const char format[] = "{\"toObjectId\":%lld,\"associationTypes\":[{\"category\":\"HUBSPOT_DEFINED\","
                               "\"typeId\":279,\"label\":null}]}";
  reserve(to, 512);
  if (to->data[to->length - 1] == '}')
    PUT(to, ",");
  to->length += (size_t)sprintf(to->data + to->length, format, id);
}

static text end_answer(bytes *to, const char *status)
{
  char head[HEAD_ROOM], encoding[64] = "";
  if (server.encoding != NULL)
    snprintf(encoding, sizeof encoding, "Content-Encoding: %s\r\n", server.encoding);
  int length = snprintf(head, sizeof head,
                        "HTTP/1.1 %s\r\n"
                        "Date: Tue, 30 Sep 2025 08:15:30 GMT\r\n"
                        "Content-Type: application/json;charset=utf-8\r\n"
                        "%s"
                        "Content-Length: %zu\r\n"
                        "Connection: keep-alive\r\n"
                        "Vary: origin, Accept-Encoding\r\n"
                        "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-HubSpot-RateLimit-Max: %d\r\n"
                        "X-HubSpot-RateLimit-Remaining: %d\r\n"
                        "X-HubSpot-RateLimit-Interval-Milliseconds: 10000\r\n"
                        "X-HubSpot-RateLimit-Daily: 650000\r\n"
                        "X-HubSpot-RateLimit-Daily-Remaining: 649000\r\n"
                        "X-HubSpot-Correlation-Id: 0199a1f0-6a3c-7d19-9a3e-0c1f5a7e4b21\r\n"
                        "\r\n",
                        status, encoding, to->length - HEAD_ROOM, server.limit, server.limit - 1);
  char *start = to->data + HEAD_ROOM - length;
  memcpy(start, head, (size_t)length);
  return (text){start, (size_t)length + to->length - HEAD_ROOM};
}

static text end_batch(bytes *to, const char *status)
{
  reserve(to, 256);
  PUT(to, "],\"startedAt\":\"2025-09-30T08:15:30.071Z\",\"completedAt\":\"2025-09-30T08:15:30.482Z\"}");
  return end_answer(to, status);
}

/* The ids are those of bench/support/batch.lua. */
static text canned_answer(void)
{
  static bytes to;
  begin_batch(&to);
  for (int i = 1; i <= RESULTS; i++) {
    char from_id[24], to_id[24];
    text from = {from_id, (size_t)sprintf(from_id, "%lld", 20000000000LL + i * 7919LL)};
    put_result(&to, from, (text){to_id, (size_t)sprintf(to_id, "%lld", 9000000000LL + i * 104729LL)});
  }
  return end_batch(&to, "201 Created");
}

static text encoded_answer(void)
{
  static bytes to;
  FILE *file = fopen(server.file, "rb");
  if (file == NULL)
    die(server.file);
  size_t got = 0;
  begin_answer(&to);
  do {
    to.length += got;
    reserve(&to, READ_ROOM);
  } while ((got = fread(to.data + to.length, 1, READ_ROOM, file)) > 0);
  fclose(file);
  return end_answer(&to, "201 Created");
}

/* A result for each "from":{"id":"…"} and "to":{"id":"…"}, in either order: JSON writers differ in it. */
static text echo_answer(bytes *to, text body)
{
  static const char key_end[] = "\":{\"id\":\"";
  const char *p = body.data, *end = body.data + body.length;
  text sides[2] = {{0}};
  begin_batch(to);
  while ((p = memmem(p, (size_t)(end - p), key_end, sizeof key_end - 1)) != NULL) {
    int is_from = p - body.data >= 5 && memcmp(p - 5, "\"from", 5) == 0;
    p += sizeof key_end - 1;
    const char *stop = memchr(p, '"', (size_t)(end - p));
    if (stop == NULL)
      break;
    sides[is_from] = (text){p, (size_t)(stop - p)};
    p = stop;
    if (sides[0].data != NULL && sides[1].data != NULL) {
      put_result(to, sides[1], sides[0]);
      sides[0].data = sides[1].data = NULL;
    }
  }
  return end_batch(to, "201 Created");
}

/* LINKS links for each "id":"…". */
static text read_answer(bytes *to, text body)
{
  static const char key[] = "\"id\":\"";
  const char *p = body.data, *end = body.data + body.length;
  begin_batch(to);
  while ((p = memmem(p, (size_t)(end - p), key, sizeof key - 1)) != NULL) {
    p += sizeof key - 1;
    const char *stop = memchr(p, '"', (size_t)(end - p));
    if (stop == NULL)
      break;
    long long id = atoll(p);
    reserve(to, 256);
    if (to->data[to->length - 1] == '}')
      PUT(to, ",");
    PUT(to, "{\"from\":{\"id\":\"");
    put(to, p, (size_t)(stop - p));
    PUT(to, "\"},\"to\":[");
    for (int i = 0; i < LINKS; i++)
      put_link(to, id + i);
    PUT(to, "]}");
    p = stop;
  }
  return end_batch(to, "200 OK");
}

/* The page of the record that the head's path names. A cursor is the number of links before it. */
static text list_answer(bytes *to, const char *head)
{
  const char *id = strstr(head, "/contacts/"), *limit = strstr(head, "limit="),
             *after = strstr(head, "after=");
  long long all = id == NULL ? 0 : atoll(id + 10), at = after == NULL ? 0 : atoll(after + 6);
  long long end = at + (limit == NULL ? 500 : atoll(limit + 6));
  begin_answer(to);
  PUT(to, "{\"results\":[");
  for (; at < end && at < all; at++)
    put_link(to, 9000000000LL + at);
  reserve(to, 256);
  PUT(to, "]");
  if (at < all)
    to->length += (size_t)sprintf(to->data + to->length, ",\"paging\":{\"next\":{\"after\":\"%lld\"}}", at);
  PUT(to, "}");
  return end_answer(to, "200 OK");
}

/* The head ends with a NUL. */
static text made_answer(bytes *to, const char *head, text body)
{
  if (strncmp(head, "GET ", 4) == 0)
    return list_answer(to, head);
  if (strstr(head, "/batch/read HTTP") != NULL)
    return read_answer(to, body);
  if (strstr(head, "/batch/archive HTTP") == NULL)
    return echo_answer(to, body);
  begin_answer(to);
  return end_answer(to, "204 No Content");
}

/* ---- connections ---- */

static void watch(connection *c, int how, uint32_t events)
{
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(server.epoll, how, c->fd, &event) != 0)
    die("epoll_ctl");
}

static int is_waiting(const connection *c)
{
  return c->due != 0;
}

static void drop(connection *c)
{
  close(c->fd);
  c->fd = -1;
  if (is_waiting(c))
    return; /* freed when it is due */
  free(c->in.data);
  free(c->made.data);
  free(c);
}

/* Reads the head, once all of it is there: 1, or 0 when no such request can be served. */
static int read_head(connection *c)
{
  char *end = memmem(c->in.data, c->in.length, "\r\n\r\n", 4);
  if (end == NULL)
    return c->in.length < READ_ROOM;
  end[2] = '\0'; /* over the last of the four bytes' CR: no one reads it again */
  const char *length = strcasestr(c->in.data, "\r\ncontent-length:");
  c->head = (size_t)(end + 4 - c->in.data);
  c->all = c->head + (length == NULL ? 0 : strtoul(length + 17, NULL, 10));
  c->last = strcasestr(c->in.data, "\r\nconnection: close") != NULL;
  return length != NULL || strcasestr(c->in.data, "\r\ntransfer-encoding:") == NULL;
}

/* Takes in what came: 1 when a request is complete, 0 when not yet, -1 when the connection is over. */
static int receive(connection *c)
{
  while (c->all == 0 || c->in.length < c->all) {
    size_t missing = c->all == 0 ? READ_ROOM / 2 : c->all - c->in.length;
    reserve(&c->in, missing);
    ssize_t got = recv(c->fd, c->in.data + c->in.length, missing, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return 0;
    if (got <= 0)
      return -1;
    c->in.length += (size_t)got;
    if (c->all == 0 && !read_head(c))
      return -1;
  }
  return 1;
}

/* 1 when all is sent, 0 when the client has to read first, -1 when the connection is over. */
static int transmit(connection *c)
{
  while (c->out.length > 0) {
    ssize_t sent = send(c->fd, c->out.data, c->out.length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
      return 0;
    if (sent < 0)
      return -1;
    c->out.data += sent;
    c->out.length -= (size_t)sent;
  }
  return 1;
}

static void answer(connection *c)
{
  text body = {c->in.data + c->head, c->all - c->head};
  c->out = server.echo ? made_answer(&c->made, c->in.data, body) : server.canned;
  c->in.length -= c->all;
  memmove(c->in.data, c->in.data + c->all, c->in.length);
  c->head = c->all = 0;
}

static void delay(connection *c)
{
  c->due = now() + server.delay;
  c->next = NULL;
  if (server.first == NULL)
    server.first = c;
  else
    server.last->next = c;
  server.last = c;
}

/* Sends what is to be sent, and watches for room when there is none. */
static void go_on(connection *c)
{
  int sent = transmit(c);
  if (sent < 0 || (sent > 0 && c->last)) {
    drop(c);
    return;
  }
  if (c->blocked != !sent) {
    c->blocked = !sent;
    watch(c, EPOLL_CTL_MOD, c->blocked ? EPOLLOUT : EPOLLIN);
  }
}

static void ready(connection *c)
{
  if (c->out.length > 0 && !is_waiting(c)) {
    go_on(c);
    return;
  }
  int complete = receive(c);
  if (complete < 0 || (complete > 0 && is_waiting(c))) {
    drop(c); /* it ended, or sends without waiting for its answer */
    return;
  }
  if (complete == 0)
    return;
  answer(c);
  if (server.delay > 0)
    delay(c);
  else
    go_on(c);
}

static void welcome(void)
{
  int fd, on = 1;
  while ((fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    connection *c = calloc(1, sizeof *c);
    if (c == NULL)
      die("calloc");
    c->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
  }
}

/* Sends the answers that are due. Returns the ms until the next is, or -1. */
static int send_due(void)
{
  while (server.first != NULL) {
    connection *c = server.first;
    int64_t left = c->due - now();
    if (left > 0)
      return (int)(left / 1000000) + 1;
    server.first = c->next;
    c->due = 0;
    if (c->fd < 0)
      drop(c);
    else
      go_on(c);
  }
  return -1;
}

/* ---- the program ---- */

static unsigned listen_on_loopback(void)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&address, length) != 0
      || listen(server.listener, SOMAXCONN) != 0
      || getsockname(server.listener, (struct sockaddr *)&address, &length) != 0)
    die("listen");
  return ntohs(address.sin_port);
}

static void read_arguments(int count, char **arguments)
{
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--echo") == 0) {
      server.echo = 1;
    } else if (strcmp(arguments[i], "--delay-ms") == 0 && i + 1 < count) {
      server.delay = atoll(arguments[++i]) * 1000000;
    } else if (strcmp(arguments[i], "--limit") == 0 && i + 1 < count) {
      server.limit = atoi(arguments[++i]);
    } else if (strcmp(arguments[i], "--encoded") == 0 && i + 2 < count) {
      server.encoding = arguments[++i];
      server.file = arguments[++i];
      server.canned = encoded_answer();
    } else if (strcmp(arguments[i], "--answer") == 0) {
      const char *body = memmem(server.canned.data, server.canned.length, "\r\n\r\n", 4);
      fwrite(body + 4, 1, server.canned.length - (size_t)(body + 4 - server.canned.data), stdout);
      exit(0);
    } else {
      fprintf(stderr, "usage: server [--echo] [--delay-ms N] [--limit N] [--encoded NAME FILE] [--answer]\n");
      exit(2);
    }
  }
}

int main(int count, char **arguments)
{
  struct epoll_event events[AT_ONCE];
  server.canned = canned_answer();
  read_arguments(count, arguments);
  prctl(PR_SET_PDEATHSIG, SIGTERM); /* no server outlives its benchmark */
  server.epoll = epoll_create1(EPOLL_CLOEXEC);
  unsigned port = listen_on_loopback();
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event) != 0)
    die("epoll_ctl");
  printf("%u\n", port);
  fflush(stdout);
  for (;;) {
    int found = epoll_wait(server.epoll, events, AT_ONCE, send_due());
    for (int i = 0; i < found; i++)
      if (events[i].data.ptr == NULL)
        welcome();
      else
        ready(events[i].data.ptr);
  }
}
