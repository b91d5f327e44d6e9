/* One request: how it is sent, what libcurl reports while it is under way, and its result in the end.
 * libcurl's callbacks only append to C memory: no Lua runs in them. */
#include "http_private.h"

#include "curl_words.h"
#include "sigpipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FINAL = 200, FIRST_ERROR = 300 }; /* statuses */

enum {
  MAX_HEAD = 256 * 1024,
  LEAST_RESERVED = 16 * 1024,
  MOST_RESERVED = 1024 * 1024, /* whatever Content-Length says */
};

/* ---- new ---- */

static void free_transfer(hsa_http_transfer *transfer)
{
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  transfer->easy = NULL;
  transfer->headers = NULL;
}

static int add_header(hsa_http_transfer *transfer, const char *line)
{
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (longer != NULL)
    transfer->headers = longer;
  return longer != NULL;
}

/* NULL on success, else a static reason. */
static const char *launch(hsa_http_request *request, const hsa_http_call *call)
{
  hsa_http_transfer *transfer = &request->transfer;
  if ((transfer->easy = curl_easy_init()) == NULL || !add_header(transfer, "Expect:"))
    return "not enough memory";
  for (const char *const *line = call->headers; *line != NULL; line++)
    if (!add_header(transfer, *line))
      return "not enough memory";
  CURLcode result = hsa_http_options_set(request, call);
  if (result != CURLE_OK)
    return curl_easy_strerror(result);
  CURLMcode added = curl_multi_add_handle(request->http->multi, transfer->easy);
  return added == CURLM_OK ? NULL : curl_multi_strerror(added);
}

hsa_http_request *hsa_http_request_new(hsa_http *http, const hsa_http_call *call, const char **reason)
{
  hsa_http_request *request = calloc(1, sizeof *request);
  if (request == NULL) {
    *reason = "not enough memory";
    return NULL;
  }
  request->http = http;
  hsa_buffer_init(&request->result.head, MAX_HEAD);
  hsa_buffer_init(&request->result.body, http->max_response);
  if ((*reason = launch(request, call)) != NULL) {
    free_transfer(&request->transfer);
    free(request);
    return NULL;
  }
  return request;
}

/* ---- libcurl's callbacks: the connection ---- */

/* libcurl (7.88 to 8.17 at least) sends a request again by itself when a kept connection turns out to be dead, or
 * when the server refuses the stream: up to five times, and no option prevents it. It does not know whether the
 * first time had any effect. Only the caller may decide to send again, because only the caller counts attempts. So
 * the second time is stopped where libcurl asks: before it opens a socket, and before it uses a connection. */
static int is_sent_again(hsa_http_request *request)
{
  hsa_http_transfer *transfer = &request->transfer;
  if (transfer->went_out && !transfer->sent_again) {
    transfer->sent_again = 1;
    /* Now, because libcurl's text for the first failure is soon replaced by one for the second. */
    snprintf(request->result.message, sizeof request->result.message, "%s",
             transfer->error[0] != '\0' ? transfer->error
                                        : "a kept connection broke before anything of a response came");
  }
  return transfer->sent_again;
}

curl_socket_t hsa_http_request_on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
  hsa_http_request *request = user;
  return is_sent_again(request) ? CURL_SOCKET_BAD : hsa_http_sockets_on_open(request->http, purpose, address);
}

#if LIBCURL_VERSION_NUM >= 0x075000
int hsa_http_request_on_ready(void *user, char *peer, char *local, int peer_port, int local_port)
{
  (void)peer, (void)local, (void)peer_port, (void)local_port;
  return is_sent_again(user) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
#endif

/* The server processed no stream above `last` on the connection of `easy`. */
static void note_goaway(const hsa_http *http, CURL *easy, long last)
{
  for (hsa_http_request *each = http->requests; each != NULL; each = each->next)
    if (!each->done && each->transfer.stream > last
        && hsa_http_sockets_port(each->transfer.easy) == hsa_http_sockets_port(easy))
      each->transfer.unprocessed = 1;
}

static void note_words(hsa_http_request *request, const char *text, size_t count)
{
  long stream;
  switch (hsa_curl_words_read(text, count, &stream)) {
  case HSA_CURL_WORD_STREAM:
    request->transfer.stream = stream;
    break;
  case HSA_CURL_WORD_GOAWAY:
    note_goaway(request->http, request->transfer.easy, stream);
    break;
  case HSA_CURL_WORD_REFUSED:
    request->transfer.unprocessed = 1;
    break;
  case HSA_CURL_WORD_OTHER:
    break;
  }
}

/* Where libcurl is built with OpenSSL, it also calls this for each TLS record. Only lengths, libcurl's own texts and
 * the method CONNECT are looked at: no token and no data. */
int hsa_http_request_on_debug(CURL *easy, curl_infotype type, char *bytes, size_t count, void *user)
{
  enum { CONNECT_LENGTH = 8 };
  hsa_http_request *request = user;
  (void)easy;
  if (type == CURLINFO_TEXT) {
    note_words(request, bytes, count);
    return 0;
  }
  request->http->sockets.traffic++;
  if (type == CURLINFO_SSL_DATA_IN)
    hsa_http_sockets_count_read(request, (const unsigned char *)bytes, count);
  else if (type == CURLINFO_HEADER_OUT
           && (count < CONNECT_LENGTH || memcmp(bytes, "CONNECT ", CONNECT_LENGTH) != 0)) /* not a proxy's */
    request->transfer.went_out = 1;
  return 0;
}

/* ---- libcurl's callbacks: the response ---- */

/* Returns 0, which makes libcurl end the transfer. */
static size_t abort_transfer(hsa_http_result *result, hsa_status status, const char *what, size_t limit)
{
  if (status == HSA_TOO_LARGE) {
    result->failure = "too_large";
    snprintf(result->message, sizeof result->message, "the response's %s is over the limit of %zu bytes",
             what, limit);
  } else {
    result->failure = "network";
    snprintf(result->message, sizeof result->message, "not enough memory for the response's %s", what);
  }
  return 0;
}

static int begins_response(const char *line, size_t count)
{
  return count > 5 && memcmp(line, "HTTP/", 5) == 0;
}

size_t hsa_http_request_on_head(char *bytes, size_t size, size_t count, void *user)
{
  hsa_http_request *request = user;
  hsa_buffer *head = &request->result.head;
  (void)size; /* always 1 */
  request->http->sockets.delivered += count;
  if (request->result.body.length > 0 || (request->head_complete && !begins_response(bytes, count)))
    return count; /* a trailer */
  if (begins_response(bytes, count)) {
    head->length = 0; /* the response before was an interim one */
    request->head_complete = 0;
  }
  if (bytes[0] == '\r' || bytes[0] == '\n')
    request->head_complete = 1;
  hsa_status status = hsa_buffer_append(head, bytes, count);
  return status == HSA_OK ? count : abort_transfer(&request->result, status, "head", head->limit);
}

/* Reserves what Content-Length promises, within bounds, or takes memory that is there. Saves copies only, so that a
 * failure does not matter. */
static void reserve_body(hsa_http_request *request)
{
  hsa_buffer *body = &request->result.body;
  curl_off_t expected = 0;
  hsa_pool_take(request->http->pool, HSA_POOL_RESPONSE, body);
  curl_easy_getinfo(request->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
  size_t first = expected < LEAST_RESERVED  ? LEAST_RESERVED
                 : expected > MOST_RESERVED ? MOST_RESERVED
                                            : (size_t)expected;
  if (first <= body->limit)
    hsa_buffer_reserve(body, first);
}

size_t hsa_http_request_on_body(char *bytes, size_t size, size_t count, void *user)
{
  hsa_http_request *request = user;
  hsa_buffer *body = &request->result.body;
  (void)size;
  request->http->sockets.delivered += count;
  if (body->data == NULL)
    reserve_body(request);
  hsa_status status = hsa_buffer_append(body, bytes, count);
  return status == HSA_OK ? count : abort_transfer(&request->result, status, "body", body->limit);
}

/* ---- the result ---- */

const char *hsa_http_failure_kind(CURLcode code)
{
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_FILESIZE_EXCEEDED:
#if LIBCURL_VERSION_NUM >= 0x080600
  case CURLE_TOO_LARGE:
#endif
    return "too_large";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_USE_SSL_FAILED:
    return "tls";
  default:
    return "network";
  }
}

/* Whether the server may have received a whole request. libcurl tells of the head once any of it is sent, and counts
 * the bytes: with neither, at most a part that it could not finish was sent. It counts the bytes of a CONNECT as well;
 * when the proxy rejects that, nothing else was sent. (Its PRETRANSFER_TIME says nothing of it: libcurl 8.22 sets that
 * also where there was no connection.) */
static int may_be_sent(const hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  long size = 0;
  if (request->transfer.unprocessed && request->result.head.length == 0)
    return 0;
  if (request->result.proxy_status >= FIRST_ERROR || request->result.proxy_code != 0)
    return 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &size);
  return request->transfer.went_out || size > 0;
}

static void fail(hsa_http_request *request, const char *kind, int code, const char *message)
{
  request->result.failure = kind;
  request->result.code = code;
  snprintf(request->result.message, sizeof request->result.message, "%s", message);
}

/* Sets the failure where libcurl's own error would not tell what happened; false otherwise. */
static int explain(hsa_http_request *request)
{
  const hsa_http_transfer *transfer = &request->transfer;
  if (transfer->unprocessed && !request->result.sent) {
    fail(request, "network", CURLE_HTTP2_STREAM,
         "the server refused the HTTP/2 stream, and did nothing of it");
  } else if (transfer->flooded) {
    fail(request, "network", CURLE_RECV_ERROR,
         "the server sent megabytes of frames that belong to no response: the connection was ended");
  } else if (transfer->sent_again) {
    request->result.failure = "network";
    request->result.code = CURLE_GOT_NOTHING; /* is_sent_again has set the message */
  } else {
    return 0;
  }
  request->result.connection_ended = !transfer->flooded;
  return 1;
}

/* The status of the response whose head is complete; 0 when there is none. When an HTTP/2 stream is reset directly
 * after the head, libcurl 7.88 drops the head and keeps only the status. */
static long status_of(const hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
#if LIBCURL_VERSION_NUM >= 0x075400
  struct curl_header *field;
  if (request->result.head.length == 0
      && curl_easy_header(easy, ":status", 0, CURLH_PSEUDO, -1, &field) == CURLHE_OK
      && curl_easy_header(easy, ":status", field->amount - 1, CURLH_PSEUDO, -1, &field) == CURLHE_OK)
    return strtol(field->value, NULL, 10);
#endif
  return request->head_complete ? status : 0;
}

static const char *version_name(long version)
{
  return version == CURL_HTTP_VERSION_2_0   ? "2"
         : version == CURL_HTTP_VERSION_1_0 ? "1.0"
         : version == CURL_HTTP_VERSION_3   ? "3"
                                            : "1.1";
}

static void read_figures(hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  hsa_http_result *result = &request->result;
  long version = 0;
  curl_off_t elapsed = 0, looked_up = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &result->proxy_status);
#if LIBCURL_VERSION_NUM >= 0x074900
  curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &result->proxy_code);
#endif
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &result->connects);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &elapsed);
  result->elapsed = (double)elapsed / 1e6;
  result->looked_up = looked_up > 0;
  result->sent = may_be_sent(request); /* reads the proxy's fields */
  result->http_version = version_name(version);
  result->status = status_of(request);
}

/* Whether a response that broke off may be of use. With an error status it is: the status says what happened. With
 * HTTP/2, libcurl 7.88 does not tell whether the response was complete when its stream or connection was reset: the
 * body has to show that. */
static int is_broken_response(const hsa_http_result *result)
{
  int may_be_complete = strcmp(result->http_version, "2") == 0 && result->status >= FIRST_FINAL;
  return strcmp(result->failure, "too_large") != 0 && (may_be_complete || result->status >= FIRST_ERROR);
}

static void read_outcome(hsa_http_request *request, CURLcode result)
{
  read_figures(request);
  request->result.code = (int)result;
  if (request->result.failure != NULL) /* a callback ended the transfer */
    return;
  if (result == CURLE_OK && request->head_complete)
    return;
  const char *error = request->transfer.error;
  if (result == CURLE_OK)
    fail(request, "network", CURLE_PARTIAL_FILE, "the response ended within its head");
  else if (result == CURLE_FILESIZE_EXCEEDED) /* libcurl found it first, and does not say how many bytes */
    abort_transfer(&request->result, HSA_TOO_LARGE, "body", request->result.body.limit);
  else if (!explain(request))
    fail(request, hsa_http_failure_kind(result), (int)result,
         error[0] != '\0' ? error : curl_easy_strerror(result));
  request->result.broken = is_broken_response(&request->result);
}

/* ---- the end ---- */

static void set_done(hsa_http_request *request)
{
  request->done = 1;
  request->http->pending--;
  request->http->completions.unreceived++;
}

/* Ends libcurl's side of the request, also in the middle of its work. */
static void end_transfer(hsa_http_request *request)
{
  curl_multi_remove_handle(request->http->multi, request->transfer.easy);
  free_transfer(&request->transfer);
  set_done(request);
}

void hsa_http_request_complete(hsa_http_request *request, CURLcode result)
{
  read_outcome(request, result);
  end_transfer(request);
}

void hsa_http_request_close(hsa_http_request *request)
{
  fail(request, "closed", 0, "the client was closed while this request was under way");
  request->result.sent = may_be_sent(request);
  end_transfer(request);
}

void hsa_http_request_abandon(hsa_http_request *request)
{
  fail(request, "network", CURLE_RECV_ERROR,
       "the process forked while this request was under way: it is the parent's");
  request->result.sent = 1; /* by the parent */
  request->transfer.easy = NULL;
  request->transfer.headers = NULL;
  set_done(request);
}

/* ---- for its owner ---- */

const hsa_http_result *hsa_http_request_result(const hsa_http_request *request)
{
  return request->done ? &request->result : NULL;
}

void hsa_http_request_take_body(hsa_http_request *request, hsa_buffer *to)
{
  *to = request->result.body;
  hsa_buffer_init(&request->result.body, to->limit);
}

/* After two rounds the owner has had its chance: the first may have begun before the request completed, the second
 * cannot have. */
int hsa_http_request_is_stale(const hsa_http_request *request)
{
  return request->rounds == 2;
}

void hsa_http_request_receive(hsa_http_request *request)
{
  if (request->received || request->http == NULL)
    return;
  hsa_http_check_fork(request->http);
  request->received = 1;
  hsa_completions_receive(&request->http->completions, hsa_http_request_is_stale(request));
  hsa_http_set_alarm(request->http);
}

void hsa_http_request_free(hsa_http_request *request)
{
  hsa_http *http = request->http;
  if (http != NULL) {
    hsa_http_check_fork(http);
    if (!request->done) {
      hsa_sigpipe hold;
      hsa_sigpipe_hold(&hold);
      end_transfer(request);
      hsa_sigpipe_release(&hold);
    }
    hsa_http_request_receive(request);
    if (request->previous != NULL)
      request->previous->next = request->next;
    else
      http->requests = request->next;
    if (request->next != NULL)
      request->next->previous = request->previous;
  }
  hsa_buffer_free(&request->result.head);
  hsa_pool_give(http != NULL ? http->pool : NULL, HSA_POOL_RESPONSE, &request->result.body);
  free(request);
}
