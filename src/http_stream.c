/* A stream: a connection that libcurl makes, and on which the caller speaks a protocol of its own. libcurl hands the
 * socket over once it is connected (CURLOPT_CONNECT_ONLY): from then on the poller watches it for the stream, and the
 * transport's step sends and receives. The handle stays in libcurl's multi handle, which owns the connection. */
#define _GNU_SOURCE
#include "http_private.h"

#include "ascii.h"
#include "sigpipe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  LONGEST_HOST = 253,
  PART = 16 * 1024,            /* one TLS record: what of it was not sent as a whole cannot be read */
  MOST_AT_ONCE = 64 * 1024,    /* received in one step, which keeps it short */
  MOST_RECEIVED = 1024 * 1024, /* not taken yet: beyond that, nothing more is read */
  MOST_KEPT = 64 * 1024,       /* of an empty buffer's memory */
};

static const int64_t PAUSE = 1000000; /* nanoseconds */

struct hsa_http_stream {
  hsa_http *http; /* NULL when the transport was freed first */
  hsa_http_stream *previous, *next;
  CURL *easy; /* NULL once ended */
  int state;
  int fd; /* -1 unless open */
  int is_tls;
  int watched;    /* what the poller watches fd for */
  int64_t paused; /* until when nothing is sent, unless something is received; 0 for never */
  int has_more;   /* there may be more to read that the poller does not know of, in TLS */
  uint64_t sent;
  size_t most_unsent;
  hsa_buffer unsent; /* from unsent_begin on; before that is what was sent */
  size_t unsent_begin;
  /* Sent next: OpenSSL wants to be given the same bytes, at the same address, until it has taken them. */
  char part[PART];
  size_t part_begin, part_end;
  hsa_buffer received;
  hsa_http_result result;
  char error[CURL_ERROR_SIZE];
};

/* ---- the end ---- */

static void fail(hsa_http_stream *stream, const char *kind, int code, const char *message)
{
  stream->state = HSA_STREAM_ENDED;
  stream->result.failure = kind;
  stream->result.code = code;
  snprintf(stream->result.message, sizeof stream->result.message, "%s", message);
}

/* Ends libcurl's side, and so the connection. */
static void end(hsa_http_stream *stream)
{
  hsa_sigpipe hold;
  if (stream->easy == NULL)
    return;
  if (stream->fd >= 0)
    hsa_poller_watch(&stream->http->poller, stream->fd, 0);
  hsa_sigpipe_hold(&hold); /* TLS sends a last word */
  curl_multi_remove_handle(stream->http->multi, stream->easy);
  curl_easy_cleanup(stream->easy);
  hsa_sigpipe_release(&hold);
  stream->easy = NULL;
  stream->fd = -1;
  stream->watched = stream->has_more = 0;
  stream->paused = 0;
  hsa_buffer_free(&stream->unsent);
}

static void end_with(hsa_http_stream *stream, CURLcode code)
{
  curl_off_t looked_up = 0;
  curl_easy_getinfo(stream->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  stream->result.looked_up = looked_up > 0;
  stream->result.connection_ended = stream->state == HSA_STREAM_OPEN;
  fail(stream, hsa_http_failure_kind(code), (int)code,
       stream->error[0] != '\0' ? stream->error : curl_easy_strerror(code));
  end(stream);
}

static void end_by_peer(hsa_http_stream *stream)
{
  stream->result.looked_up = stream->result.connection_ended = 1;
  fail(stream, "network", CURLE_RECV_ERROR, "the other side ended the connection");
  end(stream);
}

/* ---- receiving and sending ---- */

static void read_in(hsa_http_stream *stream)
{
  size_t total = 0;
  hsa_buffer *received = &stream->received;
  stream->has_more = stream->is_tls;
  while (total < MOST_AT_ONCE && received->length < MOST_RECEIVED) {
    size_t count = 0;
    if (hsa_buffer_reserve(received, PART) != HSA_OK) {
      end_with(stream, CURLE_OUT_OF_MEMORY);
      return;
    }
    size_t room = received->capacity - received->length;
    CURLcode code = curl_easy_recv(stream->easy, received->data + received->length, room, &count);
    if (code == CURLE_AGAIN) {
      stream->has_more = 0;
      return;
    }
    if (code != CURLE_OK)
      end_with(stream, code);
    else if (count == 0)
      end_by_peer(stream);
    if (stream->state == HSA_STREAM_ENDED)
      return;
    received->length += count;
    total += count;
    if (count < room && !stream->is_tls) { /* that was all, or the poller tells */
      stream->has_more = 0;
      return;
    }
  }
}

static int has_unsent(const hsa_http_stream *stream)
{
  return stream->part_begin < stream->part_end || stream->unsent_begin < stream->unsent.length;
}

/* Forgets what was sent once that is the larger part of the buffer. */
static void compact(hsa_http_stream *stream)
{
  size_t count = stream->unsent.length - stream->unsent_begin;
  if (count == 0 || stream->unsent_begin < count)
    return;
  memcpy(stream->unsent.data, stream->unsent.data + stream->unsent_begin, count);
  stream->unsent.length = count;
  stream->unsent_begin = 0;
}

static void fill_part(hsa_http_stream *stream)
{
  size_t count = stream->unsent.length - stream->unsent_begin;
  count = count < PART ? count : PART;
  memcpy(stream->part, stream->unsent.data + stream->unsent_begin, count);
  stream->part_begin = 0;
  stream->part_end = count;
  stream->unsent_begin += count;
  if (stream->unsent_begin < stream->unsent.length)
    return;
  stream->unsent_begin = stream->unsent.length = 0;
  if (stream->unsent.capacity > MOST_KEPT)
    hsa_buffer_free(&stream->unsent);
}

static int is_writable(int fd)
{
  struct pollfd polled = {.fd = fd, .events = POLLOUT};
  return poll(&polled, 1, 0) == 1;
}

static void write_out(hsa_http_stream *stream)
{
  stream->paused = 0;
  while (has_unsent(stream)) {
    size_t count = 0;
    if (stream->part_begin == stream->part_end)
      fill_part(stream);
    CURLcode code = curl_easy_send(stream->easy, stream->part + stream->part_begin,
                                   stream->part_end - stream->part_begin, &count);
    if (code == CURLE_AGAIN || (code == CURLE_OK && count == 0)) {
      /* TLS may have to receive before it sends, as in a second handshake. The socket is writable all that time, so that
       * a caller would wake and step without end. */
      if (stream->is_tls && is_writable(stream->fd))
        stream->paused = hsa_poller_now() + PAUSE;
      return;
    }
    if (code != CURLE_OK) {
      read_in(stream); /* the other side may have said why */
      if (stream->state == HSA_STREAM_OPEN)
        end_with(stream, code);
      return;
    }
    stream->part_begin += count;
    stream->sent += count;
  }
}

/* Has the poller watch for what the stream waits for. */
static void watch(hsa_http_stream *stream)
{
  if (stream->state != HSA_STREAM_OPEN)
    return;
  int wanted = (stream->received.length < MOST_RECEIVED ? HSA_POLL_IN : 0)
               | (has_unsent(stream) && stream->paused == 0 ? HSA_POLL_OUT : 0);
  if (wanted == stream->watched)
    return;
  if (hsa_poller_watch(&stream->http->poller, stream->fd, wanted) == 0)
    stream->watched = wanted;
  else
    end_with(stream, CURLE_OUT_OF_MEMORY);
}

/* After what is done outside of a step, of which no event tells the stream's owner. */
static void settle(hsa_http_stream *stream)
{
  watch(stream);
  if (stream->state == HSA_STREAM_ENDED)
    hsa_http_wake(stream->http, 0);
  else
    hsa_http_set_alarm(stream->http);
}

void hsa_http_stream_serve(hsa_http_stream *stream, int ready)
{
  if (stream->state == HSA_STREAM_OPEN && (ready & HSA_POLL_IN))
    read_in(stream);
  if (stream->state == HSA_STREAM_OPEN && (stream->paused != 0 || (ready & HSA_POLL_OUT)))
    write_out(stream);
  watch(stream);
}

void hsa_http_stream_connected(hsa_http_stream *stream, CURLcode result)
{
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (result == CURLE_OK)
    result = curl_easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &fd);
  if (result == CURLE_OK && fd == CURL_SOCKET_BAD)
    result = CURLE_COULDNT_CONNECT;
  if (result != CURLE_OK) {
    end_with(stream, result);
    return;
  }
  stream->error[0] = '\0';
  stream->state = HSA_STREAM_OPEN;
  stream->fd = fd;
  /* Reading marks the connection as in use: otherwise libcurl may close it when it looks for dead ones in its cache,
   * on behalf of another transfer. */
  hsa_http_stream_serve(stream, HSA_POLL_IN | HSA_POLL_OUT);
}

/* ---- of a transport ---- */

hsa_http_stream *hsa_http_stream_of_socket(const hsa_http *http, int fd)
{
  hsa_http_stream *stream = http->streams;
  while (stream != NULL && stream->fd != fd)
    stream = stream->next;
  return stream;
}

hsa_http_stream *hsa_http_stream_of_easy(const hsa_http *http, const CURL *easy)
{
  hsa_http_stream *stream = http->streams;
  while (stream != NULL && stream->easy != easy)
    stream = stream->next;
  return stream;
}

static int may_read_on(const hsa_http_stream *stream)
{
  return stream->has_more && stream->received.length < MOST_RECEIVED;
}

int64_t hsa_http_streams_deadline(const hsa_http *http)
{
  int64_t deadline = 0;
  for (const hsa_http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
    if (may_read_on(stream))
      return HSA_POLLER_AT_ONCE;
    if (stream->paused != 0 && (deadline == 0 || stream->paused < deadline))
      deadline = stream->paused;
  }
  return deadline;
}

void hsa_http_streams_resume(hsa_http *http)
{
  for (hsa_http_stream *stream = http->streams; stream != NULL; stream = stream->next) {
    if (may_read_on(stream))
      hsa_http_stream_serve(stream, HSA_POLL_IN);
    else if (stream->paused != 0 && stream->paused <= hsa_poller_now())
      hsa_http_stream_serve(stream, HSA_POLL_OUT);
  }
}

void hsa_http_streams_close(hsa_http *http)
{
  for (hsa_http_stream *stream = http->streams; stream != NULL; stream = stream->next)
    if (stream->state != HSA_STREAM_ENDED) {
      fail(stream, "closed", 0, "the transport was closed while this connection was in use");
      end(stream);
    }
}

void hsa_http_streams_abandon(hsa_http *http)
{
  for (hsa_http_stream *stream = http->streams; stream != NULL; stream = stream->next)
    if (stream->state != HSA_STREAM_ENDED) {
      fail(stream, "network", CURLE_RECV_ERROR, "the process forked: the connection is the parent's");
      stream->easy = NULL; /* leaked, like all that libcurl has of the parent's */
      stream->fd = -1;
      stream->watched = stream->has_more = 0;
      stream->paused = 0;
    }
}

void hsa_http_streams_orphan(hsa_http *http)
{
  for (hsa_http_stream *stream = http->streams; stream != NULL; stream = stream->next)
    stream->http = NULL;
}

/* ---- new ---- */

static int is_host(const char *host)
{
  size_t length = strlen(host);
  int is_v6 = strchr(host, ':') != NULL;
  for (const char *p = host; *p != '\0'; p++) {
    int is_digit = *p >= '0' && *p <= '9';
    char lower = hsa_ascii_lower(*p);
    int is_letter = lower >= 'a' && lower <= (is_v6 ? 'f' : 'z');
    if (!is_digit && !is_letter && strchr(is_v6 ? ":." : ".-_", *p) == NULL)
      return 0;
  }
  return length > 0 && length <= LONGEST_HOST;
}

/* NULL on success, else a static reason. */
static const char *launch(hsa_http_stream *stream, const hsa_http_target *target)
{
  char url[LONGEST_HOST + 32];
  int is_v6 = strchr(target->host, ':') != NULL;
  snprintf(url, sizeof url, "%s://%s%s%s:%d/", target->is_tls ? "https" : "http", is_v6 ? "[" : "",
           target->host, is_v6 ? "]" : "", target->port);
  if ((stream->easy = curl_easy_init()) == NULL)
    return "not enough memory";
  CURLcode result = hsa_http_options_connect(stream->easy, stream->http, target, url);
  if (result == CURLE_OK)
    result = curl_easy_setopt(stream->easy, CURLOPT_ERRORBUFFER, stream->error);
  if (result != CURLE_OK)
    return curl_easy_strerror(result);
  CURLMcode added = curl_multi_add_handle(stream->http->multi, stream->easy);
  return added == CURLM_OK ? NULL : curl_multi_strerror(added);
}

hsa_http_stream *hsa_http_stream_new(hsa_http *http, const hsa_http_target *target, const char **reason)
{
  hsa_http_check_fork(http);
  if (!is_host(target->host) || target->port < 1 || target->port > 65535) {
    *reason = "a host is a name or an address, and a port a number from 1 to 65535";
    return NULL;
  }
  hsa_http_stream *stream = http->multi == NULL ? NULL : calloc(1, sizeof *stream);
  if (stream == NULL) {
    *reason = "not enough memory";
    return NULL;
  }
  stream->http = http;
  stream->fd = -1;
  stream->state = HSA_STREAM_CONNECTING;
  stream->is_tls = target->is_tls;
  stream->most_unsent = target->most_unsent;
  hsa_buffer_init(&stream->unsent, 2 * target->most_unsent); /* as much, at most, was sent: see compact */
  hsa_buffer_init(&stream->received, MOST_RECEIVED + PART);
  if ((*reason = launch(stream, target)) != NULL) {
    curl_easy_cleanup(stream->easy);
    free(stream);
    return NULL;
  }
  stream->next = http->streams;
  if (stream->next != NULL)
    stream->next->previous = stream;
  http->streams = stream;
  hsa_http_set_alarm(http);
  return stream;
}

/* ---- for its owner ---- */

void hsa_http_stream_free(hsa_http_stream *stream)
{
  hsa_http *http = stream->http;
  if (http != NULL) {
    hsa_http_check_fork(http);
    end(stream);
    if (stream->previous != NULL)
      stream->previous->next = stream->next;
    else
      http->streams = stream->next;
    if (stream->next != NULL)
      stream->next->previous = stream->previous;
    hsa_http_set_alarm(http);
  }
  hsa_buffer_free(&stream->unsent);
  hsa_buffer_free(&stream->received);
  free(stream);
}

int hsa_http_stream_state(const hsa_http_stream *stream)
{
  if (stream->http != NULL)
    hsa_http_check_fork(stream->http);
  return stream->state;
}

const hsa_http_result *hsa_http_stream_result(const hsa_http_stream *stream)
{
  return &stream->result;
}

hsa_status hsa_http_stream_send(hsa_http_stream *stream, const char *bytes, size_t count)
{
  hsa_sigpipe hold;
  if (hsa_http_stream_state(stream) == HSA_STREAM_ENDED)
    return HSA_OK; /* whoever looks at its state learns that nothing was sent */
  compact(stream);
  if (count > stream->most_unsent - (stream->unsent.length - stream->unsent_begin))
    return HSA_TOO_LARGE;
  hsa_status status = hsa_buffer_append(&stream->unsent, bytes, count);
  if (status != HSA_OK || stream->state != HSA_STREAM_OPEN)
    return status;
  hsa_sigpipe_hold(&hold);
  write_out(stream);
  hsa_sigpipe_release(&hold);
  settle(stream);
  return HSA_OK;
}

uint64_t hsa_http_stream_sent(const hsa_http_stream *stream)
{
  return stream->sent;
}

const hsa_buffer *hsa_http_stream_received(const hsa_http_stream *stream)
{
  return &stream->received;
}

void hsa_http_stream_take(hsa_http_stream *stream)
{
  stream->received.length = 0;
  if (stream->received.capacity > MOST_KEPT)
    hsa_buffer_free(&stream->received);
  if (hsa_http_stream_state(stream) == HSA_STREAM_OPEN)
    settle(stream);
}
