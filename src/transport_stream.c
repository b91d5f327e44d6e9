/* transport:connect: http_stream.c for Lua. A stream is a connection on which Lua speaks a protocol of its own; it
 * ends when it is closed or collected. */
#include "transport.h"

#include "core.h"

#include <string.h>

#define STREAM "hubspot.associations.stream"

enum { MOST_UNSENT = 64 * 1024 * 1024 };

typedef struct lhsa_stream {
  hsa_http_stream *stream; /* NULL once closed */
} lhsa_stream;

static lhsa_stream *check_stream(lua_State *L)
{
  return luaL_checkudata(L, 1, STREAM);
}

static hsa_http_stream *check_open(lua_State *L)
{
  hsa_http_stream *stream = check_stream(L)->stream;
  luaL_argcheck(L, stream != NULL, 1, "the stream is closed");
  return stream;
}

/* Returns nil, { kind, message, … }. */
static int return_failure(lua_State *L, const char *kind, const char *message, const hsa_http_result *result)
{
  lua_pushnil(L);
  lua_createtable(L, 0, 5);
  lhsa_set_string(L, "kind", kind);
  lhsa_set_string(L, "message", message);
  if (result == NULL)
    return 2;
  lhsa_set_boolean(L, "connection_ended", result->connection_ended);
  lhsa_set_boolean(L, "looked_up", result->looked_up);
  if (result->code != 0)
    lhsa_set_integer(L, "curl_code", result->code);
  return 2;
}

/* transport:connect(host, port, is_tls, seconds) -> stream | nil, failure { kind, message }
 * seconds: for the look-up, the connection and TLS's handshake. */
int lhsa_transport_connect(lua_State *L)
{
  size_t length;
  lhsa_check_http(L);
  const char *host = luaL_checklstring(L, 2, &length);
  luaL_argcheck(L, strlen(host) == length, 2, "a host has no NUL in it");
  lua_Integer port = luaL_checkinteger(L, 3);
  lua_Number seconds = luaL_checknumber(L, 5);
  luaL_argcheck(L, port >= 1 && port <= 65535, 3, "a port is a number from 1 to 65535");
  luaL_argcheck(L, seconds > 0, 5, "expected a positive number of seconds");
  hsa_http_target target = {.host = host,
                            .port = (int)port,
                            .is_tls = lua_toboolean(L, 4),
                            .connect_timeout_ms = lhsa_milliseconds(seconds),
                            .most_unsent = MOST_UNSENT};

  lhsa_stream *self = lhsa_newuserdata(L, sizeof *self);
  self->stream = NULL;
  luaL_getmetatable(L, STREAM);
  lua_setmetatable(L, -2);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 1); /* it keeps the transport alive */
  lua_rawseti(L, -2, 1);
  lhsa_setanchor(L, -2);
  const char *reason = "the client is closed";
  hsa_http *http = lhsa_check_http(L); /* only now, because a finalizer may have closed it */
  if (http == NULL || !hsa_http_is_open(http))
    return return_failure(L, "closed", reason, NULL);
  self->stream = hsa_http_stream_new(http, &target, &reason);
  return self->stream != NULL ? 1 : return_failure(L, "network", reason, NULL);
}

/* stream:state() -> "connecting" | "open" | nil, failure { kind, message, connection_ended, looked_up, curl_code } */
static int stream_state(lua_State *L)
{
  hsa_http_stream *stream = check_open(L);
  const hsa_http_result *result = hsa_http_stream_result(stream);
  int state = hsa_http_stream_state(stream);
  if (state == HSA_STREAM_ENDED)
    return return_failure(L, result->failure, result->message, result);
  lua_pushstring(L, state == HSA_STREAM_OPEN ? "open" : "connecting");
  return 1;
}

/* stream:send(bytes) -> true | nil, failure: takes all of them, or none. They are sent by and by. */
static int stream_send(lua_State *L)
{
  size_t count;
  hsa_http_stream *stream = check_open(L);
  const char *bytes = luaL_checklstring(L, 2, &count);
  hsa_status status = hsa_http_stream_send(stream, bytes, count);
  if (status == HSA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  return status == HSA_TOO_LARGE
           ? return_failure(L, "too_large", "more than 64 MiB would wait to be sent", NULL)
           : return_failure(L, "network", "not enough memory for what is to be sent", NULL);
}

/* stream:sent() -> how many bytes went to the operating system */
static int stream_sent(lua_State *L)
{
  lua_pushnumber(L, (lua_Number)hsa_http_stream_sent(check_open(L)));
  return 1;
}

/* stream:receive() -> what was received since, also after the end; nil when that is nothing */
static int stream_receive(lua_State *L)
{
  hsa_http_stream *stream = check_open(L);
  const hsa_buffer *received = hsa_http_stream_received(stream);
  if (received->length == 0)
    return 0;
  lua_pushlstring(L, received->data, received->length);
  hsa_http_stream_take(stream);
  return 1;
}

/* stream:close(), __gc, __close */
static int stream_close(lua_State *L)
{
  lhsa_stream *self = check_stream(L);
  hsa_http_stream *stream = self->stream;
  self->stream = NULL;
  if (stream != NULL)
    hsa_http_stream_free(stream);
  return 0;
}

static const luaL_Reg stream_methods[] = {
  {"state", stream_state}, {"send", stream_send},  {"sent", stream_sent},     {"receive", stream_receive},
  {"close", stream_close}, {"__gc", stream_close}, {"__close", stream_close}, {NULL, NULL},
};

void lhsa_open_stream(lua_State *L)
{
  lhsa_newclass(L, STREAM, stream_methods);
}
