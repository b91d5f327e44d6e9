/* core.transport: http.c for Lua. A transport sends requests. A request is a value of its own: its owner takes the
 * response from it, and it is canceled when it is closed or collected.
 * Plain HTTP: knows nothing of HubSpot. */
#include "transport.h"

#include "ascii.h"
#include "body.h"
#include "bytes.h"
#include "core.h"
#include "proxy.h"
#include "url.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define TRANSPORT "hubspot.associations.transport"
#define REQUEST "hubspot.associations.request"

enum { DEFAULT_MAX_RESPONSE = 64 * 1024 * 1024, MAX_HEADERS = 32 };

enum { FIRST_ERROR = 300 }; /* a status */

typedef struct lhsa_request {
  hsa_http_request *request; /* NULL once closed */
  lhsa_body *body;           /* what is sent from it, if that is a body; locked */
  int is_responding;         /* while its response is pushed: that takes memory, and so may run finalizers */
} lhsa_request;

typedef struct lhsa_transport {
  hsa_http *http; /* NULL once closed */
} lhsa_transport;

/* ---- fields of the table of arguments, at index `table` ---- */

/* A string without NUL, or NULL when the field is nil. The string stays on the stack, so that it is not collected. */
static const char *string_field(lua_State *L, int table, const char *name)
{
  size_t length;
  lua_getfield(L, table, name);
  if (lua_isnil(L, -1))
    return NULL;
  const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (value == NULL || strlen(value) != length)
    luaL_error(L, "%s: expected a string without NUL", name);
  return value;
}

static const char *required_string(lua_State *L, int table, const char *name)
{
  const char *value = string_field(L, table, name);
  if (value == NULL)
    luaL_error(L, "%s: missing", name);
  return value;
}

long lhsa_milliseconds(lua_Number seconds)
{
  enum { A_WEEK = 7 * 24 * 3600 };
  if (seconds < 0.001)
    return 1; /* because 0 is no limit to libcurl */
  return seconds > A_WEEK ? A_WEEK * 1000L : (long)(seconds * 1000 + 0.999);
}

static long milliseconds_field(lua_State *L, int table, const char *name)
{
  lua_getfield(L, table, name);
  lua_Number seconds = lua_tonumber(L, -1);
  if (!(seconds > 0))
    luaL_error(L, "%s: expected a positive number of seconds", name);
  lua_pop(L, 1);
  return lhsa_milliseconds(seconds);
}

static size_t bytes_field(lua_State *L, int table, const char *name, size_t otherwise)
{
  lua_getfield(L, table, name);
  lua_Number bytes = lua_isnil(L, -1) ? (lua_Number)otherwise : lua_tonumber(L, -1);
  if (!(bytes >= 1 && bytes <= 1e12 && bytes <= (lua_Number)(SIZE_MAX / 2)))
    luaL_error(L, "%s: expected a positive number of bytes", name);
  lua_pop(L, 1);
  return (size_t)bytes;
}

/* The list `headers`. Each entry is one line, so that none can add another header. The strings stay on the stack. */
static void headers_field(lua_State *L, int table, const char **lines)
{
  size_t length;
  lua_getfield(L, table, "headers");
  luaL_argcheck(L, lua_istable(L, -1), table, "headers: expected a list of strings");
  size_t count = (size_t)lua_rawlen(L, -1);
  luaL_argcheck(L, count <= MAX_HEADERS, table, "headers: too many");
  luaL_checkstack(L, (int)count + LUA_MINSTACK, "headers");
  int list = lua_gettop(L);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    lines[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (lines[i] == NULL || strlen(lines[i]) != length || strpbrk(lines[i], "\r\n") != NULL)
      luaL_error(L, "headers: entry %d is not one line of text",
                 (int)i + 1); /* not shown: it may be secret */
  }
  lines[count] = NULL;
}

/* Field `http_version`: "1.1", "2", or nil. */
static int http_version_field(lua_State *L, int table)
{
  const char *version = string_field(L, table, "http_version");
  if (version == NULL)
    return 0;
  if (strcmp(version, "1.1") != 0 && strcmp(version, "2") != 0)
    luaL_error(L, "http_version: expected \"1.1\" or \"2\"");
  return version[0] == '1' ? HSA_HTTP_1_1 : HSA_HTTP_2;
}

/* ---- request ---- */

static lhsa_request *check_request(lua_State *L)
{
  return luaL_checkudata(L, 1, REQUEST);
}

/* Pushes a request, which is closed until something is sent.
 * It keeps the transport, at index 1, and the body, at index 3, alive. */
static lhsa_request *new_request(lua_State *L)
{
  lhsa_request *self = lhsa_newuserdata(L, sizeof *self);
  *self = (lhsa_request){.request = NULL};
  luaL_getmetatable(L, REQUEST);
  lua_setmetatable(L, -2);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, 2);
  lhsa_setanchor(L, -2);
  return self;
}

/* Pushes a header's name in lower case. */
static void push_lower(lua_State *L, const char *name, size_t length)
{
  enum { USUAL = 64 };
  char few[USUAL], *lower = length <= USUAL ? few : lua_newuserdata(L, length);
  for (size_t i = 0; i < length; i++)
    lower[i] = hsa_ascii_lower(name[i]);
  lua_pushlstring(L, lower, length);
  if (lower != few)
    lua_replace(L, -2);
}

/* Adds the header in this line, if there is one, to the table at the top of the stack. */
static void add_header(lua_State *L, const char *line, const char *end)
{
  const char *colon = memchr(line, ':', (size_t)(end - line));
  if (colon == NULL)
    return;
  const char *value = colon + 1;
  while (value < end && hsa_ascii_is_space(*value))
    value++;
  while (end > value && hsa_ascii_is_space(end[-1]))
    end--;
  push_lower(L, line, (size_t)(colon - line));
  lua_pushlstring(L, value, (size_t)(end - value));
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const hsa_buffer *head)
{
  enum { USUAL_HEADERS = 16 }; /* to grow the table costs more than to fill it */
  lua_createtable(L, 0, head->length == 0 ? 0 : USUAL_HEADERS);
  if (head->length == 0)
    return;
  const char *line = head->data, *end = head->data + head->length;
  while (line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop == NULL ? end : stop;
    add_header(L, line, stop);
    line = stop + 1;
  }
}

static void push_response(lua_State *L, hsa_http_request *request, int as_bytes)
{
  const hsa_http_result *result = hsa_http_request_result(request);
  lua_createtable(L, 0, 6);
  if (as_bytes)
    hsa_http_request_take_body(request, lhsa_bytes_push(L));
  else
    lua_pushlstring(L, result->body.length > 0 ? result->body.data : "", result->body.length);
  lua_setfield(L, -2, "body");
  push_headers(L, &result->head);
  lua_setfield(L, -2, "headers");
  lhsa_set_integer(L, "status", (lua_Integer)result->status);
  lhsa_set_number(L, "elapsed", result->elapsed);
  lhsa_set_string(L, "http_version", result->http_version);
  lhsa_set_integer(L, "connects", (lua_Integer)result->connects);
}

static void push_failure(lua_State *L, const hsa_http_result *result)
{
  lua_createtable(L, 0, 9);
  lhsa_set_string(L, "kind", result->failure);
  lhsa_set_string(L, "message", result->message);
  lhsa_set_number(L, "elapsed", result->elapsed);
  lhsa_set_boolean(L, "sent", result->sent);
  lhsa_set_boolean(L, "connection_ended", result->connection_ended);
  lhsa_set_boolean(L, "looked_up", result->looked_up);
  if (result->code != 0)
    lhsa_set_integer(L, "curl_code", result->code);
  if (result->proxy_status >= FIRST_ERROR)
    lhsa_set_integer(L, "proxy_status", (lua_Integer)result->proxy_status);
  if (result->proxy_code != 0)
    lhsa_set_integer(L, "proxy_code", (lua_Integer)result->proxy_code);
}

/* request:done() -> boolean */
static int request_done(lua_State *L)
{
  lhsa_request *self = check_request(L);
  lua_pushboolean(L, self->request == NULL || hsa_http_request_result(self->request) != NULL);
  return 1;
}

/* __gc: cancels the request if it is under way, and frees it. */
static int request_collect(lua_State *L)
{
  lhsa_request *self = check_request(L);
  hsa_http_request *request = self->request;
  lhsa_body *body = self->body;
  self->request = NULL;
  self->body = NULL;
  if (request != NULL)
    hsa_http_request_free(request);
  if (body != NULL)
    lhsa_body_unlock(body); /* alive: it is in the anchor */
  return 0;
}

/* request:close(), __close: the same. Does nothing while the response is pushed, which closes the request itself. */
static int request_close(lua_State *L)
{
  return check_request(L)->is_responding ? 0 : request_collect(L);
}

/* request:response([as_bytes]) -> { status, headers, body, elapsed, http_version, connects } | nil, failure | nil
 *   failure: { kind, message, elapsed, sent, connection_ended, looked_up, curl_code, proxy_status, proxy_code }
 * Closes the request, so that there is one response. Raises while the request is under way. Both are returned when
 * the request failed after the response had begun, and what was received may be of use.
 * as_bytes: whether the body is to be bytes in place of a string; see bytes.c.
 * sent: false when nothing was sent, or the server said that it did nothing of it.
 * connection_ended: whether the server only ended the connection, so that another is worth a try at once.
 * looked_up: whether the address to connect to was found.
 * proxy_status: the status of a proxy that rejected the tunnel; proxy_code: the CURLproxycode of a SOCKS proxy. */
static int request_response(lua_State *L)
{
  lhsa_request *self = check_request(L);
  int as_bytes = lua_toboolean(L, 2);
  luaL_argcheck(L, self->request != NULL, 1, "the request is closed");
  const hsa_http_result *result = hsa_http_request_result(self->request);
  luaL_argcheck(L, result != NULL, 1, "the request is not done");
  luaL_argcheck(L, !self->is_responding, 1, "its response is being made");
  hsa_http_request_receive(self->request);
  self->is_responding = 1;
  if (result->failure == NULL || result->broken)
    push_response(L, self->request, as_bytes);
  else
    lua_pushnil(L);
  if (result->failure == NULL)
    lua_pushnil(L);
  else
    push_failure(L, result);
  request_collect(L);
  return 2;
}

static const luaL_Reg request_methods[] = {
  {"done", request_done},    {"response", request_response}, {"close", request_close},
  {"__gc", request_collect}, {"__close", request_close},     {NULL, NULL},
};

/* ---- transport ---- */

static lhsa_transport *check_transport(lua_State *L)
{
  return luaL_checkudata(L, 1, TRANSPORT);
}

hsa_http *lhsa_check_http(lua_State *L)
{
  return check_transport(L)->http;
}

/* Returns nil, { kind, message, elapsed, sent }, for what was not even tried. */
static int return_failure(lua_State *L, const char *kind, const char *message)
{
  lua_pushnil(L);
  lua_createtable(L, 0, 4);
  lhsa_set_string(L, "kind", kind);
  lhsa_set_string(L, "message", message);
  lhsa_set_number(L, "elapsed", 0);
  lhsa_set_boolean(L, "sent", 0);
  return 2;
}

/* transport { proxy, ca_file, ca_path, keep_default_ca, http_version, max_response } -> transport | nil, failure
 * keep_default_ca: whether libcurl's default stays in place of ca_file or ca_path when only the other is given.
 * max_response: bytes after decompression; 64 MiB by default. */
static int new_transport(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  hsa_http_options options = {.max_response = bytes_field(L, 1, "max_response", DEFAULT_MAX_RESPONSE)};
  options.proxy = string_field(L, 1, "proxy");
  options.ca_file = string_field(L, 1, "ca_file");
  options.ca_path = string_field(L, 1, "ca_path");
  lua_getfield(L, 1, "keep_default_ca");
  options.keep_default_ca = lua_toboolean(L, -1);
  options.http_version = http_version_field(L, 1);

  options.pool = lhsa_pool(L);
  lhsa_transport *self = lhsa_newuserdata(L, sizeof *self);
  self->http = NULL;
  luaL_getmetatable(L, TRANSPORT);
  lua_setmetatable(L, -2);
  self->http = hsa_http_new(&options);
  if (self->http != NULL)
    return 1;
  return return_failure(L, "network", strerror(errno));
}

/* transport:submit { method, url, headers, body, timeout, connect_timeout } -> request | nil, failure
 * headers: a list of "Name: value". timeout, connect_timeout: seconds. body: a string, or a body of core.body, whose
 * inputs are sent as they are, and which cannot be changed until the request is closed. It is not copied, but kept
 * alive. It is sent by a step, which has to follow: until then, only a call of fd makes that readable for it. */
static int transport_submit(lua_State *L)
{
  const char *lines[MAX_HEADERS + 1];
  hsa_http_call call = {.headers = lines};
  lhsa_transport *transport = check_transport(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 2, "body"); /* at 3 */
  lhsa_body *body = lua_type(L, 3) == LUA_TUSERDATA ? lhsa_body_at(L, 3) : NULL;
  if (!lua_isnil(L, 3) && body == NULL) {
    luaL_argcheck(L, lua_type(L, 3) == LUA_TSTRING, 2, "body: expected a string, or a body");
    call.body = lua_tolstring(L, 3, &call.body_length);
  }
  call.timeout_ms = milliseconds_field(L, 2, "timeout");
  call.connect_timeout_ms = milliseconds_field(L, 2, "connect_timeout");
  call.method = required_string(L, 2, "method");
  call.url = required_string(L, 2, "url");
  headers_field(L, 2, lines);

  lhsa_request *self = new_request(L);
  const char *reason = "the client is closed", *kind = "closed";
  if (body != NULL) /* from here on, no Lua runs that could change it */
    call.body = lhsa_body_complete(L, body, &call.body_length);
  /* Only now, because a finalizer may have closed it. */
  if (transport->http != NULL && hsa_http_is_open(transport->http)) {
    kind = "network";
    self->request = hsa_http_submit(transport->http, &call, &reason);
  }
  if (self->request == NULL)
    return return_failure(L, kind, reason);
  if (body != NULL)
    lhsa_body_lock(self->body = body);
  return 1;
}

/* transport:step([request]): does what is ready; never waits. Does nothing when closed.
 * request: the caller's own, whose response it takes next, if it is there: fd does not become readable for that. */
static int transport_step(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  const lhsa_request *own = lua_isnoneornil(L, 2) ? NULL : luaL_checkudata(L, 2, REQUEST);
  if (self->http != NULL)
    hsa_http_step(self->http, own == NULL ? NULL : own->request);
  return 0;
}

/* transport:fd() -> a descriptor, which is readable when step has something to do, and when a response waits for
 * its owner. It stays the same for the transport's life, and is readable after shutdown. To be watched only, never
 * read or closed. -1 when closed, and in a forked child that has no descriptor left for it. */
static int transport_fd(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  lua_pushinteger(L, self->http == NULL ? -1 : hsa_http_fd(self->http));
  return 1;
}

/* transport:wake(seconds): makes fd readable after so many seconds, once; the soonest of several calls counts. */
static int transport_wake(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  lua_Number seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0, 2, "a time to wait is not negative");
  if (self->http != NULL)
    hsa_http_wake(self->http, seconds > 1e6 ? INT64_C(1000000000000000) : (int64_t)(seconds * 1e9));
  return 0;
}

/* transport:pending() -> the number of requests under way */
static int transport_pending(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  lua_pushinteger(L, self->http == NULL ? 0 : (lua_Integer)hsa_http_pending(self->http));
  return 1;
}

/* transport:forks() -> a number that is another one in a forked child */
static int transport_forks(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  lua_pushinteger(L, self->http == NULL ? 0 : (lua_Integer)hsa_http_forks(self->http));
  return 1;
}

/* transport:shutdown(): ends every request, with a failure of kind `closed`, and every connection. fd stays, and is
 * readable, so that everybody who waits for it is woken. */
static int transport_shutdown(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  if (self->http != NULL)
    hsa_http_shutdown(self->http);
  return 0;
}

/* transport:close(), __gc, __close: shuts down, and frees the transport and its descriptor. */
static int transport_close(lua_State *L)
{
  lhsa_transport *self = check_transport(L);
  hsa_http *http = self->http;
  self->http = NULL;
  if (http != NULL)
    hsa_http_free(http);
  return 0;
}

static const luaL_Reg transport_methods[] = {
  {"submit", transport_submit}, {"connect", lhsa_transport_connect}, {"step", transport_step},
  {"fd", transport_fd},         {"pending", transport_pending},      {"forks", transport_forks},
  {"wake", transport_wake},     {"shutdown", transport_shutdown},    {"close", transport_close},
  {"__gc", transport_close},    {"__close", transport_close},        {NULL, NULL},
};

/* ---- URLs ---- */

/* invalid_url(url) -> nil, or the reason why a request may not be sent there */
static int invalid_url(lua_State *L)
{
  size_t length;
  const char *url = luaL_checklstring(L, 1, &length);
  const char *reason = strlen(url) == length ? hsa_url_invalid(url) : "a URL has no NUL in it";
  lua_pushstring(L, reason); /* nil for NULL */
  return 1;
}

/* proxy(url) -> the URL without user and password | nil, the reason why libcurl cannot use such a proxy */
static int proxy(lua_State *L)
{
  char shown[512];
  size_t length;
  const char *url = luaL_checklstring(L, 1, &length);
  const char *reason =
    strlen(url) == length ? hsa_proxy_invalid(url, shown, sizeof shown) : "a URL has no NUL in it";
  if (reason == NULL) {
    lua_pushstring(L, shown);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, reason);
  return 2;
}

static const luaL_Reg functions[] = {
  {"transport", new_transport},
  {"invalid_url", invalid_url},
  {"proxy", proxy},
  {NULL, NULL},
};

void lhsa_open_transport(lua_State *L)
{
  lhsa_newclass(L, TRANSPORT, transport_methods);
  lhsa_newclass(L, REQUEST, request_methods);
  lhsa_open_stream(L);
  luaL_setfuncs(L, functions, 0);
}
