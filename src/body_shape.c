/* The table of shapes: how the inputs of each are written. Endpoints whose inputs look alike share a row. */
#include "body_shape.h"

#include <string.h>

const char *const hsa_body_keys[HSA_BODY_KEYS] = {
  "from",
  "to",
  "id",
  "types",
  "associationCategory",
  "associationTypeId",
  "after",
  "category",
  "typeId",
  "maxToObjectIds",
  "type",
};

#define JSON(literal)                                                                                        \
  {                                                                                                          \
    literal, sizeof(literal) - 1                                                                             \
  }

#define RECORD(key_name, id_part, json, id_name)                                                             \
  {                                                                                                          \
    .key = (key_name), .kind = HSA_BODY_RECORD_ID, .part = (id_part), .before = JSON(json),                  \
    .words = (id_name)                                                                                       \
  }

#define NOTHING(key_name, reason)                                                                            \
  {                                                                                                          \
    .key = (key_name), .kind = HSA_BODY_NOTHING, .part = HSA_BODY_OTHER, .words = "no types (" reason ")"    \
  }

/* In all the fields by which other endpoints take a type, or in which it is read. */
#define NO_TYPES(reason)                                                                                     \
  NOTHING(HSA_BODY_KEY_TYPES, reason), NOTHING(HSA_BODY_KEY_TYPE, reason),                                   \
    NOTHING(HSA_BODY_KEY_ASSOCIATION_TYPE_ID, reason)

#define VALUE(key_name, kind_name, id_part, json)                                                            \
  {                                                                                                          \
    .key = (key_name), .kind = (kind_name), .part = (id_part), .before = JSON(json)                          \
  }

/* The first one is the default. */
static const hsa_body_shape shapes[] = {
  {
    .name = "association",
    .expected = "a table { from, to, types }",
    .field_count = 3,
    .fields =
      {
        RECORD(HSA_BODY_KEY_FROM, HSA_BODY_FIRST_ID, "{\"from\":{\"id\":", "from.id"),
        RECORD(HSA_BODY_KEY_TO, HSA_BODY_SECOND_ID, "},\"to\":{\"id\":", "to.id"),
        {
          .key = HSA_BODY_KEY_TYPES,
          .kind = HSA_BODY_TYPE_LIST,
          .part = HSA_BODY_TYPES,
          .before = JSON("},\"types\":["),
        },
      },
    .end = JSON("]}"),
    .id_count = 2,
    .list = HSA_BODY_TYPES,
  },
  {
    .name = "pair",
    .expected = "a table { from, to }",
    .field_count = 5,
    .fields =
      {
        RECORD(HSA_BODY_KEY_FROM, HSA_BODY_FIRST_ID, "{\"from\":{\"id\":", "from.id"),
        RECORD(HSA_BODY_KEY_TO, HSA_BODY_SECOND_ID, "},\"to\":{\"id\":", "to.id"),
        NO_TYPES("the default type is made, whatever an input has"),
      },
    .end = JSON("}}"),
    .id_count = 2,
    .list = HSA_BODY_NO_LIST,
  },
  {
    /* Each input is written with a list of one entry, so that grouping is the same merging as elsewhere. */
    .name = "fan",
    .expected = "a table { from, to }",
    .field_count = 5,
    .fields =
      {
        RECORD(HSA_BODY_KEY_FROM, HSA_BODY_FIRST_ID, "{\"from\":{\"id\":", "from.id"),
        RECORD(HSA_BODY_KEY_TO, HSA_BODY_SECOND_ID, "},\"to\":[{\"id\":", "to.id"),
        NO_TYPES("all types of the pair are removed; archive_labels removes some"),
      },
    .end = JSON("}]}"),
    .id_count = 2,
    .is_grouped = 1,
    .list = HSA_BODY_SECOND_ID,
    .list_lead = sizeof "{\"id\":\"" - 1,
    .list_tail = sizeof "\"}" - 1,
    .most_inputs = 2000,
    .most_groups = 100,
  },
  {
    /* The cursor takes the place of the second id, so that two pages of one record are two inputs. */
    .name = "record",
    .expected = "a record id, or a table { id, after }",
    .takes_bare_id = 1,
    .field_count = 2,
    .fields =
      {
        {
          .key = HSA_BODY_KEY_ID,
          .kind = HSA_BODY_OWN_ID,
          .part = HSA_BODY_FIRST_ID,
          .before = JSON("{\"id\":"),
          .words = "id",
        },
        {
          .key = HSA_BODY_KEY_AFTER,
          .kind = HSA_BODY_CURSOR,
          .part = HSA_BODY_SECOND_ID,
          .is_optional = 1,
          .before = JSON(",\"after\":"),
          .words = "a cursor (a string, such as paging.next.after)",
        },
      },
    .end = JSON("}"),
    .id_count = 1,
    .list = HSA_BODY_NO_LIST,
  },
  {
    .name = "limit",
    .expected = "a table { category, typeId, maxToObjectIds }",
    .field_count = 3,
    .fields =
      {
        VALUE(HSA_BODY_KEY_CATEGORY, HSA_BODY_CATEGORY, HSA_BODY_FIRST_ID, "{\"category\":"),
        VALUE(HSA_BODY_KEY_TYPE_ID, HSA_BODY_TYPE_ID, HSA_BODY_SECOND_ID, ",\"typeId\":"),
        {
          .key = HSA_BODY_KEY_MAX_TO_OBJECT_IDS,
          .kind = HSA_BODY_COUNT,
          .part = HSA_BODY_OTHER,
          .before = JSON(",\"maxToObjectIds\":"),
          .words = "a limit (a whole number from 1)",
        },
      },
    .end = JSON("}"),
    .id_count = 2,
    .list = HSA_BODY_NO_LIST,
  },
  {
    .name = "limit_type",
    .expected = "a table { category, typeId }",
    .field_count = 2,
    .fields =
      {
        VALUE(HSA_BODY_KEY_CATEGORY, HSA_BODY_CATEGORY, HSA_BODY_FIRST_ID, "{\"category\":"),
        VALUE(HSA_BODY_KEY_TYPE_ID, HSA_BODY_TYPE_ID, HSA_BODY_SECOND_ID, ",\"typeId\":"),
      },
    .end = JSON("}"),
    .id_count = 2,
    .list = HSA_BODY_NO_LIST,
  },
};

const hsa_body_shape *hsa_body_shape_find(hsa_text name)
{
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    if (hsa_text_same(name, (hsa_text){shapes[i].name, strlen(shapes[i].name)}))
      return &shapes[i];
  return NULL;
}

const hsa_body_shape *hsa_body_shape_default(void)
{
  return &shapes[0];
}
