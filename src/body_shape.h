/* How an input of an endpoint is written, as data: an endpoint whose inputs have fields of these kinds
 * needs a row in body_shape.c, and no other C code. Knows neither Lua nor libcurl. */
#ifndef HSA_BODY_SHAPE_H
#define HSA_BODY_SHAPE_H

#include "text.h"

/* The keys that inputs are read by, in the order of hsa_body_keys. */
typedef enum hsa_body_key {
  HSA_BODY_KEY_FROM,
  HSA_BODY_KEY_TO,
  HSA_BODY_KEY_ID,
  HSA_BODY_KEY_TYPES,
  HSA_BODY_KEY_ASSOCIATION_CATEGORY,
  HSA_BODY_KEY_ASSOCIATION_TYPE_ID,
  HSA_BODY_KEY_AFTER,
  HSA_BODY_KEY_CATEGORY,
  HSA_BODY_KEY_TYPE_ID,
  HSA_BODY_KEY_MAX_TO_OBJECT_IDS,
  HSA_BODY_KEY_TYPE,
  HSA_BODY_KEYS
} hsa_body_key;

extern const char *const hsa_body_keys[HSA_BODY_KEYS];

/* What a field holds, and so how it is checked and written. */
typedef enum hsa_body_kind {
  HSA_BODY_RECORD_ID, /* an id, or { id = … } */
  HSA_BODY_OWN_ID,    /* the same, of the input itself instead of one of its fields */
  HSA_BODY_TYPE_LIST, /* association types: a list, one of them, or an id */
  HSA_BODY_CATEGORY,  /* of an association type */
  HSA_BODY_TYPE_ID,   /* of one whose category is the first id of the input */
  HSA_BODY_COUNT,     /* a whole number from 1 */
  HSA_BODY_CURSOR,    /* text of HubSpot's, written as it is */
  HSA_BODY_NOTHING,   /* an input that has the field is invalid */
} hsa_body_kind;

/* The parts of a written input that are looked for later. The ids tell one input from another; a shape may
 * have one id, and something else in place of the second. */
typedef enum hsa_body_part {
  HSA_BODY_FIRST_ID,
  HSA_BODY_SECOND_ID,
  HSA_BODY_TYPES,
  HSA_BODY_OTHER, /* what nobody looks for */
  HSA_BODY_PARTS,
} hsa_body_part;

/* JSON between the values. It fills an array of one size, so that it is copied without a call: see append_fixed. */
enum { HSA_BODY_FIXED = 32 };
typedef struct hsa_body_fixed {
  char bytes[HSA_BODY_FIXED];
  size_t length;
} hsa_body_fixed;

typedef struct hsa_body_field {
  hsa_body_key key;
  hsa_body_kind kind;
  hsa_body_part part;
  int is_optional;       /* without it, neither the value nor the JSON before it is written */
  hsa_body_fixed before; /* the JSON in front of the value */
  const char *words;     /* for errors: what an id in a table is called, or what is expected instead */
} hsa_body_field;

enum { HSA_BODY_MOST_FIELDS = 5, HSA_BODY_NO_LIST = HSA_BODY_PARTS };

typedef struct hsa_body_shape {
  const char *name;
  const char *expected; /* for errors: what an input is */
  int takes_bare_id;    /* an input need not be a table */
  hsa_body_field fields[HSA_BODY_MOST_FIELDS];
  int field_count;
  hsa_body_fixed end; /* the JSON behind the last value */
  int id_count;       /* how many ids a result names */

  /* Inputs with the same ids are sent as one; of a shape that groups, those with the same first id are.
   * What is sent has the entries that their lists have: the list is a part, or there is none. */
  int is_grouped;
  int list;                          /* a hsa_body_part, or HSA_BODY_NO_LIST */
  int list_lead, list_tail;          /* bytes of an entry of the list before and behind the part */
  unsigned most_inputs, most_groups; /* of one request, where the body's options do not say; 0: any number */
} hsa_body_shape;

/* The shape of that name, or NULL. */
const hsa_body_shape *hsa_body_shape_find(hsa_text name);

/* That of create. */
const hsa_body_shape *hsa_body_shape_default(void);

#endif
