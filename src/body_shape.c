/* The shapes of inputs: the one place that says how each is written. A row is of use to every endpoint that takes
 * such inputs. */
#include "body_shape.h"

#include <string.h>

const char *const hsa_body_keys[HSA_BODY_KEYS] = {
  "from", "to", "id", "types", "associationCategory", "associationTypeId",
};

#define JSON(literal)                                                                                        \
  {                                                                                                          \
    literal, sizeof(literal) - 1                                                                             \
  }

/* The first one is the default. */
static const hsa_body_shape shapes[] = {
  {
    .name = "association",
    .expected = "a table { from, to, types }",
    .fields =
      {
        {HSA_BODY_KEY_FROM, HSA_BODY_RECORD_ID, HSA_BODY_FIRST_ID, "from.id", JSON("{\"from\":{\"id\":")},
        {HSA_BODY_KEY_TO, HSA_BODY_RECORD_ID, HSA_BODY_SECOND_ID, "to.id", JSON("},\"to\":{\"id\":")},
        {HSA_BODY_KEY_TYPES, HSA_BODY_TYPE_LIST, HSA_BODY_TYPES, NULL, JSON("},\"types\":[")},
      },
    .field_count = 3,
    .end = JSON("]}"),
    .id_count = 2,
    .merged = HSA_BODY_TYPES,
  },
  {
    .name = "pair",
    .expected = "a table { from, to }",
    .fields =
      {
        {HSA_BODY_KEY_FROM, HSA_BODY_RECORD_ID, HSA_BODY_FIRST_ID, "from.id", JSON("{\"from\":{\"id\":")},
        {HSA_BODY_KEY_TO, HSA_BODY_RECORD_ID, HSA_BODY_SECOND_ID, "to.id", JSON("},\"to\":{\"id\":")},
        {HSA_BODY_KEY_TYPES, HSA_BODY_NOTHING, HSA_BODY_TYPES,
         "no types (the default type is made, whatever an input has)", JSON("")},
      },
    .field_count = 3,
    .end = JSON("}}"),
    .id_count = 2,
    .merged = HSA_BODY_PARTS,
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
