/* What all fuzzers share: a Lua state with the core, and in it the target FUZZ, a spec/fuzz/NAME.lua:
 * a function that is given libFuzzer's bytes, and raises when what should hold of them does not.
 * Lends the targets what the core keeps to itself; never judges. Run by tools/fuzz. */
#include "../../src/transport.c" /* for push_headers */

#include "../../src/bytes.h"
#include "../../src/http_private.h" /* for libcurl's callbacks */
#include "../../src/json_read.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "hubspot-associations.h"

enum { TRACEBACK = 1, TARGET }; /* on the stack */

enum { MAX_DEPTH = 64, MAX_HEAD = 256 * 1024 }; /* as in the core */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static lua_State *state;

/* ---- what is inside the core ---- */

/* The string at 1, in memory that ends where it does: Lua keeps a NUL behind a string, at which one who reads
 * too far would stop, unseen. */
static char *copy_exactly(lua_State *L, size_t *length)
{
  const char *text = luaL_checklstring(L, 1, length);
  char *copy = malloc(*length);
  if (copy == NULL && *length > 0)
    luaL_error(L, "not enough memory");
  if (*length > 0)
    memcpy(copy, text, *length);
  return copy;
}

/* bytes(text) -> the text as the core's bytes, in memory that ends where they do */
static int bytes_of(lua_State *L)
{
  size_t length;
  hsa_buffer *buffer = lhsa_bytes_push(L);
  buffer->data = copy_exactly(L, &length);
  buffer->length = buffer->capacity = buffer->limit = length;
  return 1;
}

/* skips(text) -> whether it is an object or a list, as far as hsa_json_skip can tell */
static int skips(lua_State *L)
{
  size_t length;
  char *text = copy_exactly(L, &length);
  hsa_json_reader reader;
  hsa_json_init(&reader, text, length);
  hsa_json_token token = hsa_json_next(&reader);
  int skipped = (token == HSA_JSON_OBJECT || token == HSA_JSON_LIST)
                && hsa_json_skip(&reader, token, MAX_DEPTH) && hsa_json_next(&reader) == HSA_JSON_END;
  free(text);
  lua_pushboolean(L, skipped);
  return 1;
}

/* headers(text) -> the headers of the response whose head is `text`, which comes line by line, as from
 * libcurl; nil when it is not complete: there is no response then */
static int headers(lua_State *L)
{
  size_t length;
  char *text = copy_exactly(L, &length), *line = text, *end = text + length;
  hsa_http http = {.requests = NULL};
  hsa_http_request request = {.http = &http};
  hsa_buffer_init(&request.result.head, MAX_HEAD);
  while (line < end) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    size_t count = (size_t)(stop == NULL ? end - line : stop + 1 - line);
    if (hsa_http_request_on_head(line, 1, count, &request) != count)
      break;
    line += count;
  }
  free(text);
  if (request.head_complete)
    push_headers(L, &request.result.head);
  else
    lua_pushnil(L);
  hsa_buffer_free(&request.result.head);
  return 1;
}

static void push_part(lua_State *L, CURLU *parsed, CURLUPart part)
{
  char *value = NULL;
  curl_url_get(parsed, part, &value, 0);
  lua_pushstring(L, value); /* nil for NULL */
  curl_free(value);
}

/* url_parts(url) -> scheme, host, user, password, as a transfer reads the URL, which takes more for one than
 * url.c does; and whether url.c holds it for plain http */
static int url_parts(lua_State *L)
{
  const char *url = luaL_checkstring(L, 1);
  CURLU *parsed = curl_url();
  if (parsed == NULL)
    luaL_error(L, "not enough memory");
  curl_url_set(parsed, CURLUPART_URL, url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
  push_part(L, parsed, CURLUPART_SCHEME);
  push_part(L, parsed, CURLUPART_HOST);
  push_part(L, parsed, CURLUPART_USER);
  push_part(L, parsed, CURLUPART_PASSWORD);
  curl_url_cleanup(parsed);
  lua_pushboolean(L, hsa_url_is_plain(url));
  return 5;
}

static int open_inside(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"bytes", bytes_of}, {"skips", skips}, {"headers", headers}, {"url_parts", url_parts}, {NULL, NULL}};
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}

/* ---- libFuzzer's side ---- */

static void give_up(lua_State *L)
{
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "fuzz: %s\n", message != NULL ? message : "an error that is no text");
  abort(); /* libFuzzer keeps the bytes */
}

static void preload(lua_State *L, const char *name, lua_CFunction open)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
  lua_State *L = state = luaL_newstate();
  (void)count;
  (void)arguments;
  luaL_openlibs(L);
  preload(L, "hubspot.associations.core", luaopen_hubspot_associations_core);
  preload(L, "inside", open_inside);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_replace(L, TRACEBACK);
  const char *target = getenv("FUZZ");
  if (luaL_loadfile(L, target != NULL ? target : "FUZZ names no target") != 0
      || lua_pcall(L, 0, 1, TRACEBACK) != 0)
    give_up(L);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
  lua_State *L = state;
  lua_pushvalue(L, TARGET);
  lua_pushlstring(L, (const char *)bytes, count);
  if (lua_pcall(L, 1, 0, TRACEBACK) != 0)
    give_up(L);
  lua_gc(L, LUA_GCCOLLECT, 0); /* so that what is left now is a leak, for libFuzzer to see */
  return 0;
}
