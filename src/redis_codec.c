/* hubspot.associations.redis_codec: Redis's protocol (RESP2) for Lua, on hiredis: its formatter and its reader. A module
 * of its own, built where hiredis is installed.
 *
 * hiredis 0.14 needs care. Its formatter counts in an int. Its reader has no ceiling, counts in ints where it looks for
 * the end of a line, and asserts that it gets memory when it makes a large buffer small again. So sizes have ceilings
 * here, before hiredis sees the bytes, the reader never shrinks its buffer (`maxbuf`), and replies are nodes of our own:
 * memory is taken for what has arrived, and not for what a server announces. hiredis 1 reads RESP3, too, and nests
 * without end: what a reply may be is decided here, where its nodes are made. */
#include "compat.h"

#include <hiredis/hiredis.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READER "hubspot.associations.redis_reader"
#define COMMAND "hubspot.associations.redis_command"

enum {
  MOST_ARGUMENTS = 1024 * 1024,
  MOST_BYTES = 512 * 1024 * 1024, /* of a command, and of a reply: Redis's own limit of a value */
  MOST_KEPT = 64 * 1024,          /* of the reader's memory, while it has nothing to read */
  MOST_NODES = 4 * 1024 * 1024,   /* of a reply: each takes 64 bytes, and a server sends 4 for one */
  MOST_DEPTH = 8,                 /* of arrays, as in hiredis 0.14 */
  NUMBER_ROOM = 32,               /* for a number as text */
};

static const lua_Number MOST_WHOLE = 9007199254740992; /* 2^53: up to here, each whole number is a double */

HSA_EXPORT int luaopen_hubspot_associations_redis_codec(lua_State *L);

/* ---- commands ---- */

typedef struct command {
  char *bytes; /* hiredis's */
} command;

static int command_collect(lua_State *L)
{
  command *self = luaL_checkudata(L, 1, COMMAND);
  char *bytes = self->bytes;
  self->bytes = NULL;
  if (bytes != NULL)
    redisFreeCommand(bytes);
  return 0;
}

/* Writes a number as Redis reads it, in any locale. Whole numbers have no exponent and no sign of zero, as Redis wants
 * its integers. */
static size_t write_number(lua_State *L, int index, char *text)
{
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, index))
    return (size_t)snprintf(text, NUMBER_ROOM, "%lld", (long long)lua_tointeger(L, index));
#endif
  lua_Number number = lua_tonumber(L, index);
  if (number == floor(number) && fabs(number) <= MOST_WHOLE)
    return (size_t)snprintf(text, NUMBER_ROOM, "%.0f", number == 0 ? 0.0 : number);
  size_t length = (size_t)snprintf(text, NUMBER_ROOM, "%.15g", number), kept = 0;
  if (strtod(text, NULL) != number)
    length = (size_t)snprintf(text, NUMBER_ROOM, "%.17g", number);
  int is_point = 0;
  for (size_t i = 0; i < length; i++) {
    int is_part = strchr("0123456789+-einfaINFA", text[i]) != NULL;
    if (is_part)
      text[kept++] = text[i];
    else if (!is_point)
      text[kept++] = '.'; /* the locale's may be something else, and of several bytes */
    is_point = !is_part;
  }
  return kept;
}

/* Sets an argument from the value at the top of the stack, which stays in its list. */
static void read_argument(lua_State *L, int position, const char **text, size_t *length, char *room)
{
  int type = lua_type(L, -1);
  if (type == LUA_TSTRING) {
    *text = lua_tolstring(L, -1, length);
  } else if (type == LUA_TNUMBER) {
    *text = room;
    *length = write_number(L, -1, room);
  } else {
    luaL_error(L, "argument %d of a command: expected a string or a number, found %s", position,
               luaL_typename(L, -1));
  }
}

/* command(list [, count]) -> the bytes of a command: its name and its arguments, which are strings or numbers */
static int write_command(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer given = luaL_optinteger(L, 2, (lua_Integer)lua_rawlen(L, 1));
  luaL_argcheck(L, given >= 1 && given <= MOST_ARGUMENTS, 1, "a command has from 1 to 1,048,576 words");
  size_t count = (size_t)given;
  command *self = lua_newuserdata(L, sizeof *self);
  self->bytes = NULL;
  luaL_getmetatable(L, COMMAND);
  lua_setmetatable(L, -2);
  /* From here on nothing is made in Lua, whose finalizers could take a text from its list. */
  const char **texts = lua_newuserdata(L, count * (sizeof *texts + sizeof(size_t) + NUMBER_ROOM));
  size_t *lengths = (size_t *)(void *)(texts + count);
  char *numbers = (char *)(lengths + count);
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    read_argument(L, (int)i + 1, &texts[i], &lengths[i], numbers + i * NUMBER_ROOM);
    lua_pop(L, 1);
    if (lengths[i] > MOST_BYTES || (total += lengths[i] + NUMBER_ROOM) > MOST_BYTES)
      return luaL_error(L, "a command has 512 MiB at most");
  }
  long long length = redisFormatCommandArgv(&self->bytes, (int)count, texts, lengths);
  if (length < 0)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, self->bytes, (size_t)length);
  redisFreeCommand(self->bytes);
  self->bytes = NULL;
  return 1;
}

/* ---- replies, as nodes ---- */

typedef struct node node;
struct node {
  int type; /* REDIS_REPLY_… */
  int depth;
  node *next, *first, *last;
  long long integer; /* of an array: how many elements it will have */
  size_t length;
  char text[];
};

static void free_node(void *object)
{
  node *self = object;
  while (self != NULL) { /* the depth is bounded, and so is this recursion */
    node *next = self->next;
    free_node(self->first);
    free(self);
    self = next;
  }
}

typedef struct reader {
  redisReader *reader; /* NULL when there was no memory */
  node *reply;         /* while it is pushed */
  size_t limit;
  size_t unread; /* bytes since the last complete reply */
  size_t largest;
  size_t nodes;        /* of the reply that is read */
  const char *refusal; /* why it is not read on; or NULL */
} reader;

/* Why a reply may not have this node; NULL when it may. */
static const char *refuse(const redisReadTask *task, const node *parent, size_t nodes)
{
  int is_known = task->type == REDIS_REPLY_STRING || task->type == REDIS_REPLY_ARRAY
                 || task->type == REDIS_REPLY_INTEGER || task->type == REDIS_REPLY_STATUS
                 || task->type == REDIS_REPLY_ERROR;
  int is_deep = task->type == REDIS_REPLY_ARRAY && parent != NULL && parent->depth + 1 == MOST_DEPTH;
  return !is_known             ? "a reply is not of RESP2"
         : is_deep             ? "a reply is nested too deeply"
         : nodes == MOST_NODES ? "a reply has more than 4,194,304 elements"
                               : NULL;
}

/* NULL when there is no memory, and for what is refused: hiredis then makes an error of it. */
static node *new_node(const redisReadTask *task, int type, const char *text, size_t length)
{
  reader *owner = task->privdata;
  node *parent = task->parent == NULL ? NULL : task->parent->obj;
  owner->refusal = refuse(task, parent, owner->nodes);
  node *self = owner->refusal != NULL || length > MOST_BYTES ? NULL : calloc(1, sizeof *self + length);
  if (self == NULL)
    return NULL;
  owner->nodes++;
  self->type = type;
  self->length = length;
  if (length > 0)
    memcpy(self->text, text, length);
  if (parent == NULL)
    return self;
  self->depth = parent->depth + 1;
  if (parent->last != NULL)
    parent->last->next = self;
  else
    parent->first = self;
  parent->last = self;
  return self;
}

/* The text is in hiredis's buffer, with the two bytes that end it. hiredis does not look at those after a length, and
 * hiredis 0.14 takes a CR or LF within a line. */
static void *create_string(const redisReadTask *task, char *text, size_t length)
{
  int is_line = task->type != REDIS_REPLY_STRING;
  if (memcmp(text + length, "\r\n", 2) == 0
      && !(is_line && (memchr(text, '\r', length) != NULL || memchr(text, '\n', length) != NULL)))
    return new_node(task, task->type, text, length);
  ((reader *)task->privdata)->refusal = "a text in a reply does not end where it should";
  return NULL;
}

#if HIREDIS_MAJOR >= 1
static void *create_double(const redisReadTask *task, double value, char *text, size_t length)
{
  (void)value;
  return new_node(task, task->type, text, length); /* which refuses it */
}

static void *create_boolean(const redisReadTask *task, int value)
{
  (void)value;
  return new_node(task, task->type, NULL, 0);
}

static void *create_array(const redisReadTask *task, size_t count)
#else
static void *create_array(const redisReadTask *task, int count)
#endif
{
  node *self = new_node(task, task->type, NULL, 0);
  if (self != NULL)
    self->integer = (long long)count;
  return self;
}

static void *create_integer(const redisReadTask *task, long long value)
{
  node *self = new_node(task, task->type, NULL, 0);
  if (self != NULL)
    self->integer = value;
  return self;
}

static void *create_nil(const redisReadTask *task)
{
  return new_node(task, REDIS_REPLY_NIL, NULL, 0);
}

/* hiredis never changes it. */
static redisReplyObjectFunctions functions = {
  .createString = create_string,
  .createArray = create_array,
  .createInteger = create_integer,
  .createNil = create_nil,
#if HIREDIS_MAJOR >= 1
  .createDouble = create_double, /* without these, hiredis makes objects that are none */
  .createBool = create_boolean,
#endif
  .freeObject = free_node,
};

/* ---- the reader ---- */

static redisReader *open_reader(reader *owner)
{
  redisReader *opened = redisReaderCreateWithFunctions(&functions);
  if (opened == NULL)
    return NULL;
  opened->maxbuf = 0; /* no limit: see above */
  opened->privdata = owner;
  return opened;
}

static int reader_collect(lua_State *L)
{
  reader *self = luaL_checkudata(L, 1, READER);
  redisReaderFree(self->reader); /* NULL is harmless */
  free_node(self->reply);
  self->reader = NULL;
  self->reply = NULL;
  return 0;
}

/* reader(error [, limit]) -> reader
 * error(text): makes the value of an error reply. limit: bytes of a reply. */
static int new_reader(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_Number limit = luaL_optnumber(L, 2, MOST_BYTES);
  luaL_argcheck(L, limit >= 1 && limit <= MOST_BYTES, 2, "expected a number of bytes up to 512 MiB");
  reader *self = lhsa_newuserdata(L, sizeof *self);
  *self = (reader){.limit = (size_t)limit};
  luaL_getmetatable(L, READER);
  lua_setmetatable(L, -2);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lhsa_setanchor(L, -2);
  self->reader = open_reader(self);
  return self->reader == NULL ? luaL_error(L, "not enough memory") : 1;
}

static int return_reason(lua_State *L, const char *reason)
{
  lua_pushnil(L);
  lua_pushstring(L, reason);
  return 2;
}

static reader *check_reader(lua_State *L)
{
  reader *self = luaL_checkudata(L, 1, READER);
  luaL_argcheck(L, self->reader != NULL, 1, "the reader is closed");
  return self;
}

/* reader:feed(bytes) -> true | nil, reason: for what `next` reads. After a failure, the reader is of no more use. */
static int reader_feed(lua_State *L)
{
  size_t count;
  reader *self = check_reader(L);
  const char *bytes = luaL_checklstring(L, 2, &count);
  if (count > self->limit - self->unread)
    return return_reason(L, "a reply is over the limit of its size");
  if (redisReaderFeed(self->reader, bytes, count) != REDIS_OK)
    return return_reason(L, self->reader->errstr);
  self->unread += count;
  if (self->unread > self->largest)
    self->largest = self->unread;
  lua_pushboolean(L, 1);
  return 1;
}

/* Pushes the value of a reply. The error function is at index 2. */
static void push_node(lua_State *L, const node *self)
{
  luaL_checkstack(L, LUA_MINSTACK, "a reply");
  switch (self->type) {
  case REDIS_REPLY_INTEGER:
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)self->integer);
#else
    lua_pushnumber(L, (lua_Number)self->integer);
#endif
    break;
  case REDIS_REPLY_NIL:
    lua_pushboolean(L, 0);
    break;
  case REDIS_REPLY_ERROR:
    lua_pushvalue(L, 2);
    lua_pushlstring(L, self->text, self->length);
    lua_call(L, 1, 1);
    break;
  case REDIS_REPLY_ARRAY:
    lua_createtable(L, self->integer < 1024 ? (int)self->integer : 0, 0);
    int index = 1;
    for (const node *each = self->first; each != NULL; each = each->next) {
      push_node(L, each);
      lua_rawseti(L, -2, index++);
    }
    break;
  default: /* a string, or a status */
    lua_pushlstring(L, self->text, self->length);
  }
}

/* A large reply left a large buffer. */
static void shrink(reader *self)
{
  if (self->largest <= MOST_KEPT)
    return;
  redisReader *fresh = open_reader(self);
  if (fresh == NULL)
    return; /* the next reply tries again */
  redisReaderFree(self->reader);
  self->reader = fresh;
  self->largest = 0;
}

/* reader:next() -> true, reply | false | nil, reason
 * false: there is no complete reply yet. A nil of Redis is false, and an array a list. */
static int reader_next(lua_State *L)
{
  void *reply = NULL;
  reader *self = check_reader(L);
  luaL_argcheck(L, self->reply == NULL, 1, "a reply is being made");
  lua_settop(L, 1);
  lhsa_getanchor(L, 1);
  lua_rawgeti(L, 2, 1);
  lua_replace(L, 2);
  if (redisReaderGetReply(self->reader, &reply) != REDIS_OK)
    return return_reason(L, self->refusal != NULL ? self->refusal : self->reader->errstr);
  lua_pushboolean(L, reply != NULL);
  if (reply == NULL)
    return 1;
  self->reply = reply;
  self->nodes = 0;
  self->unread = self->reader->len - self->reader->pos;
  if (self->unread == 0)
    shrink(self);
  push_node(L, self->reply);
  free_node(self->reply);
  self->reply = NULL;
  return 2;
}

static const luaL_Reg reader_methods[] = {
  {"feed", reader_feed},
  {"next", reader_next},
  {"__gc", reader_collect},
  {NULL, NULL},
};

static const luaL_Reg command_methods[] = {
  {"__gc", command_collect},
  {NULL, NULL},
};

static const luaL_Reg module_functions[] = {
  {"command", write_command},
  {"reader", new_reader},
  {NULL, NULL},
};

int luaopen_hubspot_associations_redis_codec(lua_State *L)
{
  lua_newtable(L);
  lhsa_newclass(L, READER, reader_methods);
  lhsa_newclass(L, COMMAND, command_methods);
  luaL_setfuncs(L, module_functions, 0);
  lua_pushstring(L, HSA_VERSION);
  lua_setfield(L, -2, "VERSION");
  return 1;
}
